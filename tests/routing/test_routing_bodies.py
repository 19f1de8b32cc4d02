"""Claims about bodies of bounded size."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from routing.bodies import BodyReader, BodyRefused


def test_a_bomb_is_refused_before_it_grows() -> None:
    """Unpacking stops at the bound; a thousandfold body never exists in memory."""
    bomb = gzip.compress(b"x" * (32 << 20))
    reader = BodyReader(content_encoding="gzip", max_bytes=1_000)
    tracemalloc.start()
    with pytest.raises(BodyRefused):
        reader.read(bomb)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 1 << 20


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", b"plain" * 9),
        (" Identity ", b"plain" * 9),
        ("gzip", gzip.compress(b"plain" * 9, mtime=0)),
        ("deflate", zlib.compress(b"plain" * 9)),
    ],
)
def test_a_body_of_just_the_bound_passes(encoding: str, packed: bytes) -> None:
    """Every packing that is read gives the same bytes, piece by piece, up to the last one allowed."""
    reader = BodyReader(content_encoding=encoding, max_bytes=45)
    assert b"".join(reader.read(packed[n : n + 1]) for n in range(len(packed))) == b"plain" * 9
