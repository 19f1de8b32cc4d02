"""The JSON frames between browser and server: parsing what arrives, building what is sent.

Pure. A client frame becomes one of the dataclasses below or a `BadFrame`, which carries the code for the
`error` frame. Sizes: a question has at most 4,000 characters; a frame up to 64 KiB is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from base.text import has_control_characters

MAX_QUESTION_CHARACTERS = 4_000
MAX_FRAME_BYTES = 64 * 1024
MAX_SOCKET_BYTES = 2 * 1024 * 1024
MAX_ID_CHARACTERS = 64
MAX_REASON_CHARACTERS = 300
LOCALES = ("en", "zh-hans")

ErrorCode = Literal[
    "bad_frame",
    "too_long",
    "too_fast",
    "conflict",
    "busy",
    "deadline",
    "no_model",
    "not_available",
    "internal",
]
ServerFrame = dict[str, Any]


class BadFrame(Exception):
    """The frame cannot be used. `text_key` names the sentence that tells the shopper what to do."""

    def __init__(self, code: ErrorCode, text_key: str, *, frame_id: str | None = None) -> None:
        super().__init__(text_key)
        self.code = code
        self.text_key = text_key
        self.frame_id = frame_id


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, or with `retry_of` the same question past the cache."""

    id: str
    text: str
    locale: str | None
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """The shopper's word on a `confirm`: one of its options, or None for "none of these"."""

    id: str
    option: int | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop answering the question `id`."""

    id: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A thumb on the answer of question `id`."""

    id: str
    value: Literal["up", "down"]
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    """Send durable frames after this number."""

    after: int


@dataclass(frozen=True, slots=True)
class History:
    """Send durable frames before this number."""

    before: int


@dataclass(frozen=True, slots=True)
class NotBuilt:
    """A frame of the contract whose feature this version does not have."""

    type: str
    id: str | None


ClientFrame = Ask | Choose | Stop | Feedback | Resume | History | NotBuilt


def parse(text: str) -> ClientFrame:
    """One client frame. Raises BadFrame with the code and the sentence to show."""
    if len(text) > MAX_FRAME_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME_BYTES:
        raise BadFrame("too_long", "frame_too_long")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFrame("bad_frame", "not_json") from error
    if not isinstance(data, dict):
        raise BadFrame("bad_frame", "not_json")
    parser = _PARSERS.get(str(data.get("type")))
    if parser is None:
        raise BadFrame("bad_frame", "unknown_frame", frame_id=_shown_id(data))
    return parser(data)


def _is_id(value: object) -> bool:
    """Printable, so that it can be stored and sent back: no control characters, no surrogates."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS and value.isprintable()


def _shown_id(data: Mapping[str, Any]) -> str | None:
    value = data.get("id")
    return str(value) if _is_id(value) else None


def _id(data: Mapping[str, Any], name: str = "id") -> str:
    value = data.get(name)
    if not _is_id(value):
        raise BadFrame("bad_frame", "bad_id", frame_id=_shown_id(data))
    return str(value)


def _ask(data: Mapping[str, Any]) -> Ask:
    frame_id, text = _id(data), data.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadFrame("bad_frame", "empty", frame_id=frame_id)
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise BadFrame("too_long", "question_too_long", frame_id=frame_id)
    if not _is_storable(text):
        raise BadFrame("bad_frame", "control_characters", frame_id=frame_id)
    locale = data.get("locale")
    return Ask(id=frame_id, text=text.strip(), locale=locale if locale in LOCALES else None)


def _is_storable(text: str) -> bool:
    """No control characters, and no lone surrogates: JSON escapes can smuggle them in, and no
    database takes them."""
    surrogate = any("\ud800" <= char <= "\udfff" for char in text)
    return not surrogate and not has_control_characters(text)


def _retry(data: Mapping[str, Any]) -> Ask:
    return Ask(id=_id(data), text="", locale=None, retry_of=_id(data, "of"))


def _choose(data: Mapping[str, Any]) -> Choose:
    frame_id, option = _id(data), data.get("option", False)
    if option is not None and (not isinstance(option, int) or isinstance(option, bool)):
        raise BadFrame("bad_frame", "bad_option", frame_id=frame_id)
    return Choose(id=frame_id, option=option)


def _feedback(data: Mapping[str, Any]) -> Feedback:
    value, reason = data.get("value"), data.get("reason") or ""
    if value not in ("up", "down") or not isinstance(reason, str):
        raise BadFrame("bad_frame", "bad_value", frame_id=_shown_id(data))
    if not _is_storable(reason):
        raise BadFrame("bad_frame", "control_characters", frame_id=_shown_id(data))
    return Feedback(id=_id(data), value=value, reason=reason[:MAX_REASON_CHARACTERS])


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise BadFrame("bad_frame", "bad_value")
    return value


def _not_built(data: Mapping[str, Any]) -> NotBuilt:
    return NotBuilt(type=str(data["type"]), id=_shown_id(data))


_PARSERS: dict[str, Callable[[Mapping[str, Any]], ClientFrame]] = {
    "ask": _ask,
    "retry": _retry,
    "choose": _choose,
    "stop": lambda data: Stop(id=_id(data)),
    "feedback": _feedback,
    "resume": lambda data: Resume(after=_number(data, "after")),
    "history": lambda data: History(before=_number(data, "before")),
    "human": _not_built,
    "identify": _not_built,
    "contact": _not_built,
    "rate": _not_built,
}
CLIENT_FRAMES = tuple(_PARSERS)


def error(
    code: ErrorCode,
    message: str,
    *,
    frame_id: str | None = None,
    retry_after_s: float | None = None,
) -> ServerFrame:
    """An `error` frame; it gets a `seq` only when it ends an accepted question."""
    return {
        "type": "error",
        "id": frame_id,
        "code": code,
        "message": message,
        "retry_after_s": retry_after_s,
    }


def encode(frame: ServerFrame) -> str:
    """A server frame as JSON text."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
