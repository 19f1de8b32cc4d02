"""Do two answers say the same? Pure; decides without a model where it can.

Two answers to questions that are near each other are compared by what they rest on and what they say:
the articles cited, the figures stated (amounts, days, dates: where both state some and neither's
contain the other's, the answers differ, at least until a third one links them), and the words,
weighted by how rare they are among the answers compared. A new answer is the same when what it says stands
in the old one; an old one that says less is not enough. What lies between is UNSURE and left to a judge, or
stays apart: two answers that are kept apart cost a model call, two that are merged wrongly cost a wrong answer.

An answer that was once stored twice would stay so, and its wordings would vote against each other. A new answer
that repeats one and resembles another links the two: whether they are one is for the judge, too, if they may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice

from base.figures import figures_in
from cache.lexicon import Lexicon, words_of
from cache.statements import contradict

# With a figure in common, and without one.
SAME_FROM = 0.75
SAME_WITHOUT_FIGURES_FROM = 0.85
UNSURE_FROM = 0.20
MOST_JUDGED = 3
# A judge is asked until two verdicts agree, the answers in another order each time; about two answers that it held
# for different before, and that a later one links, it must say "the same" each time.
VERDICTS, MAJORITY = 3, 2
MOST_COMPARED = 8


class Sameness(StrEnum):
    """What the comparison of two answers found."""

    SAME = "same"
    UNSURE = "unsure"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it is compared: text, the articles it rests on, its figures and words."""

    text: str
    articles: frozenset[str]
    figures: frozenset[Decimal]
    units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Compared:
    """The finding, how much of the shorter answer's weight the longer holds (0..1), and why."""

    sameness: Sameness
    coverage: float
    reason: str


def said(text: str, *, articles: Sequence[str]) -> Said:
    """Read an answer once; compare it with many."""
    return Said(
        text=text,
        articles=frozenset(articles),
        figures=frozenset(figure.value for figure in figures_in(text)),
        units=words_of(text).units,
    )


def compare(new: Said, old: Said, *, lexicon: Lexicon) -> Compared:
    """Whether `new` says what `old` says. `lexicon` counts the words of answers of this partition."""
    if not new.articles & old.articles:
        return Compared(Sameness.DIFFERENT, 0.0, "they rest on different articles")
    if new.text == old.text:
        return Compared(Sameness.SAME, 1.0, "the same text")
    if _conflict(new.figures, old.figures):
        return Compared(Sameness.DIFFERENT, 0.0, "they state different figures")
    coverage = _coverage(new, old, lexicon=lexicon)
    held = _held(new, old, lexicon=lexicon)
    enough = SAME_FROM if new.figures & old.figures else SAME_WITHOUT_FIGURES_FROM
    if held >= enough and new.figures <= old.figures:
        return Compared(Sameness.SAME, held, "the same articles, figures and words")
    if coverage >= UNSURE_FROM:
        return Compared(Sameness.UNSURE, coverage, "the words agree in part")
    return Compared(Sameness.DIFFERENT, coverage, "the words hardly agree")


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer that says the same (None: a new one), and those that only a judge can tell, best first.

    The judge compares `unsure` with the answer that the new one leads to: `same_as`, or the new one itself.
    """

    same_as: int | None
    unsure: tuple[int, ...]
    reason: str


def settle(new: Said, olds: Sequence[tuple[int, Said]], *, lexicon: Lexicon) -> Settled:
    """Which of the answers of the nearest wordings says what `new` says; `olds` nearest first."""
    compared = [(answer_id, compare(new, old, lexicon=lexicon)) for answer_id, old in olds]
    ranked = sorted(compared, key=lambda item: _rank(item[1]), reverse=True)
    same_id, reason = None, "no answer near it says the same"
    if ranked and ranked[0][1].sameness is Sameness.SAME:
        same_id, reason = ranked[0][0], ranked[0][1].reason
    saids = dict(olds)
    unsure = (
        answer_id
        for answer_id, found in ranked
        if answer_id != same_id
        and found.sameness is not Sameness.DIFFERENT
        and (same_id is None or may_be_one(saids[same_id], saids[answer_id]))
    )
    return Settled(same_as=same_id, unsure=tuple(islice(unsure, MOST_JUDGED)), reason=reason)


def may_be_one(left: Said, right: Said) -> bool:
    """Whether a judge may be asked about two stored answers that a third one links.

    They rest on an article in common, so that an edit of it reaches both, and no sentence of one says with
    other figures what a sentence of the other says.
    """
    return bool(left.articles & right.articles) and not contradict(left.text, right.text)


def settled_by(verdicts: Sequence[bool], *, needed: int) -> bool | None:
    """True once `needed` of VERDICTS verdicts say "the same", False once they cannot any more, else None."""
    if verdicts.count(True) >= needed:
        return True
    return False if verdicts.count(False) > VERDICTS - needed else None


def _rank(found: Compared) -> tuple[bool, float]:
    return found.sameness is Sameness.SAME, found.coverage


def _conflict(left: frozenset[Decimal], right: frozenset[Decimal]) -> bool:
    return bool(left) and bool(right) and not (left <= right or right <= left)


def _held(new: Said, old: Said, *, lexicon: Lexicon) -> float:
    """How much of what the new answer says the old one says too: who asked for it must not get less."""
    weight = lexicon.weigh(new.units)
    return lexicon.weigh(new.units & old.units) / weight if weight else 0.0


def _coverage(left: Said, right: Said, *, lexicon: Lexicon) -> float:
    """Shared word weight over that of the answer with less of it."""
    smaller = min(lexicon.weigh(left.units), lexicon.weigh(right.units))
    return lexicon.weigh(left.units & right.units) / smaller if smaller else 0.0
