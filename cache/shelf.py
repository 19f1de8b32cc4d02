"""The wordings of one partition in one vector space: the index, and what is known of every answer.

A shelf keeps what `evidence.py` reads: the vectors, each wording's words, each answer's standing and
the lexicon. Not thread-safe: one thread owns it, like the index inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cache.evidence import VOTERS, Neighbour, Standing
from cache.index import VectorIndex
from cache.lexicon import Lexicon, Words, words_of

WIDENING = 8
Vector = NDArray[np.float32]


@dataclass(slots=True)
class _Placed:
    answer_id: int
    words: Words
    vector: Vector
    weight: float


class Shelf:
    """add / remove / near. Vectors are unit float32 of shape (dimension,)."""

    def __init__(self, dimension: int) -> None:
        self._index = VectorIndex(dimension)
        self._placed: dict[int, _Placed] = {}
        self.standings: dict[int, Standing] = {}
        self.lexicon = Lexicon()
        self._weighed_at = 0

    def __len__(self) -> int:
        return len(self._placed)

    def add(self, wording_id: int, *, answer_id: int, text: str, vector: Vector) -> None:
        """Put a wording in, or move it to another answer. Raises ValueError for another dimension."""
        self._index.add(wording_id, vector)
        self._forget(wording_id)
        words = words_of(text)
        placed = _Placed(
            answer_id=answer_id, words=words, vector=vector, weight=self.lexicon.weigh(words.units)
        )
        self._placed[wording_id] = placed
        standing = self.standings.get(answer_id)
        if standing is None:
            standing = self.standings[answer_id] = Standing(total=np.zeros_like(vector))
        standing.add(vector, words)
        self.lexicon.add(words.units)
        self._weigh_anew()

    def remove(self, wording_id: int) -> None:
        """Take a wording away; one that is not here is nothing to do."""
        self._index.remove(wording_id)
        self._forget(wording_id)

    def near(
        self, vector: Vector, *, serves: Callable[[int], bool], count: int = VOTERS
    ) -> list[Neighbour]:
        """The nearest wordings that `serves` allows, best first; at most `count`.

        The search widens until enough are allowed: outdated neighbours hide none behind them.
        """
        wanted = count
        while True:
            found = self._index.search(vector, count=wanted)
            near = [
                self._neighbour(wording_id, cosine)
                for wording_id, cosine in found
                if serves(wording_id)
            ]
            if len(near) >= count or len(found) < wanted:
                return near[:count]
            wanted *= WIDENING

    def _neighbour(self, wording_id: int, cosine: float) -> Neighbour:
        placed = self._placed[wording_id]
        return Neighbour(wording_id, placed.answer_id, placed.words, placed.weight, cosine)

    def _weigh_anew(self) -> None:
        """What a wording weighs changes slowly: all are weighed again whenever their number has doubled."""
        if len(self.lexicon) >= 2 * self._weighed_at:
            self._weighed_at = len(self.lexicon)
            for placed in self._placed.values():
                placed.weight = self.lexicon.weigh(placed.words.units)

    def _forget(self, wording_id: int) -> None:
        placed = self._placed.pop(wording_id, None)
        if placed is None:
            return
        standing = self.standings[placed.answer_id]
        standing.remove(placed.vector, placed.words)
        if not standing.count:
            del self.standings[placed.answer_id]
        self.lexicon.remove(placed.words.units)


def without(neighbours: Sequence[Neighbour], answer_ids: set[int]) -> list[Neighbour]:
    """The neighbours that lead to none of these answers."""
    return [item for item in neighbours if item.answer_id not in answer_ids]
