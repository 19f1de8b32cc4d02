"""Do two texts give different figures for the same thing? Pure.

A sentence that states figures speaks against one of another text that says nearly the same with other figures:
"Parcels leave within 2 days" and "Parcels leave within 5 days". What the same figure is about is not known,
so sentences in other words say nothing against each other.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from base.figures import figures_in
from cache.lexicon import NEUTRAL, overlap, words_of

SAME_MATTER_FROM = 0.8
_END = re.compile(r"(?<=[.!?;])\s+|[。！？；\n]+")
_DIGIT = re.compile(r"\d")


class Statement(NamedTuple):
    """One sentence: its words without figures and neutral ones, and its figures."""

    units: frozenset[str]
    figures: frozenset[Decimal]


@lru_cache(maxsize=4_096)
def statements_in(text: str) -> tuple[Statement, ...]:
    """The sentences that state figures, in order."""
    found = []
    for sentence in _END.split(text):
        figures = frozenset(figure.value for figure in figures_in(sentence))
        if figures:
            words = words_of(sentence).units - NEUTRAL
            units = frozenset(unit for unit in words if not _DIGIT.search(unit))
            found.append(Statement(units, figures))
    return tuple(found)


def contradict(left: str, right: str) -> bool:
    """Whether both speak of one matter and neither's figures on it hold the other's."""
    for statement in statements_in(left):
        mine, theirs = (_figures_on(statement, text) for text in (left, right))
        if theirs and not (mine <= theirs or theirs <= mine):
            return True
    return False


def _figures_on(matter: Statement, text: str) -> frozenset[Decimal]:
    """What the sentences of `text` that are about the same matter state."""
    alike = [
        statement.figures
        for statement in statements_in(text)
        if statement.units == matter.units
        or overlap(statement.units, matter.units) >= SAME_MATTER_FROM
    ]
    return frozenset[Decimal]().union(*alike)
