"""Server-sent events from bytes: the `data` of each event, however the bytes were cut.

Line ends may be LF, CRLF or CR, a space after the colon is optional, comments and unknown fields
are skipped. Lines are cut on bytes: U+2028 or U+0085 inside JSON is text, not a line end, and a
character may be split between two reads.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
_BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """One event grew beyond the bound."""


class SseDecoder:
    """Feed it bytes, get the data of the events that they complete."""

    def __init__(self, *, max_event_bytes: int = 1 << 20) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._max_event_bytes = max_event_bytes
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """Data of the events that end within `data`. Raises EventTooLong."""
        *lines, self._rest = _LINE_END.split(self._rest + data)
        events = [event for line in lines if (event := self._line(line)) is not None]
        if len(self._rest) + self._size > self._max_event_bytes:
            message = f"an event is longer than {self._max_event_bytes} bytes"
            raise EventTooLong(message)
        return events

    def flush(self) -> list[bytes]:
        """Data of a last event that the stream left without its blank line."""
        events = [self._line(self._rest.rstrip(b"\r")), self._line(b"")]
        self._rest = b""
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
