"""Claims about reading server-sent events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.vendors.sse import EventTooLong, SseDecoder

STREAM = (
    b'\xef\xbb\xbf: hello\r\n\r\ndata: {"a": "\xe4\xb8\x89"}\r\n\r\n'
    b"event: x\ndata:one\ndata: two\nid: 4\n\n"
    b"data:\n\ndata: see data: 5G\n\ndata: \xe2\x80\xa8 and \xc2\x85\n\nretry: 5\r\rdata: cr\r\r"
    b"data: three\r\ndata: four\r\n\r\n"
)
EVENTS = [
    '{"a": "三"}'.encode(),
    b"one\ntwo",
    b"see data: 5G",
    "\u2028 and \u0085".encode(),
    b"cr",
    b"three\nfour",
]


def _events(data: bytes, *, cuts: list[int]) -> list[bytes]:
    decoder, events, start = SseDecoder(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        events += decoder.feed(data[start:cut])
        start = cut
    return events + decoder.flush()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_do_not_depend_on_where_the_bytes_are_cut(cuts: list[int]) -> None:
    """Any split of the stream gives the same events, whatever line ends and comments it has."""
    assert _events(STREAM, cuts=cuts) == EVENTS


def test_single_bytes_give_the_same_events() -> None:
    """A stream that comes byte by byte reads like one that comes at once."""
    assert _events(STREAM, cuts=list(range(len(STREAM)))) == EVENTS


def test_a_last_event_without_blank_line_is_given_at_the_end() -> None:
    """The end of the stream ends the last event."""
    decoder = SseDecoder()
    assert decoder.feed(b"data: last") == []
    assert decoder.flush() == [b"last"]


@pytest.mark.parametrize("data", [b"data: " + b"x" * 200, b"data: xxxx\n" * 40])
def test_an_endless_event_is_refused(data: bytes) -> None:
    """Neither one long line nor endless lines of one event grow beyond the bound."""
    with pytest.raises(EventTooLong):
        SseDecoder(max_event_bytes=100).feed(data)
