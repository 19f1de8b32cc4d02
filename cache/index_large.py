"""An index that is exact while it is small, and fast when it has grown large.

Up to LARGE_FROM vectors a search compares with every one (`VectorIndex`). Above, an inverted file with
8-bit codes (FAISS `IVF,SQ8`) names candidates, and a small exact index (the delta) holds what was added
since that file was built. Candidates are scored again with the full vectors, so the cosine that is
reported is exact; given up is that a neighbour in a cell that was not looked into is missed (recall of
the 8 nearest at least 0.99 on clustered vectors, see docs/embedding-and-index.md). A removed id is gone
from the next search on.

The file is built on a thread of its own while searches go on, and adopted in one step on the thread that
owns the index. The builder never touches the index: it asks the owner for copies, part by part. What was
added, replaced, removed or moved to another slot meanwhile is noted and set right at the adoption.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from cache.index import Vector, VectorIndex, use_one_thread

logger = logging.getLogger(__name__)
_untyped: Any = faiss
_BY_HASH = _untyped.DirectMap.Hashtable  # where each id is: removing does not search for it
LARGE_FROM = 20_000
# Cells looked into: at least so many, and one in so many of a large file.
MIN_PROBES, CELLS_PER_PROBE = 32, 32
# 8-bit codes order neighbours roughly: so many times more candidates are scored exactly.
OVERSAMPLED = 4
ROWS_AT_ONCE = 4_096
RETRY_PART = 10
_ROUNDS, _POINTS_PER_CELL = 6, 32
_CELLS_PER_ROOT, _MOST_CELLS = 4, 4_096
_DELTA, _DELTA_PART = 4_000, 200


class Owner(Protocol):
    """The one thread that may touch the index: an executor with one worker."""

    def submit(self, work: Callable[[], Any], /) -> Future[Any]:
        """Run `work` on the thread."""


class CoarseIndex:
    """The inverted file: candidates only, no exact cosines."""

    def __init__(self, file: Any) -> None:
        self._file = file
        file.nprobe = max(MIN_PROBES, file.nlist // CELLS_PER_PROBE)

    @classmethod
    def trained(cls, sample: NDArray[np.float32], *, expected: int) -> CoarseIndex:
        """An empty file whose cells are laid out for `expected` vectors like those of `sample`."""
        cells = max(1, min(_cells_for(expected), len(sample) // 8))
        file: Any = faiss.index_factory(
            sample.shape[1], f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT
        )
        file.cp.niter = _ROUNDS
        file.cp.max_points_per_centroid = _POINTS_PER_CELL
        file.cp.min_points_per_centroid = 1
        file.train(sample)
        file.set_direct_map_type(_BY_HASH)
        return cls(file)

    @classmethod
    def read(cls, content: NDArray[np.uint8]) -> CoarseIndex:
        """The file that `written` gave."""
        return cls(faiss.deserialize_index(content))

    def written(self) -> NDArray[np.uint8]:
        """The file as bytes."""
        return np.asarray(faiss.serialize_index(self._file), dtype=np.uint8)

    def __len__(self) -> int:
        return int(self._file.ntotal)

    def add_all(self, ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Add vectors of ids that are not in the file."""
        self._file.add_with_ids(vectors, np.asarray(ids, dtype=np.int64))

    def remove_all(self, ids: Iterable[int]) -> None:
        """Forget those of `ids` that are in the file; the cost does not depend on its size."""
        self._file.remove_ids(np.fromiter(ids, dtype=np.int64))

    def candidates(self, vector: Vector, *, count: int) -> list[int]:
        """About the `count` nearest ids."""
        _, found = self._file.search(vector.reshape(1, -1), count)
        return [int(item_id) for item_id in found[0] if item_id >= 0]

    def ids(self) -> set[int]:
        """Every id in the file."""
        lists = self._file.invlists
        found: set[int] = set()
        for cell in range(self._file.nlist):
            size = lists.list_size(cell)
            if size:
                found.update(faiss.rev_swig_ptr(lists.get_ids(cell), size).tolist())
        return found


class LargeIndex:
    """add / remove / search over integer ids; one thread (the owner) calls all of them."""

    def __init__(
        self,
        dimension: int,
        *,
        owner: Owner | None = None,
        large_from: int = LARGE_FROM,
        adopted: Callable[[], None] = lambda: None,
    ) -> None:
        """`owner` is needed to build in the background; `adopted` is called after a build."""
        self._dimension = dimension
        self._all = VectorIndex(dimension)
        self._coarse: CoarseIndex | None = None
        self._delta = VectorIndex(dimension)
        self._owner = owner
        self._large_from = large_from
        self._adopted = adopted
        self._touched: set[int] | None = None  # a set while a build runs

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_large(self) -> bool:
        """Whether searches go through the inverted file."""
        return self._coarse is not None

    @property
    def builds(self) -> bool:
        """Whether a build is running."""
        return self._touched is not None

    @property
    def flat(self) -> VectorIndex:
        """Every vector, exactly."""
        return self._all

    def add(self, item_id: int, vector: Vector) -> None:
        """Insert or replace one vector. Raises ValueError for another dimension."""
        replaced = item_id in self._all
        self._all.add(item_id, vector)
        if self._coarse is not None:
            if replaced:
                self._coarse.remove_all([item_id])
            self._delta.add(item_id, vector)
        self._touch(item_id)
        self.build_if_due()

    def fill(self, ids: Sequence[int], parts: Sequence[NDArray[np.float32]]) -> None:
        """Insert many into an empty index; `build_if_due` is the caller's, perhaps after `restore`."""
        self._all.add_all(ids, parts)

    def remove(self, item_id: int) -> bool:
        """Forget one id; says whether it was there."""
        moved = self._all.last_id
        if not self._all.remove(item_id):
            return False
        if self._coarse is not None and not self._delta.remove(item_id):
            self._coarse.remove_all([item_id])
        self._touch(item_id)
        if moved is not None:
            self._touch(moved)
        return True

    def search(self, vector: Vector, *, count: int) -> list[tuple[int, float]]:
        """The `count` nearest (id, cosine), best first; above LARGE_FROM some may be missed."""
        if self._coarse is None:
            return self._all.search(vector, count=count)
        named = self._coarse.candidates(vector, count=count * OVERSAMPLED)
        recent = [item_id for item_id, _ in self._delta.search(vector, count=count)]
        scored = self._all.cosines(vector, list(dict.fromkeys([*recent, *named])))
        return sorted(scored, key=lambda item: -item[1])[:count]

    def adopt(self, coarse: CoarseIndex) -> None:
        """Search by `coarse` from now on; ids that it lacks go to the delta, stale ones out of it."""
        touched = self._touched or set()
        coarse.remove_all(touched)
        self._delta = VectorIndex(self._dimension)
        for item_id in touched:
            self._into_delta(item_id)
        self._coarse, self._touched = coarse, None
        self._adopted()
        self.build_if_due()

    def restore(self, coarse: CoarseIndex, *, replaced: Collection[int] = ()) -> None:
        """Adopt a file that was kept: what it holds beyond this index goes, what it lacks is delta.

        `replaced` are ids whose vectors may be others than those in the file.
        """
        held, kept = set(self._all.ids), coarse.ids()
        stale = kept.intersection(replaced) | (kept - held)
        coarse.remove_all(stale)
        for item_id in held - (kept - stale):
            self._into_delta(item_id)
        self._coarse = coarse

    def written_coarse(self) -> NDArray[np.uint8] | None:
        """The inverted file as bytes, or None while the index is small."""
        return None if self._coarse is None else self._coarse.written()

    def build_if_due(self) -> None:
        """Begin a build when the index has become large, or its delta long."""
        if self._owner is None or self._touched is not None or len(self._all) < self._large_from:
            return
        longest = min(_DELTA, self._large_from) + len(self._all) // _DELTA_PART
        if self._coarse is None or len(self._delta) > longest:
            self._touched = set()
            builder = threading.Thread(
                target=self._build, args=(self._owner,), name="index-build", daemon=True
            )
            builder.start()

    def _touch(self, item_id: int) -> None:
        if self._touched is not None:
            self._touched.add(item_id)

    def _into_delta(self, item_id: int) -> None:
        if item_id in self._all:
            self._delta.add(item_id, self._all.vector(item_id))

    def _build(self, owner: Owner) -> None:
        use_one_thread()
        try:
            coarse = self._built(owner)
            owner.submit(lambda: self.adopt(coarse)).result()
        except (RuntimeError, MemoryError, CancelledError) as error:
            # FAISS's own, or the owner has ended. Searches go on as before.
            logger.warning("the large index was not built: %s", error)
            with suppress(RuntimeError, CancelledError):
                owner.submit(self._give_up).result()

    def _give_up(self) -> None:
        """Try again when the index has grown by a tenth, and not with the next change."""
        self._touched = None
        self._large_from = len(self._all) + len(self._all) // RETRY_PART

    def _built(self, owner: Owner) -> CoarseIndex:
        expected: int = owner.submit(lambda: len(self._all)).result()
        wanted = _cells_for(expected) * _POINTS_PER_CELL
        sample = owner.submit(lambda: self._all.sample(wanted)).result()
        coarse = CoarseIndex.trained(sample, expected=expected)
        for ids, vectors in copied(self._all, owner=owner):
            coarse.add_all(ids, vectors)
        return coarse


def _cells_for(count: int) -> int:
    return min(_CELLS_PER_ROOT * math.isqrt(count), _MOST_CELLS)


def copied(index: VectorIndex, *, owner: Owner) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """The index in parts, each copied on the owner's thread.

    A vector that moves between two parts may be missing and none comes twice, since vectors only ever
    move from the last slot to an earlier one.
    """
    start = 0
    while True:
        ids, vectors = owner.submit(partial(index.rows, start, start + ROWS_AT_ONCE)).result()
        if not ids:
            return
        yield ids, vectors
        start += ROWS_AT_ONCE
