"""Bodies of bounded size, packed or plain.

We ask for plain bodies; where a server packs one all the same it is unpacked step by step, so that
a small packed body cannot become a large one in memory.
"""

from __future__ import annotations

import zlib

ERROR_BYTES = 64 << 10
# Of the wire. Each event wraps a few letters in some hundred bytes, so that a long stream of 1 MiB
# of text takes several times as much; text, a single event and plain JSON end at 1 MiB each
# (`vendors/decoding.py`, `vendors/sse.py`).
ANSWER_BYTES = 8 << 20

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class BodyRefused(ValueError):
    """The body is too long, or is packed in a way that cannot be read."""


class BodyReader:
    """Passes a body on piece by piece until it exceeds `max_bytes`."""

    def __init__(self, *, content_encoding: str, max_bytes: int) -> None:
        encoding = content_encoding.strip().lower()
        if encoding not in ("", "identity") and encoding not in _PACKED:
            message = "the body is packed in a way that was not asked for"
            raise BodyRefused(message)
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in _PACKED else None
        self._left_bytes = max_bytes

    def read(self, data: bytes) -> bytes:
        """The plain bytes in `data`. Raises BodyRefused."""
        plain = data if self._unpacker is None else self._unpack(data)
        self._left_bytes -= len(plain)
        if self._left_bytes < 0:
            message = "the body is longer than anything that was asked for"
            raise BodyRefused(message)
        return plain

    def _unpack(self, data: bytes) -> bytes:
        assert self._unpacker is not None
        try:
            return self._unpacker.decompress(data, self._left_bytes + 1)
        except zlib.error as error:
            message = "the packed body is damaged"
            raise BodyRefused(message) from error
