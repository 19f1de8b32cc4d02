"""The vectors of this process's replica: indexes per partition, filled at start and kept on disk.

A start takes the snapshot and, from the rows, what changed after it or is missing in it; without a usable
snapshot everything comes from the rows. A snapshot is written beside the work, when many changes have come
since the last one or a large index was built; a small cache needs none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.reader import Reader
from cache.partitions import Partitions
from cache.snapshots import Part, SnapshotFile
from cache.vector_rows import stand_of, usable_parts, vectors_of

logger = logging.getLogger(__name__)
KEEP_AFTER_CHANGES = 2_000
Vector = NDArray[np.float32]
Rows = dict[str, dict[int, Vector]]


class ReplicaVectors:
    """Vectors of one engine by partition and wording id."""

    def __init__(
        self, *, reader: Reader, engine_id: str, dimension: int, folder: Path | None = None
    ) -> None:
        self._reader = reader
        self._engine_id = engine_id
        self.partitions = self._partitions = Partitions(dimension)
        self.add = self._partitions.add
        self.remove = self._partitions.remove
        self.search = self._partitions.search
        self._file = (
            None
            if folder is None
            else SnapshotFile(folder, engine_id=engine_id, dimension=dimension)
        )
        self._kept_seq = 0
        self._keeping: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """End the search thread; a snapshot that is being written is given up."""
        self._partitions.stop()

    async def load(self, partition_of: dict[int, str]) -> None:
        """Fill the empty indexes; `partition_of` has every served wording."""
        parts, rows = await self._reader.run(partial(self._read, partition_of))
        await self._partitions.fill(rows, parts)

    def held(self) -> Iterator[tuple[str, int, Vector]]:
        """Every (partition, wording id, vector). Blocking, for another thread than the search thread."""
        return self._partitions.held()

    async def keep_if_due(self, seq: int) -> None:
        """Begin to write a snapshot that stands for change `seq`, when it is worth it."""
        due = self._partitions.built or seq - self._kept_seq >= KEEP_AFTER_CHANGES
        if self._file and due and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.create_task(self.keep(seq), name="vector-snapshot")

    async def keep(self, seq: int) -> None:
        """Write a snapshot that stands for change `seq`."""
        if self._file is None:
            return
        stand = await self._reader.run(partial(stand_of, seq))
        if not stand.mark:
            return
        written = await asyncio.to_thread(self._partitions.write, self._file, stand)
        if written:
            self._kept_seq = seq

    def _read(self, partition_of: dict[int, str]) -> tuple[dict[str, Part], Rows]:
        snapshot = self._file.read() if self._file else None
        parts = usable_parts(snapshot, partition_of=partition_of)
        if snapshot is not None and parts:
            self._kept_seq = snapshot.stand.seq
        known = {item_id for part in parts.values() for item_id in part.ids}
        missing = [item_id for item_id in partition_of if item_id not in known]
        rows: Rows = {}
        for item_id, vector in vectors_of(missing, engine_id=self._engine_id).items():
            rows.setdefault(partition_of[item_id], {})[item_id] = vector
        return parts, rows
