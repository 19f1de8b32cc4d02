"""Bodies that a well-meaning vendor does not send: a giant answer, a gzip bomb."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

from simulator.exchange import Reply

_SENTENCE = "This sentence is repeated until the answer is far too long. "
_BLOCK_BYTES = 1_000_000
_RAW_DEFLATE = -15
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_WRAP = 2**32


def giant_reply(size_bytes: int) -> Reply:
    """An answer of at least `size_bytes` that takes no more memory than one sentence."""
    return Reply(_SENTENCE, times=-(-size_bytes // len(_SENTENCE)))


def _deflate(data: bytes, *, last: bool) -> bytes:
    """Raw deflate that may be joined with others; after a full flush no block refers back."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE)
    return packer.compress(data) + packer.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=4)
def _blanks(blocks: int) -> tuple[bytes, int]:
    """Deflated blanks and the checksum of what they unpack to."""
    block = b" " * _BLOCK_BYTES
    checksum = 0
    for _ in range(blocks):
        checksum = zlib.crc32(block, checksum)
    return _deflate(block, last=False) * blocks, checksum


def gzip_bomb(body: bytes, *, size_bytes: int) -> bytes:
    """A valid gzip file that unpacks to at least `size_bytes` of blanks and then `body`."""
    blocks = -(-size_bytes // _BLOCK_BYTES)
    packed, checksum = _blanks(blocks)
    tail = struct.pack(
        "<II", zlib.crc32(body, checksum), (blocks * _BLOCK_BYTES + len(body)) % _WRAP
    )
    return _GZIP_HEAD + packed + _deflate(body, last=True) + tail
