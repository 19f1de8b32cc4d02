"""An index with what is known of its wordings, in one thread: for fitting and measuring.

The running server keeps the two apart (`spaces.py`): there the index has a thread of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cache.evidence import VOTERS, Neighbour
from cache.facts import Facts
from cache.index import VectorIndex

Vector = NDArray[np.float32]


class Shelf:
    """add / near. Vectors are unit float32 of shape (dimension,)."""

    def __init__(self, dimension: int) -> None:
        self._index = VectorIndex(dimension)
        self.facts = Facts()

    def __len__(self) -> int:
        return len(self._index)

    def add(self, wording_id: int, *, answer_id: int, text: str, vector: Vector) -> None:
        """Put a wording in. Raises ValueError for another dimension."""
        self._index.add(wording_id, vector)
        self.facts.add(wording_id, answer_id=answer_id, text=text, vector=vector)

    def near(self, vector: Vector, *, count: int = VOTERS) -> list[Neighbour]:
        """The nearest wordings, best first."""
        return self.facts.neighbours(self._index.search(vector, count=count))
