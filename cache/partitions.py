"""One vector index per partition, all owned by one search thread, and their snapshot on disk.

Methods may be called from the event loop or, the blocking ones, from another thread; the indexes
themselves are touched on the search thread only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cache.index import use_one_thread
from cache.index_large import LARGE_FROM, CoarseIndex, LargeIndex, copied
from cache.snapshots import Part, SnapshotFile, Stand, coarse_block, rows_block

logger = logging.getLogger(__name__)
T = TypeVar("T")
Vector = NDArray[np.float32]


class Partitions:
    """add / remove / search by partition and wording id."""

    def __init__(self, dimension: int, *, large_from: int = LARGE_FROM) -> None:
        self._dimension = dimension
        self._large_from = large_from
        self._indexes: dict[str, LargeIndex] = {}
        self._thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="search", initializer=use_one_thread
        )
        self.built = False  # a large index was built since the last snapshot

    def stop(self) -> None:
        """End the search thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def search(
        self, partition: str, vector: Vector, *, count: int
    ) -> list[tuple[int, float]]:
        """The `count` nearest (wording id, cosine) of a partition, best first."""
        return await self._run(partial(self._search, partition, vector, count))

    async def add(self, partition: str, wording_id: int, vector: Vector) -> None:
        """Insert or replace one vector."""
        await self._run(lambda: self._index(partition).add(wording_id, vector))

    async def remove(self, partition: str, wording_id: int) -> None:
        """Forget one wording."""
        await self._run(partial(self._remove, partition, wording_id))

    async def fill(
        self, rows: Mapping[str, Mapping[int, Vector]], parts: Mapping[str, Part]
    ) -> None:
        """Fill the empty indexes of a start with a snapshot's parts and the `rows` that they lack."""
        for partition in {*rows, *parts}:
            part, own = parts.get(partition, Part()), rows.get(partition, {})
            await self._run(partial(self._fill, partition, part, own))

    def blocks(self) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """What a snapshot holds. Blocking, for another thread than the search thread."""
        self.built = False
        for partition, index in list(self._indexes.items()):
            for ids, vectors in copied(index.flat, owner=self._thread):
                yield rows_block(partition, ids, vectors)
            coarse = self._thread.submit(index.written_coarse).result()
            if coarse is not None:
                yield coarse_block(partition, coarse)

    def held(self) -> Iterator[tuple[str, int, Vector]]:
        """Every (partition, wording id, vector). Blocking, for another thread than the search thread."""
        for partition, index in list(self._indexes.items()):
            for ids, vectors in copied(index.flat, owner=self._thread):
                yield from ((partition, key, row) for key, row in zip(ids, vectors, strict=True))

    def write(self, file: SnapshotFile, stand: Stand) -> bool:
        """Write the snapshot; False when that failed, with a line in the log. Blocking."""
        try:
            file.write(stand, self.blocks())
        except (
            OSError,
            RuntimeError,
            CancelledError,
        ) as error:  # no room, or the search thread has ended
            logger.warning("the snapshot of the vectors was not written: %s", error)
            return False
        return True

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _index(self, partition: str) -> LargeIndex:
        if partition not in self._indexes:
            self._indexes[partition] = LargeIndex(
                self._dimension,
                owner=self._thread,
                large_from=self._large_from,
                adopted=self._note_build,
            )
        return self._indexes[partition]

    def _note_build(self) -> None:
        self.built = True

    def _search(self, partition: str, vector: Vector, count: int) -> list[tuple[int, float]]:
        index = self._indexes.get(partition)
        return index.search(vector, count=count) if index is not None else []

    def _remove(self, partition: str, wording_id: int) -> None:
        index = self._indexes.get(partition)
        if index is not None:
            index.remove(wording_id)

    def _fill(self, partition: str, part: Part, rows: Mapping[int, Vector]) -> None:
        if not part.ids and not rows:
            return
        index = self._index(partition)
        lacking = np.array(list(rows.values()), dtype=np.float32).reshape(-1, self._dimension)
        index.fill([*part.ids, *rows], [*part.vectors, lacking])
        if part.coarse is not None:
            self._restore(index, part.coarse, replaced=rows)
        index.build_if_due()

    def _restore(
        self, index: LargeIndex, content: NDArray[np.uint8], *, replaced: Collection[int]
    ) -> None:
        try:
            index.restore(CoarseIndex.read(content), replaced=replaced)
        except RuntimeError as error:  # another version of FAISS wrote it
            logger.warning("a kept inverted file cannot be read and is built anew: %s", error)
