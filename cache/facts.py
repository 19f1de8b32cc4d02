"""What is known of the wordings of one partition and of the answers that they lead to.

Counted are at most `most` wordings, the first that came: of those the vectors are kept (half precision), each
answer's standing and the lexicon. Later ones are found by the index and can be served, but add nothing to
the statistics. Not thread-safe; the event loop's thread owns it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cache.evidence import Neighbour, Standing
from cache.lexicon import Lexicon, words_of

MOST_COUNTED = 200_000
Vector = NDArray[np.float32]


@dataclass(slots=True)
class _Placed:
    answer_id: int
    text: str
    weight: float
    vector: NDArray[np.float16] | None


class Facts:
    """add / remove / neighbours. Vectors are unit float32 of one dimension."""

    def __init__(self, *, most: int = MOST_COUNTED) -> None:
        self._most = most
        self._placed: dict[int, _Placed] = {}
        self._weighed_at = 0
        self.standings: dict[int, Standing] = {}
        self.lexicon = Lexicon()

    def __len__(self) -> int:
        return len(self._placed)

    def add(self, wording_id: int, *, answer_id: int, text: str, vector: Vector) -> None:
        """A wording is stored, or leads to another answer now."""
        self.remove(wording_id)
        units = words_of(text).units
        counted = len(self.lexicon) < self._most
        self._placed[wording_id] = _Placed(
            answer_id=answer_id,
            text=text,
            weight=self.lexicon.weigh(units),
            vector=vector.astype(np.float16) if counted else None,
        )
        standing = self.standings.get(answer_id)
        if standing is None:
            standing = self.standings[answer_id] = Standing(total=np.zeros_like(vector))
        standing.members += 1
        if counted:
            standing.add(_full(self._placed[wording_id]), units)
            self.lexicon.add(units)
            self._weigh_anew()

    def remove(self, wording_id: int) -> None:
        """A wording is gone; one that is not here is nothing to do."""
        placed = self._placed.pop(wording_id, None)
        if placed is None:
            return
        standing = self.standings[placed.answer_id]
        standing.members -= 1
        if placed.vector is not None:
            units = words_of(placed.text).units
            standing.remove(_full(placed), units)
            self.lexicon.remove(units)
        if not standing.members:
            del self.standings[placed.answer_id]

    def neighbours(self, found: Iterable[tuple[int, float]]) -> list[Neighbour]:
        """What is known of found (wording id, cosine), in the order given; unknown ids are left out."""
        near: list[Neighbour] = []
        for wording_id, cosine in found:
            placed = self._placed.get(wording_id)
            if placed is not None:
                near.append(
                    Neighbour(wording_id, placed.answer_id, placed.text, placed.weight, cosine)
                )
        return near

    def _weigh_anew(self) -> None:
        """What a wording weighs changes slowly: all are weighed again whenever their number has doubled."""
        if len(self.lexicon) >= 2 * self._weighed_at:
            self._weighed_at = len(self.lexicon)
            for placed in self._placed.values():
                placed.weight = self.lexicon.weigh(words_of(placed.text).units)


def _full(placed: _Placed) -> Vector:
    """The vector as it counts: what is taken away is what was added."""
    if placed.vector is None:
        message = "a wording that is not counted has no vector"
        raise ValueError(message)
    return placed.vector.astype(np.float32)
