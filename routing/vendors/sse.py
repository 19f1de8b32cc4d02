"""Server-sent events from bytes: the `data` of each event, however the bytes were cut.

Line ends may be LF, CRLF or CR, a space after the colon is optional, comments and unknown fields
are skipped. Lines are cut on bytes: U+2028 or U+0085 inside JSON is text, not a line end, and a
character may be split between two reads. Work grows with the bytes fed, not with their pieces.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b""})
_STRAY_BYTES = 64 << 10


class EventTooLong(ValueError):
    """One event grew beyond the bound."""


class SseDecoder:
    """Feed it bytes, get the data of the events that they complete."""

    def __init__(self, *, max_event_bytes: int = 1 << 20) -> None:
        self._rest = bytearray()
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0
        self._max_event_bytes = max_event_bytes
        self._begun = False
        self._stray = bytearray()

    @property
    def stray(self) -> bytes:
        """The lines that are no field of an event: what a server says when it forgot the protocol."""
        return bytes(self._stray)

    def feed(self, data: bytes) -> list[bytes]:
        """Data of the events that end within `data`. Raises EventTooLong."""
        if self._after_cr and data:
            data, self._after_cr = data.removeprefix(b"\n"), False
        if not data:
            return []
        self._after_cr = data.endswith(b"\r")
        first, *others = _LINE_END.split(data)
        self._rest += first
        events = []
        for line in others:
            events.append(self._line(bytes(self._rest)))
            self._rest = bytearray(line)
        if len(self._rest) + self._size > self._max_event_bytes:
            message = f"an event is longer than {self._max_event_bytes} bytes"
            raise EventTooLong(message)
        return [event for event in events if event is not None]

    def flush(self) -> list[bytes]:
        """Data of a last event that the stream left without its blank line."""
        events = [self._line(bytes(self._rest)), self._line(b"")]
        self._rest.clear()
        return [event for event in events if event is not None]

    def _line(self, line: bytes) -> bytes | None:
        """Take one line; an empty one ends the event and gives its data."""
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        if line:
            self._field(line)
            return None
        event, self._data, self._size = b"\n".join(self._data), [], 0
        return event or None

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.removeprefix(b" ")
            self._data.append(value)
            self._size += len(value) + 1
        elif name not in _FIELDS and len(self._stray) + len(line) < _STRAY_BYTES:
            self._stray += line + b"\n"
