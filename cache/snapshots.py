"""The vectors of a replica on disk, so that a start reads one file instead of a column of every row.

A snapshot is a cache of rows and never the truth. It names its engine and the `Change` that it stands for
(number, wording and time, so that a file of another or of a restored database is told apart), and
ends with a digest of every byte. A torn or foreign file counts as none. What was copied while vectors
moved may lack some: whoever reads it takes from the rows what is missing, and what changed after
that `Change`.

Layout: MAGIC, then records (length of the head, head as JSON, payloads in the order of its `sizes`), the
last of kind `end`, then the digest.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from base.ids import new_token

logger = logging.getLogger(__name__)
MAGIC = b"breakwater vectors 1\n"
_DIGEST_BYTES, _LENGTH_BYTES = 16, 4
_LONGEST_HEAD = 1 << 16
Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stand:
    """The `Change` up to which a snapshot has seen everything; `mark` tells it from one of another database."""

    seq: int
    mark: str


@dataclass(slots=True)
class Part:
    """One partition: ids, their vectors of shape (len(ids), dimension), and the inverted file if it had one."""

    ids: list[int] = field(default_factory=list)
    vectors: list[Matrix] = field(default_factory=list)
    coarse: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole file as read."""

    stand: Stand
    parts: dict[str, Part]


class SnapshotFile:
    """The snapshot of one engine in `folder`."""

    def __init__(self, folder: Path, *, engine_id: str, dimension: int) -> None:
        digest = hashlib.blake2b(engine_id.encode(), digest_size=6).hexdigest()
        self.path = folder / f"index-{digest}.snapshot"
        self._engine_id = engine_id
        self._dimension = dimension

    def read(self) -> Snapshot | None:
        """The kept snapshot, or None when there is none that can be used. Blocking."""
        try:
            with self.path.open("rb") as file:
                return self._read(_Reading(file))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, MemoryError) as error:
            logger.warning(
                "%s is not used (%s); vectors are read from the rows", self.path.name, error
            )
            return None

    def write(self, stand: Stand, blocks: Iterator[tuple[dict[str, Any], list[bytes]]]) -> None:
        """Write beside, sync, rename. `blocks` come from `rows_block` and `coarse_block`. Raises OSError."""
        beside = self.path.with_suffix(f".{new_token()}.tmp")
        try:
            with beside.open("wb") as file:
                writing = _Writing(file)
                writing.record({"kind": "stand", **self._own_head(stand)}, [])
                for head, payloads in blocks:
                    writing.record(head, payloads)
                writing.end()
            beside.replace(self.path)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()

    def _own_head(self, stand: Stand) -> dict[str, Any]:
        return {
            "engine_id": self._engine_id,
            "dimension": self._dimension,
            "seq": stand.seq,
            "mark": stand.mark,
        }

    def _read(self, reading: _Reading) -> Snapshot:
        head, _ = reading.record()
        stand = Stand(seq=int(head["seq"]), mark=str(head["mark"]))
        if head != {"kind": "stand", "sizes": [], **self._own_head(stand)}:
            message = "it belongs to another engine"
            raise ValueError(message)
        parts: dict[str, Part] = {}
        while True:
            head, payloads = reading.record()
            if head["kind"] == "end":
                reading.check_digest()
                return Snapshot(stand, parts)
            part = parts.setdefault(str(head["partition"]), Part())
            if head["kind"] == "coarse":
                part.coarse = np.frombuffer(payloads[0], dtype=np.uint8)
                continue
            ids = np.frombuffer(payloads[0], dtype=np.int64).tolist()
            rows = np.frombuffer(payloads[1], dtype=np.float32)
            part.vectors.append(rows.reshape(len(ids), self._dimension))
            part.ids += ids


def rows_block(
    partition: str, ids: list[int], vectors: Matrix
) -> tuple[dict[str, Any], list[bytes]]:
    """Some vectors of a partition, as `SnapshotFile.write` takes them."""
    payloads = [np.asarray(ids, dtype=np.int64).tobytes(), vectors.tobytes()]
    return {"kind": "rows", "partition": partition}, payloads


def coarse_block(partition: str, content: NDArray[np.uint8]) -> tuple[dict[str, Any], list[bytes]]:
    """The inverted file of a partition."""
    return {"kind": "coarse", "partition": partition}, [content.tobytes()]


class _Writing:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        self._put(MAGIC)

    def record(self, head: dict[str, Any], payloads: list[bytes]) -> None:
        told = json.dumps({**head, "sizes": [len(payload) for payload in payloads]}).encode()
        self._put(len(told).to_bytes(_LENGTH_BYTES, "little"))
        for content in (told, *payloads):
            self._put(content)

    def end(self) -> None:
        self.record({"kind": "end"}, [])
        self._file.write(self._digest.digest())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _put(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)


class _Reading:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left_bytes = os.fstat(file.fileno()).st_size
        self._digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        if self._take(len(MAGIC)) != MAGIC:
            message = "it is no snapshot of this version"
            raise ValueError(message)

    def record(self) -> tuple[dict[str, Any], list[bytes]]:
        length = int.from_bytes(self._take(_LENGTH_BYTES), "little")
        if length > _LONGEST_HEAD:
            message = "it is torn"
            raise ValueError(message)
        head: dict[str, Any] = json.loads(self._take(length))
        return head, [self._take(int(size)) for size in head["sizes"]]

    def check_digest(self) -> None:
        if self._file.read() != self._digest.digest():
            message = "it is torn"
            raise ValueError(message)

    def _take(self, size: int) -> bytes:
        self._left_bytes -= size
        content = self._file.read(size) if size >= 0 <= self._left_bytes else b""
        if len(content) != size:
            message = "it is torn"
            raise ValueError(message)
        self._digest.update(content)
        return content
