"""Claims about fault orders: where, when and how often a fault strikes, and what is refused."""

from __future__ import annotations

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
