"""Vectors of wordings as rows: those of one engine, read in parts. Blocking; for the reader's threads.

A wording carries the vector of the engine that was active when it was stored; vectors that other engines
were given beside it (`cache_reembed`) are `WordingVector` rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cache.models import Change, Wording, WordingVector
from cache.snapshots import Part, Snapshot, Stand

logger = logging.getLogger(__name__)
IDS_AT_ONCE = 500  # a statement has as many parameters; SQLite may allow only 32,766
Vector = NDArray[np.float32]


def vectors_of(ids: Iterable[int], *, engine_id: str) -> dict[int, Vector]:
    """wording id -> the vector that `engine_id` made; wordings without one are left out."""
    found: dict[int, Vector] = {}
    for some in _in_parts(ids):
        beside = WordingVector.objects.filter(wording_id__in=some, engine_id=engine_id)
        own = Wording.objects.filter(id__in=some, engine_id=engine_id, vector__isnull=False)
        for rows in (beside.values_list("wording_id", "vector"), own.values_list("id", "vector")):
            found.update((key, np.frombuffer(raw or b"", dtype=np.float32)) for key, raw in rows)
    return found


def ids_lacking(*, engine_id: str) -> list[int]:
    """Wordings without a vector of `engine_id`, oldest first."""
    rows = Wording.objects.exclude(engine_id=engine_id, vector__isnull=False)
    return list(
        rows.exclude(vectors__engine_id=engine_id).order_by("id").values_list("id", flat=True)
    )


def stand_of(seq: int) -> Stand:
    """What a snapshot that has seen the change `seq` writes down; for 0 nothing was changed yet."""
    change = Change.objects.filter(seq=seq).first()
    mark = "" if change is None else f"{change.op} {change.wording_id} {change.at.isoformat()}"
    return Stand(seq=seq, mark=mark)


def usable_parts(snapshot: Snapshot | None, *, partition_of: dict[int, str]) -> dict[str, Part]:
    """What of a snapshot still holds: vectors of served wordings that have not changed since.

    Nothing of a snapshot whose change is not in this database.
    """
    if snapshot is None or not snapshot.stand.mark:
        return {}
    if stand_of(snapshot.stand.seq) != snapshot.stand:
        logger.warning("the snapshot of the vectors is of another database and is not used")
        return {}
    since = Change.objects.filter(seq__gt=snapshot.stand.seq)
    changed = set(since.values_list("wording_id", flat=True))
    return {
        partition: _narrowed(
            part,
            [
                item_id not in changed and partition_of.get(item_id) == partition
                for item_id in part.ids
            ],
        )
        for partition, part in snapshot.parts.items()
    }


def _narrowed(part: Part, stays: list[bool]) -> Part:
    if all(stays):
        return part
    ids = [item_id for item_id, wanted in zip(part.ids, stays, strict=True) if wanted]
    vectors, start = [], 0
    for rows in part.vectors:
        vectors.append(rows[np.array(stays[start : start + len(rows)], dtype=np.bool_)])
        start += len(rows)
    return Part(ids=ids, vectors=vectors, coarse=part.coarse)


def _in_parts(ids: Iterable[int]) -> Iterator[Collection[int]]:
    remaining = iter(ids)
    while some := list(islice(remaining, IDS_AT_ONCE)):
        yield some
