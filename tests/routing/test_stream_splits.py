"""However the bytes of an answer are cut, the same is made of them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import Kind, VendorError
from routing.specs import FinishReason, Usage, VendorKind
from routing.vendors import vendor_for
from routing.vendors.sse import EventTooLong, SseDecoder
from tests.routing.helpers import TEXT
from tests.routing.transcripts import TRANSCRIPTS, Transcript

Seen = tuple[str, FinishReason | None, Usage | None, Kind | None]
every_transcript = pytest.mark.parametrize(
    "transcript", TRANSCRIPTS, ids=[transcript.name for transcript in TRANSCRIPTS]
)


def _read(kind: VendorKind, pieces: list[bytes]) -> Seen:
    """What is shown and made of an answer that comes in these pieces."""
    decoder, shown = vendor_for(kind).decoder(), ""
    try:
        for piece in pieces:
            shown += "".join(delta.text for delta in decoder.feed(piece))
        reply = decoder.finish()
    except VendorError as error:
        return shown, None, None, error.verdict.kind
    assert reply.text.startswith(
        shown
    )  # a last event that was never ended is not shown as it comes
    return reply.text, reply.finish_reason, reply.usage, None


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def _expected(transcript: Transcript) -> Seen:
    return transcript.text, transcript.finish, transcript.usage, transcript.failure


@every_transcript
def test_a_transcript_is_read(transcript: Transcript) -> None:
    """In one piece and byte by byte: text, finish reason, usage, or the kind of failure."""
    whole = [transcript.data]
    single = [transcript.data[at : at + 1] for at in range(len(transcript.data))]
    assert _read(transcript.kind, whole) == _expected(transcript)
    assert _read(transcript.kind, single) == _expected(transcript)


@every_transcript
def test_two_pieces_are_read_like_one(transcript: Transcript) -> None:
    """Cut at places all over it, within characters and line ends too."""
    for cut in range(0, len(transcript.data), 7):
        pieces = _cut(transcript.data, [cut])
        assert _read(transcript.kind, pieces) == _expected(transcript)


@given(data=st.data())
def test_any_split_is_read_like_one_piece(data: st.DataObject) -> None:
    """Any number of cuts in any transcript, empty pieces included."""
    transcript = data.draw(st.sampled_from(TRANSCRIPTS))
    places = st.integers(0, len(transcript.data))
    pieces = _cut(transcript.data, data.draw(st.lists(places, max_size=30)))
    assert _read(transcript.kind, pieces) == _expected(transcript)


@given(st.binary(max_size=300), st.sampled_from(list(VendorKind)), st.data())
def test_bytes_of_any_kind_end_in_a_verdict(
    noise: bytes, kind: VendorKind, data: st.DataObject
) -> None:
    """Noise is never an answer and never another error, and its cuts do not matter either."""
    prefix = data.draw(st.sampled_from([b"", b"data: ", b"{", b"[", b": \n\n", b"data: {\r\n"]))
    body = prefix + noise
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    whole = _read(kind, [body])
    assert whole[3] in (Kind.BAD_BODY, Kind.TRUNCATED)
    assert _read(kind, _cut(body, cuts)) == whole


@pytest.mark.parametrize("size", [7, 64 << 10])
def test_a_line_without_an_end_is_bounded(size: int) -> None:
    """A line that never ends is given up at the bound, and memory with it."""
    decoder, fed = SseDecoder(max_event_bytes=100_000), 0
    with pytest.raises(EventTooLong):  # noqa: PT012  the loop is the claim
        while fed < 1_000_000:
            fed += size
            decoder.feed(b"x" * size)
    assert fed <= 100_000 + size


def test_words_outside_the_protocol_are_bounded() -> None:
    """What a server says outside of events is kept only as far as an error could be."""
    decoder = SseDecoder()
    for _ in range(10_000):
        decoder.feed(b"nonsense " * 10 + b"\n")
    assert len(decoder.stray) <= 64 << 10


def test_the_corpus_holds_what_is_hard() -> None:
    """The texts hold separators that only look like line ends, and `data:` in the middle."""
    assert "\u2028" in TEXT and "data: " in TEXT
    assert any("\u0085".encode() in transcript.data for transcript in TRANSCRIPTS)
