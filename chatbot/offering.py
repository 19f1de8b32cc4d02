"""When a shopper is asked "did you mean ...?", and what is offered. Pure.

A question is put to the shopper only when it saves something: the model's answer would cost more
than a bound or wait longer than one, or no model can be called at all. Where a model is free and idle
the shopper is not bothered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cache.decision import Candidate
from cache.store import Entry

MOST_OPTIONS = 3
MOST_PER_CONVERSATION = 2
PATIENCE_S = 30.0
_NANO_PER_MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """The shop's bounds. Cost is in millionths of a dollar, wait in seconds."""

    enabled: bool = True
    above_microusd: int = 0
    above_wait_s: float = 2.0

    def reason(self, *, cost_nanousd: int | None, wait_s: float | None) -> str | None:
        """Why asking saves something, or None when it does not.

        `wait_s` None: no model can be called. `cost_nanousd` None: the price is not known, which is
        not taken for free.
        """
        if not self.enabled:
            return None
        if wait_s is None:
            return "no model can be called"
        if wait_s > self.above_wait_s:
            return f"a model's answer would wait {wait_s:.0f} s"
        if cost_nanousd is None:
            return "a model's answer has an unknown price"
        if cost_nanousd > self.above_microusd * _NANO_PER_MICRO:
            return f"a model's answer would cost about ${cost_nanousd / 1e9:.5f}"
        return None


@dataclass(frozen=True, slots=True)
class Option:
    """One wording as offered; `option` is its number, `key` finds its answer in the exact tier."""

    option: int
    question: str
    key: str
    wording_id: int
    answer_id: int
    cosine: float

    def as_row(self) -> dict[str, Any]:
        """The object that is kept with the question."""
        return asdict(self)

    def as_shown(self) -> dict[str, Any]:
        """The object that the `confirm` frame carries."""
        return {"option": self.option, "question": self.question}


@dataclass(frozen=True, slots=True)
class Offered:
    """What was offered for a question. `chosen` counts once `settled`; None is "none of these".

    `tapped` is False when time, a new question or the end of a process spoke for the shopper.
    """

    options: tuple[Option, ...]
    settled: bool = False
    chosen: int | None = None
    tapped: bool = False

    @property
    def choice(self) -> Option | None:
        """The wording that the shopper meant."""
        if not self.settled:
            return None
        return next((one for one in self.options if one.option == self.chosen), None)

    @property
    def rejected(self) -> frozenset[int]:
        """Answers that the shopper said were not meant."""
        if not self.settled or not self.tapped or self.chosen is not None:
            return frozenset()
        return frozenset(option.answer_id for option in self.options)

    @property
    def note(self) -> str:
        """What became of it, for the receipt."""
        shown = f"{len(self.options)} near wordings were offered"
        choice = self.choice
        if choice is not None:
            return f"{shown}, the shopper meant: {choice.question}"
        return f"{shown}, none was chosen"


def options_of(candidates: Sequence[Candidate[Entry]]) -> tuple[Option, ...]:
    """At most MOST_OPTIONS options, best first, each answer once."""
    options: list[Option] = []
    seen: set[int | str] = set()
    for candidate in candidates:
        entry = candidate.entry
        if not seen.isdisjoint({entry.answer_id, entry.text, entry.key}):
            continue
        seen |= {entry.answer_id, entry.text, entry.key}
        options.append(
            Option(
                option=len(options) + 1,
                question=entry.wording,
                key=entry.key,
                wording_id=entry.wording_id,
                answer_id=entry.answer_id,
                cosine=round(candidate.cosine, 4),
            )
        )
    return tuple(options[:MOST_OPTIONS])


def options_from(rows: Sequence[Mapping[str, Any]]) -> tuple[Option, ...]:
    """Options as they were kept."""
    return tuple(Option(**row) for row in rows)
