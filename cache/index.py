"""Exact nearest neighbours by cosine: a dense table of unit vectors, searched by FAISS. Pure.

Vectors are unit float32 of shape (dimension,); the inner product of unit vectors is their cosine, and
this is the only place where FAISS's number becomes one. The table has no holes: the last vector moves
into the slot of a removed one, so adding and removing take the same time whatever the size (adding
copies the table when it is full and doubles it), and a search never meets what was removed. Not
thread-safe: one thread owns an index (`cache.store` keeps that thread).
"""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

FIRST_CAPACITY = 256

Vector = NDArray[np.float32]


def use_one_thread() -> None:
    """Hold FAISS to one thread, for the thread that calls: OpenMP keeps this number per thread."""
    faiss.omp_set_num_threads(1)


use_one_thread()


class VectorIndex:
    """add / remove / search over integer ids."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._table = np.zeros((FIRST_CAPACITY, dimension), dtype=np.float32)
        self._ids: list[int] = []
        self._slot_of_id: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: int) -> bool:
        return item_id in self._slot_of_id

    @property
    def bytes_held(self) -> int:
        """Memory of the table."""
        return self._table.nbytes

    def add(self, item_id: int, vector: Vector) -> None:
        """Insert or replace one vector. Raises ValueError for another dimension."""
        if vector.shape != (self._dimension,):
            message = f"expected a vector of shape ({self._dimension},), got {vector.shape}"
            raise ValueError(message)
        slot = self._slot_of_id.get(item_id)
        if slot is None:
            slot = len(self._ids)
            self._make_room(slot + 1)
            self._ids.append(item_id)
            self._slot_of_id[item_id] = slot
        self._table[slot] = vector

    def add_all(self, ids: Sequence[int], parts: Sequence[NDArray[np.float32]]) -> None:
        """Insert many at once into an empty index; the rows of `parts`, in order, are those of `ids`.

        Raises ValueError when the numbers of rows or the dimension do not fit.
        """
        rows = sum(len(part) for part in parts)
        fits = rows == len(ids) and all(part.shape[1:] == (self._dimension,) for part in parts)
        if self._ids or not fits:
            message = f"expected an empty index and {len(ids)} vectors of {self._dimension} numbers"
            raise ValueError(message)
        self._make_room(rows)
        start = 0
        for part in parts:
            self._table[start : start + len(part)] = part
            start += len(part)
        self._ids = list(ids)
        self._slot_of_id = {item_id: slot for slot, item_id in enumerate(self._ids)}

    def remove(self, item_id: int) -> bool:
        """Forget one id; says whether it was there. The vector of `last_id` takes its slot."""
        slot = self._slot_of_id.pop(item_id, None)
        if slot is None:
            return False
        last_id = self._ids.pop()
        if slot < len(self._ids):
            self._ids[slot] = last_id
            self._slot_of_id[last_id] = slot
            self._table[slot] = self._table[len(self._ids)]
        return True

    @property
    def last_id(self) -> int | None:
        """The id in the last slot."""
        return self._ids[-1] if self._ids else None

    @property
    def ids(self) -> Sequence[int]:
        """The ids held, by slot; not to be changed."""
        return self._ids

    def search(self, vector: Vector, *, count: int) -> list[tuple[int, float]]:
        """The `count` nearest (id, cosine), best first; fewer when the index holds fewer."""
        wanted = min(count, len(self._ids))
        if wanted == 0:
            return []
        cosines, slots = faiss.knn(
            vector.reshape(1, -1),
            self._table[: len(self._ids)],
            wanted,
            metric=faiss.METRIC_INNER_PRODUCT,
        )
        return [
            (self._ids[slot], float(cosine))
            for slot, cosine in zip(slots[0], cosines[0], strict=True)
        ]

    def vector(self, item_id: int) -> Vector:
        """A copy of one vector. Raises KeyError for an id that is not held."""
        row: Vector = self._table[self._slot_of_id[item_id]].copy()
        return row

    def cosines(self, vector: Vector, ids: Sequence[int]) -> list[tuple[int, float]]:
        """The exact cosine of each of `ids` that is held."""
        held = [item_id for item_id in ids if item_id in self._slot_of_id]
        rows = self._table[[self._slot_of_id[item_id] for item_id in held]]
        return list(zip(held, (rows @ vector).tolist(), strict=True))

    def rows(self, start: int, stop: int) -> tuple[list[int], NDArray[np.float32]]:
        """Copies of the ids and vectors in slots `start` to `stop`."""
        stop = min(stop, len(self._ids))
        return self._ids[start:stop], self._table[start:stop].copy()

    def sample(self, count: int) -> NDArray[np.float32]:
        """Copies of at most `count` vectors, evenly spread over the slots."""
        step = max(1, -(-len(self._ids) // count))
        return self._table[: len(self._ids) : step].copy()

    def _make_room(self, count: int) -> None:
        capacity = len(self._table)
        if count <= capacity:
            return
        while capacity < count:
            capacity *= 2
        table = np.zeros((capacity, self._dimension), dtype=np.float32)
        table[: len(self._ids)] = self._table[: len(self._ids)]
        self._table = table
