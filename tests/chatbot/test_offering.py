"""When a shopper is asked "did you mean", and what is offered: pure policy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cache.decision import Candidate
from cache.store import Entry
from chatbot.offering import Offered, Option, Rule, options_from, options_of

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def candidate(number: int, *, answer: int, cosine: float = 0.8, text: str = "") -> Candidate[Entry]:
    """A near wording of an answer."""
    entry = Entry(
        wording_id=number,
        answer_id=answer,
        partition="p",
        key=f"key-{number}",
        wording=f"wording {number}",
        text=text or f"answer {answer}",
        origin="model",
        model="",
        tier="FAQ",
        checked_at=NOW,
        expires_at=None,
        cost_nanousd=0,
        sources=(),
    )
    return Candidate(entry=entry, text=entry.wording, cosine=cosine)


@pytest.mark.parametrize(
    ("rule", "cost_nanousd", "wait_s", "asks"),
    [
        (Rule(), 0, 0.0, False),
        (Rule(), 1, 0.0, True),
        (Rule(), None, 0.0, True),
        (Rule(), 0, 2.0, False),
        (Rule(), 0, 2.1, True),
        (Rule(), 0, None, True),
        (Rule(above_microusd=500), 500_000, 0.0, False),
        (Rule(above_microusd=500), 500_001, 0.0, True),
        (Rule(above_wait_s=10.0, above_microusd=500), 1, 9.0, False),
        (Rule(enabled=False), 10**9, None, False),
    ],
)
def test_shopper_is_asked_only_when_it_saves(
    rule: Rule, cost_nanousd: int | None, wait_s: float | None, asks: bool
) -> None:
    """A free and idle model: no. Money above the bound, a wait above it, no model at all: yes."""
    assert (rule.reason(cost_nanousd=cost_nanousd, wait_s=wait_s) is not None) is asks


def test_each_answer_is_offered_once() -> None:
    """Of two wordings of one answer, or of two answers with one text, the nearer is shown."""
    found = options_of(
        [
            candidate(1, answer=7, cosine=0.85),
            candidate(2, answer=7, cosine=0.84),
            candidate(3, answer=8, text="answer 7", cosine=0.83),
            candidate(4, answer=9, cosine=0.82),
        ]
    )
    assert [(one.option, one.wording_id) for one in found] == [(1, 1), (2, 4)]


def test_at_most_three_are_offered() -> None:
    """However many wordings are near, the shopper reads three."""
    found = options_of([candidate(number, answer=number) for number in range(6)])
    assert [one.question for one in found] == ["wording 0", "wording 1", "wording 2"]


def test_options_survive_being_kept() -> None:
    """What was written with the question is read again as it was."""
    found = options_of([candidate(1, answer=7), candidate(2, answer=8)])
    assert options_from([one.as_row() for one in found]) == found


def test_only_a_tapped_none_turns_answers_down() -> None:
    """Silence, a new question and a dead process say nothing against the answers that were shown."""
    options = tuple(
        Option(n, f"wording {n}", f"key-{n}", wording_id=n, answer_id=n + 10, cosine=0.8)
        for n in (1, 2)
    )
    tapped = Offered(options, settled=True, chosen=None, tapped=True)
    silent = Offered(options, settled=True, chosen=None)
    chosen = Offered(options, settled=True, chosen=2, tapped=True)

    assert [one.rejected for one in (tapped, silent, chosen, Offered(options))] == [
        frozenset({11, 12}),
        frozenset(),
        frozenset(),
        frozenset(),
    ]
    assert (chosen.choice, tapped.choice, Offered(options).choice) == (options[1], None, None)
