"""What a question's words are, and how much each of them weighs among the stored wordings. Pure.

A text becomes units (stemmed Latin words and numbers; Han runs as 1- and 2-grams) and character
trigrams. A unit weighs the more the fewer stored wordings hold it (inverse document frequency).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from base.stems import stem
from base.text import char_ngrams, tokens

TRIGRAM = 3
# Articles, auxiliaries, pronouns and courtesy: whether they stand there says next to nothing.
_NEUTRAL = """
a an the my your our his her their its this that these those i you we me us it they them is are
am was were be been being do does did has have had can could may might would will shall should please
pls kindly hi hello hey thanks thank just also really actually so then there which what ok okay
i'm i'd i've i'll it's that's what's you're don't
"""
NEUTRAL = frozenset(map(stem, _NEUTRAL.split()))
NEUTRAL_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Words:
    """A text as the lexical features see it."""

    units: frozenset[str]
    trigrams: frozenset[str]


@lru_cache(maxsize=20_000)
def words_of(text: str) -> Words:
    """Read a text once; compare it with many. Those last read are kept (about 5 kB each)."""
    found = list(tokens(text))
    spaced = f" {' '.join(found)} "
    return Words(
        units=frozenset(unit for token in found for unit in _units(token)),
        trigrams=frozenset(char_ngrams(spaced, smallest=TRIGRAM, largest=TRIGRAM)),
    )


def overlap(left: frozenset[str], right: frozenset[str]) -> float:
    """Dice overlap of two sets, 0..1."""
    return 2 * len(left & right) / max(1, len(left) + len(right))


class Lexicon:
    """How many stored wordings hold each unit; follows what is stored and taken away."""

    def __init__(self) -> None:
        self._documents: Counter[str] = Counter()
        self._count = 0

    def add(self, units: Iterable[str]) -> None:
        """A wording with these units is stored."""
        self._documents.update(units)
        self._count += 1

    def remove(self, units: Iterable[str]) -> None:
        """A wording with these units is gone."""
        for unit in units:
            self._documents[unit] -= 1
            if not self._documents[unit]:
                del self._documents[unit]
        self._count -= 1

    def __len__(self) -> int:
        return self._count

    def weights(self, units: Iterable[str]) -> dict[str, float]:
        """The smoothed inverse document frequency of each unit, above 0; neutral words weigh little."""
        count, documents = self._count + 2, self._documents
        return {
            unit: math.log(count / (documents.get(unit, 0) + 1))
            * (NEUTRAL_SHARE if unit in NEUTRAL else 1.0)
            for unit in units
        }

    def weigh(self, units: Iterable[str]) -> float:
        """The weight of several units together."""
        return sum(self.weights(units).values())


def _units(token: str) -> Iterable[str]:
    if "\u3400" <= token[0] <= "\u9fff":
        return char_ngrams(token, smallest=1, largest=2)
    return (stem(token),)
