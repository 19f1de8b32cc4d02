"""The cache of a dry run: in memory, filled as the questions come, decided like the running one. It writes nothing.

It begins with the wordings that were stored before the first question. What it cannot know: wordings that were
taken away since, articles that changed meanwhile, and what two questions at the same moment did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from base.text import Language
from cache.decision import Candidate, Decision, Vetoes, decide, weigh
from cache.evidence import Neighbour
from cache.judgement import Judgement
from cache.lexicon import words_of
from cache.ngrams import DIMENSION
from cache.normalize import key_of
from cache.shelf import Shelf
from cache.spaces import MODEL, OPTION_MIN_COSINES, Sight, chinese_sight
from cache.vetoes import ProductNames, Stated, conflicts, stated

Vector = NDArray[np.float32]
Judges = Callable[[str, Language], Judgement]
STATED_KEPT = 20_000


class Kept(NamedTuple):
    """A stored wording: its answer and until when that may be served."""

    text: str
    language: Language
    vector: Vector | None
    answer_id: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up came to. `options` are answers that the shopper might be asked about."""

    kind: Literal["exact", "semantic", "miss"]
    reason: str
    answer_id: int | None = None
    options: tuple[int, ...] = ()


class ReplayCache:
    """find / keep over every language."""

    def __init__(
        self,
        *,
        products: ProductNames,
        judges: Judges,
        max_wrong_share: Callable[[Language], float],
        dimension: int,
    ) -> None:
        """`judges` gives the judgement of a space and language."""
        self._judges, self._max_wrong_share = judges, max_wrong_share
        self._dimensions = {MODEL: dimension}
        self._kept: list[Kept] = []
        self._keys: list[tuple[Language, str]] = []
        self._exact: dict[tuple[Language, str], int] = {}
        self._shelves: dict[tuple[Language, str], Shelf] = {}
        self._products = products
        self._stated = lru_cache(STATED_KEPT)(partial(stated, products=products))

    def __len__(self) -> int:
        return len(self._kept)

    def copy(self) -> ReplayCache:
        """A cache that holds the same and goes its own way from here."""
        made = ReplayCache(
            products=self._products,
            judges=self._judges,
            max_wrong_share=self._max_wrong_share,
            dimension=self._dimensions[MODEL],
        )
        for kept in self._kept:
            made.keep(kept)
        return made

    def keep(self, new: Kept) -> None:
        """Store a wording; the same words again lead to the newer answer."""
        place, key = len(self._kept), (new.language, key_of(new.text))
        self._kept.append(new)
        self._keys.append(key)
        self._exact[key] = place
        sight = _sight(new.text, new.language, new.vector)
        if sight is not None:
            self._shelf(new.language, sight).add(
                place, answer_id=new.answer_id, text=new.text, vector=sight.vector
            )

    def find(self, text: str, *, language: Language, vector: Vector | None, at: datetime) -> Found:
        """By the same words, else by meaning."""
        place = self._exact.get((language, key_of(text)))
        if place is not None and self._serves(place, at):
            return Found("exact", "the same wording was answered before", self._answer(place))
        sight = _sight(text, language, vector)
        if sight is None:
            return Found("miss", "no vector: the exact tier alone decides")
        decision = self._decided(text, language, sight, at)
        if decision.hit is not None:
            return Found("semantic", decision.reason, decision.hit.entry)
        options = tuple(option.entry for option in decision.options)
        return Found("miss", decision.reason, options=options)

    def holds(self, answer_id: int | None, *, at: datetime) -> bool:
        """Whether any wording leads to this answer and it may be served."""
        return any(kept.answer_id == answer_id and _lives(kept, at) for kept in self._kept)

    def _decided(self, text: str, language: Language, sight: Sight, at: datetime) -> Decision[int]:
        shelf = self._shelf(language, sight)
        near = [item for item in shelf.near(sight.vector) if self._serves(item.wording_id, at)]
        forbids = partial(self._vetoes, self._stated(text))
        words = words_of(text)
        return decide(
            weigh(near, words, sight.vector, facts=shelf.facts, vetoes_for=forbids),
            words,
            judgement=self._judges(sight.space, language),
            candidate_of=_candidate,
            vetoes_for=forbids,
            option_min_cosine=OPTION_MIN_COSINES[sight.space],
            max_wrong_share=self._max_wrong_share(language),
        )

    def _vetoes(self, question: Stated, place: int) -> Vetoes:
        return conflicts(question, self._stated(self._kept[place].text))

    def _shelf(self, language: Language, sight: Sight) -> Shelf:
        dimension = self._dimensions.get(sight.space, DIMENSION)
        key = (language, sight.space)
        if key not in self._shelves:
            self._shelves[key] = Shelf(dimension)
        return self._shelves[key]

    def _answer(self, place: int) -> int:
        return self._kept[place].answer_id

    def _serves(self, place: int, at: datetime) -> bool:
        """Of the same words only the newest wording counts."""
        return self._exact[self._keys[place]] == place and _lives(self._kept[place], at)


def _lives(kept: Kept, at: datetime) -> bool:
    return kept.until is None or at < kept.until


def _sight(text: str, language: Language, vector: Vector | None) -> Sight | None:
    if vector is not None:
        return Sight(MODEL, vector)
    return chinese_sight(text) if language == "zh-hans" else None


def _candidate(item: Neighbour) -> Candidate[int]:
    return Candidate(entry=item.answer_id, text=item.text, cosine=item.cosine)
