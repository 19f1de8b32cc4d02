"""Exact nearest neighbours by cosine: a flat FAISS index with reusable slots.

Vectors are unit float32 of shape (dimension,); the inner product of unit vectors is their cosine, and
this is the only place where FAISS's number becomes one. A removed slot holds zeros (cosine 0) until
it is used again. Not thread-safe: one thread owns an index (`cache.store` keeps that thread).
"""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

faiss.omp_set_num_threads(1)


class VectorIndex:
    """add / remove / search over integer ids."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexFlatIP(dimension)
        self._dimension = dimension
        self._id_of_slot: list[int | None] = []
        self._slot_of_id: dict[int, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._slot_of_id)

    def add(self, item_id: int, vector: NDArray[np.float32]) -> None:
        """Insert or replace one vector. Raises ValueError for another dimension."""
        if vector.shape != (self._dimension,):
            message = f"expected a vector of shape ({self._dimension},), got {vector.shape}"
            raise ValueError(message)
        slot = self._slot_of_id.get(item_id)
        if slot is None and self._free:
            slot = self._free.pop()
        if slot is None:
            self._index.add(vector.reshape(1, -1))
            self._id_of_slot.append(item_id)
            slot = len(self._id_of_slot) - 1
        else:
            self._write(slot, vector)
            self._id_of_slot[slot] = item_id
        self._slot_of_id[item_id] = slot

    def remove(self, item_id: int) -> bool:
        """Forget one id; says whether it was there."""
        slot = self._slot_of_id.pop(item_id, None)
        if slot is None:
            return False
        self._write(slot, np.zeros(self._dimension, dtype=np.float32))
        self._id_of_slot[slot] = None
        self._free.append(slot)
        return True

    def search(self, vector: NDArray[np.float32], *, count: int) -> list[tuple[int, float]]:
        """The `count` nearest (id, cosine), best first; fewer when the index holds fewer."""
        wanted = min(count + len(self._free), len(self._id_of_slot))
        if wanted == 0:
            return []
        cosines, slots = self._index.search(vector.reshape(1, -1), wanted)
        found = (
            (self._id_of_slot[slot], float(cosine))
            for slot, cosine in zip(slots[0], cosines[0], strict=True)
        )
        return [(item_id, cosine) for item_id, cosine in found if item_id is not None][:count]

    def _write(self, slot: int, vector: NDArray[np.float32]) -> None:
        rows = faiss.rev_swig_ptr(self._index.get_xb(), self._index.ntotal * self._dimension)
        rows[slot * self._dimension : (slot + 1) * self._dimension] = vector
