"""Claims about fault orders: where, when and how often a fault strikes, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.faults import FaultBook, FaultError, parse, parse_short
from simulator.windows import NS_PER_S


def _book(*orders: dict[str, Any]) -> FaultBook:
    book = FaultBook(seed=5)
    for order in orders:
        book.add(parse(order, now_ns=0))
    return book


def _strikes(book: FaultBook, *, vendor: str = "openai", at_s: float = 0) -> bool:
    return bool(book.draw(vendor, model="gpt-4.1", now_ns=round(at_s * NS_PER_S)))


def test_a_fault_keeps_to_its_vendor_and_model() -> None:
    """Another vendor or another model is left alone."""
    book = _book({"name": "503", "vendor": "openai"}, {"name": "429", "model": "deepseek-flash"})
    assert _strikes(book) and not _strikes(book, vendor="gemini")


def test_a_fault_strikes_no_more_often_than_ordered() -> None:
    """With a count of two the third request is spared."""
    book = _book({"name": "503", "count": 2})
    assert [_strikes(book) for _ in range(4)] == [True, True, False, False]


def test_a_fault_keeps_to_its_time() -> None:
    """It begins `after_s` later and lasts `for_s`, the end not included."""
    book = _book({"name": "503", "after_s": 5, "for_s": 10})
    assert [_strikes(book, at_s=s) for s in (4.9, 5, 14.9, 15)] == [False, True, True, False]


def test_a_probability_is_kept() -> None:
    """Of 2,000 draws at 0.3 between 25% and 35% strike, and the same seed strikes the same."""

    def draws() -> list[bool]:
        book = FaultBook(seed=5)
        book.add(parse_short("503:0.3:openai", now_ns=0))
        return [_strikes(book) for _ in range(2000)]

    first = draws()
    assert 500 < sum(first) < 700 and draws() == first


def test_at_most_one_refusal_strikes_and_others_join() -> None:
    """Two refusals never meet in one request; answer and wire faults come on top."""
    book = _book({"name": "503"}, {"name": "429"}, {"name": "slow"}, {"name": "invents"})
    assert list(book.draw("openai", model="gpt-4.1", now_ns=0)) == ["503", "slow", "invents"]


def test_faults_are_lifted_by_name_or_all_at_once() -> None:
    """Removing tells how many faults it lifted."""
    book = _book({"name": "503"}, {"name": "503"}, {"name": "slow"}, {"name": "hang"})
    assert [book.remove("503"), book.remove("429"), book.remove()] == [2, 0, 2]


@pytest.mark.parametrize(
    "order",
    [
        {"name": "no-such"},
        {"name": "503", "probability": 1.5},
        {"name": "503", "vendor": "acme"},
        {"name": "503", "model": "gpt-9"},
        {"name": "503", "chance": 1},
        {"name": "slow", "options": {"factor": "x"}},
        {"name": "slow", "options": {"speed": 1}},
        ["503"],
    ],
    ids=["name", "probability", "vendor", "model", "field", "number", "option", "shape"],
)
def test_a_wrong_order_is_refused(order: object) -> None:
    """An order that could never strike as meant raises FaultError."""
    with pytest.raises(FaultError):
        parse(order, now_ns=0)


@pytest.mark.parametrize("text", ["503:often", "nothing", "503:0.5:acme"])
def test_a_wrong_short_order_is_refused(text: str) -> None:
    """The command-line form is checked as strictly."""
    with pytest.raises(FaultError):
        parse_short(text, now_ns=0)


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ("2026-11-23T12:00:05Z", "2026-11-23T12:00:15Z"),
        ("2026-11-23T14:00:05+02:00", "2026-11-23T12:00:15+00:00"),
        (NOW.timestamp() + 5, NOW.timestamp() + 15),
    ],
    ids=["utc", "offset", "unix"],
)
def test_a_fault_keeps_to_moments(start: str | float, stop: str | float) -> None:
    """`start_at` is included and `stop_at` is not, in ISO 8601 or Unix seconds."""
    order = {"name": "503", "start_at": start, "stop_at": stop}
    book = FaultBook(seed=5)
    book.add(parse(order, now_ns=100 * NS_PER_S, now=NOW))
    times_s = (104.9, 105, 114.9, 115)
    assert [_strikes(book, at_s=s) for s in times_s] == [False, True, True, False]


def test_a_moment_may_be_past_when_it_is_ordered() -> None:
    """An order whose start is past strikes at once, and `for_s` counts from that start."""
    book = FaultBook(seed=5)
    order = {"name": "503", "start_at": NOW.timestamp() - 8, "for_s": 10}
    book.add(parse(order, now_ns=100 * NS_PER_S, now=NOW))
    assert [_strikes(book, at_s=s) for s in (100, 101.9, 102)] == [True, True, False]


@pytest.mark.parametrize(
    "order",
    [
        {"name": "503", "start_at": "noon"},
        {"name": "503", "start_at": "2026-11-23T12:00:05"},
        {"name": "503", "start_at": 5, "after_s": 5},
        {"name": "503", "stop_at": 5, "for_s": 5},
        {"name": "503", "stop_at": NOW.timestamp() - 1},
        {"name": "429", "options": {"kind": "often"}},
        {"name": "400", "options": {"kind": "requests"}},
        {"name": "500", "options": {"kind": "requests"}},
        {"name": "429", "options": {"wait_form": "smoke"}},
        {"name": "429", "options": {"body": "yaml"}},
        {"name": "429", "options": {"headers": ["a"]}},
        {"name": "brown_out", "options": {"statuses": [200]}},
        {"name": "giant", "options": {"bytes": 0}},
        {"name": "limits_halve", "probability": 0.5},
        {"name": "connection_refused", "vendor": "openai"},
        {"name": "connection_refused", "probability": 0.5},
        {"name": "reset_at_accept", "model": "gpt-4.1"},
    ],
    ids=lambda order: "-".join(map(str, order.values()))[:40],
)
def test_an_order_that_cannot_strike_as_meant_is_refused(order: dict[str, Any]) -> None:
    """Times that contradict, options of another fault, and targets where there is no request."""
    with pytest.raises(FaultError):
        parse(order, now_ns=0, now=NOW)


def test_a_moment_needs_a_date_to_count_from() -> None:
    """Without the date of now an absolute time is refused."""
    with pytest.raises(FaultError):
        parse({"name": "503", "start_at": "2026-11-23T12:00:05Z"}, now_ns=0)


def test_a_brown_out_is_three_in_ten_by_itself() -> None:
    """A fault may have a probability of its own, in both forms of an order."""
    orders = [parse({"name": "brown_out"}, now_ns=0), parse_short("brown_out", now_ns=0)]
    assert [fault.probability for fault in orders] == [0.3, 0.3]


def test_limits_are_multiplied_while_in_force() -> None:
    """Two at once multiply; another vendor keeps its limits."""
    book = _book(
        {"name": "limits_halve", "vendor": "openai", "after_s": 10},
        {"name": "limits_halve", "vendor": "openai", "options": {"factor": 0.1}},
    )
    factors = [
        book.limit_factor(vendor, model="gpt-4.1", now_ns=at_s * NS_PER_S)
        for vendor, at_s in (("openai", 0), ("openai", 10), ("gemini", 10))
    ]
    assert factors == [0.1, 0.05, 1.0]
