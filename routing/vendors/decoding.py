"""One answer being read: a draft that events fill, and the decoder that feeds it.

An answer counts as complete only when its finish reason was seen. A stream that ends cleanly
without one is truncated, whatever the connection says. Where a stream was asked for and plain JSON
came, the JSON is read as the whole answer. What is made of an answer depends on its bytes only,
never on where they were cut: text before an error is given out before the error is raised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from routing.errors import Kind, TruncatedStream, VendorError
from routing.specs import FinishReason, Reply, Usage
from routing.vendors import fields
from routing.vendors.base import TextDelta
from routing.vendors.classify import VERDICTS, error_fields, verdict_of
from routing.vendors.sse import EventTooLong, SseDecoder

MAX_TEXT_CHARACTERS = 1 << 20
MAX_JSON_BYTES = 1 << 20
_SAYS_NOTHING = frozenset({b"", b"[DONE]"})
_BLANK = b" \t\r\n\xef\xbb\xbf"


@dataclass(slots=True)
class Draft:
    """What is known of an answer so far."""

    finish: FinishReason | None = None
    usage: Usage | None = None
    model: str = ""
    request_id: str = ""
    _parts: list[str] = field(default_factory=list)
    _half: str = ""
    _shown: int = 0
    _size: int = 0

    def add(self, raw: str) -> None:
        """Append visible text; half of a surrogate pair waits for its other half."""
        raw, self._half = self._half + raw, ""
        if raw and "\ud800" <= raw[-1] <= "\udbff":
            raw, self._half = raw[:-1], raw[-1]
        if text := fields.storable(raw):
            self._parts.append(text)
            self._size += len(text)
            if self._size > MAX_TEXT_CHARACTERS:
                raise bad_body(problem="the answer is longer than anything that was asked for")

    def stop(self, reason: FinishReason) -> None:
        """Take a finish reason. A plain stop never replaces a worse one that was told before."""
        if self.finish in (None, FinishReason.STOP):
            self.finish = reason

    def fresh(self) -> list[TextDelta]:
        """Text that was added since the last call, as deltas."""
        deltas = [TextDelta(part) for part in self._parts[self._shown :]]
        self._shown = len(self._parts)
        return deltas

    def reply(self) -> Reply:
        """The finished answer. Raises TruncatedStream when no finish reason was seen."""
        if self.finish is None:
            message = "the answer ended without a finish reason"
            raise TruncatedStream(message, verdict=VERDICTS[Kind.TRUNCATED])
        return Reply(
            text="".join(self._parts),
            finish_reason=self.finish,
            usage=self.usage,
            model=self.model,
            request_id=self.request_id,
        )


class Dialect(Protocol):
    """How one protocol words its events and bodies; `value` is always a JSON object."""

    def read_event(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take one event of a stream into the draft."""
        ...

    def read_body(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take a whole answer into the draft. Raises VendorError when it holds none."""
        ...


def bad_body(problem: str) -> VendorError:
    """An answer that is not what the protocol promises."""
    return VendorError(problem, verdict=VERDICTS[Kind.BAD_BODY], status=200)


def parse_body(body: bytes, *, dialect: Dialect) -> Reply:
    """The reply in a whole JSON body, which may be a list of answers. Raises VendorError."""
    draft = Draft()
    for item in _items(_json(body)):
        dialect.read_body(draft, _checked(item))
    return draft.reply()


class StreamDecoder:
    """Decodes server-sent events, or the plain JSON that came instead of them."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._draft = Draft()
        self._sse = SseDecoder()
        self._head: bytes | None = b""
        self._json: bytearray | None = None
        self._failure: VendorError | None = None

    @property
    def has_finished(self) -> bool:
        """Whether the finish reason or an error was seen; only usage may still follow."""
        return self._draft.finish is not None or self._failure is not None

    @property
    def failure(self) -> VendorError | None:
        """An error that came after text in the same bytes; the next call raises it."""
        return self._failure

    def feed(self, data: bytes) -> list[TextDelta]:
        """Visible text that `data` completes. Raises VendorError for an error in the answer, at the
        next call if `data` held text before it."""
        if self._failure is not None:
            raise self._failure
        if self._head is not None:
            data = self._sniff(data)
        if self._json is not None:
            self._json += data
            if len(self._json) > MAX_JSON_BYTES:
                raise bad_body(problem="the body is longer than anything that was asked for")
            return []
        try:
            self._read(self._sse.feed(data))
        except EventTooLong as error:
            self._failure = bad_body(problem=str(error))
        except VendorError as error:
            self._failure = error
        fresh = self._draft.fresh()
        if self._failure is not None and not fresh:
            raise self._failure
        return fresh

    def finish(self) -> Reply:
        """The reply once all bytes came. Raises TruncatedStream when no finish reason was seen."""
        if self._failure is not None:
            raise self._failure
        if self._json is not None:
            return parse_body(bytes(self._json), dialect=self._dialect)
        self._read([event for event in self._sse.flush() if _is_json(event)])
        if self._draft.finish is None:
            self._raise_stray()
        return self._draft.reply()

    def _sniff(self, data: bytes) -> bytes:
        """Decide by the first visible byte between events and JSON; hold back until it came."""
        head = (self._head or b"") + data
        visible = head.lstrip(_BLANK)
        if not visible:
            self._head = head[-len(_BLANK) :]
            return b""
        self._head = None
        if visible[:1] in b"{[":
            self._json = bytearray()
            return visible
        if visible[:1] == b"<":
            raise bad_body(problem="a web page came instead of an answer")
        return head

    def _read(self, events: list[bytes]) -> None:
        for event in events:
            if event.strip() not in _SAYS_NOTHING:
                for item in _items(_json(event)):
                    self._dialect.read_event(self._draft, _checked(item))

    def _raise_stray(self) -> None:
        """Raise the error that a server sent as plain JSON after its events, if it did."""
        if _is_json(self._sse.stray):
            for item in _items(_json(self._sse.stray)):
                _checked(item)


def _json(data: bytes) -> Any:
    try:
        return fields.load(data)
    except ValueError as error:
        raise bad_body(problem="the answer is not valid JSON") from error


def _items(value: Any) -> list[Any]:
    """What a list holds; anything else alone."""
    return value if isinstance(value, list) and value else [value]


def _is_json(data: bytes) -> bool:
    try:
        fields.load(data)
    except ValueError:
        return False
    return True


def _checked(value: object) -> dict[str, Any]:
    """The JSON object, unless it is none or is an error of the vendor."""
    if not isinstance(value, dict):
        raise bad_body(problem="the answer is not a JSON object")
    if value.get("error"):
        stated = error_fields(value)
        message = stated.message or "the vendor reported an error inside the answer"
        raise VendorError(message, verdict=verdict_of(200, stated), status=200, code=stated.code)
    return value
