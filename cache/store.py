"""The stored answers of this process: an exact map and one vector index per partition.

Rows are the truth; memory is a replica that follows `Change` rows (`follow`). An entry whose
article versions are not the current ones, or whose time is over, is never served: the caller passes
`is_current`, compared at every look-up, so an edit takes effect at once and not at the next sweep.
One search thread owns the indexes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from base.counters import take
from base.reader import Reader
from base.writer import Writer
from cache.decision import NEIGHBOURS, Candidate
from cache.index import VectorIndex
from cache.models import Answer, Change, Source, Wording

CHANGE_COUNTER = "cache.change"
WIDENING = 8
ROWS_AT_ONCE = 2_000  # one prefetch has as many parameters; SQLite may allow only 32,766
SourceKey = tuple[str, str, int]
T = TypeVar("T")
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """One wording with its answer, as served. `sources` are (article key, locale, version)."""

    wording_id: int
    answer_id: int
    partition: str
    key: str
    wording: str
    text: str
    origin: str
    model: str
    tier: str
    checked_at: datetime
    expires_at: datetime | None
    cost_nanousd: int
    sources: tuple[SourceKey, ...]


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What is to be stored: an answer and the wording that led to it."""

    partition: str
    key: str
    wording: str
    vector: Vector | None
    text: str
    origin: str
    model: str
    prompt_version: str
    tier: str
    asker_shopper_id: int | None
    life: timedelta | None
    cost_nanousd: int
    sources: tuple[SourceKey, ...]
    simulated: bool


class Store:
    """Look-ups and storing back. All methods except the searches run on the event loop's thread."""

    def __init__(
        self,
        *,
        writer: Writer,
        reader: Reader,
        engine_id: str,
        dimension: int,
        now: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._engine_id = engine_id
        self._dimension = dimension
        self._now = now
        self._by_key: dict[tuple[str, str], Entry] = {}
        self._by_id: dict[int, Entry] = {}
        self._indexes: dict[str, VectorIndex] = {}
        self._search_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search")
        self._seen_seq = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def stop(self) -> None:
        """End the search thread."""
        self._search_thread.shutdown(wait=True)

    def exact(
        self, partition: str, key: str, *, is_current: Callable[[Entry], bool]
    ) -> Entry | None:
        """The entry of exactly this wording, if it may be served now."""
        entry = self._by_key.get((partition, key))
        return entry if entry is not None and self._serves(entry, is_current) else None

    async def nearest(
        self, partition: str, vector: Vector, *, is_current: Callable[[Entry], bool]
    ) -> list[Candidate[Entry]]:
        """The nearest servable entries of the partition, best cosine first; at most NEIGHBOURS."""
        count = NEIGHBOURS
        while True:
            found = await self._on_search_thread(partial(self._search, partition, vector, count))
            candidates = self._candidates(found, is_current)
            if len(candidates) >= NEIGHBOURS or len(found) < count:
                return candidates[:NEIGHBOURS]
            count *= WIDENING  # outdated neighbours must not hide a servable one behind them

    def _candidates(
        self, found: Iterable[tuple[int, float]], is_current: Callable[[Entry], bool]
    ) -> list[Candidate[Entry]]:
        entries = ((self._by_id.get(wording_id), cosine) for wording_id, cosine in found)
        return [
            Candidate(entry=entry, text=entry.wording, cosine=cosine)
            for entry, cosine in entries
            if entry is not None and self._serves(entry, is_current)
        ]

    async def remember(self, new: NewAnswer, *, still_current: Callable[[], bool]) -> Entry | None:
        """Store durably and serve; None when an article changed or the words are pinned."""
        entry = await self._writer.run(partial(self._write, new, still_current))
        if entry is not None:
            await self._add(entry, new.vector)
        return entry

    async def follow(self) -> int:
        """Apply the changes committed since the last call; returns how many there were."""
        changes = await self._reader.run(partial(_changes_after, self._seen_seq))
        if not changes:
            return 0
        wanted = {change.wording_id for change in changes}
        loaded = await self._reader.run(partial(self._load, wanted))
        for wording_id in wanted - loaded.keys():
            await self._remove(wording_id)
        for entry, vector in loaded.values():
            await self._add(entry, vector)
        self._seen_seq = changes[-1].seq
        return len(changes)

    async def load_all(self) -> None:
        """Fill the replica from rows; called once at start."""
        self._seen_seq = await self._reader.run(_newest_seq)
        for entry, vector in (await self._reader.run(partial(self._load, None))).values():
            await self._add(entry, vector)

    def _serves(self, entry: Entry, is_current: Callable[[Entry], bool]) -> bool:
        fresh = entry.expires_at is None or self._now() < entry.expires_at
        return fresh and is_current(entry)

    def _search(self, partition: str, vector: Vector, count: int) -> list[tuple[int, float]]:
        index = self._indexes.get(partition)
        return index.search(vector, count=count) if index is not None else []

    async def _add(self, entry: Entry, vector: Vector | None) -> None:
        self._by_id[entry.wording_id] = entry
        self._by_key[entry.partition, entry.key] = entry
        if vector is not None:
            await self._on_search_thread(partial(self._index_add, entry, vector))

    async def _remove(self, wording_id: int) -> None:
        entry = self._by_id.pop(wording_id, None)
        if entry is not None:
            place = (entry.partition, entry.key)
            if self._by_key.get(place) == entry:  # else a newer row has the same words
                del self._by_key[place]
            await self._on_search_thread(partial(self._index_remove, entry))

    async def _on_search_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._search_thread, work)

    def _index_add(self, entry: Entry, vector: Vector) -> None:
        index = self._indexes.setdefault(entry.partition, VectorIndex(self._dimension))
        index.add(entry.wording_id, vector)

    def _index_remove(self, entry: Entry) -> None:
        index = self._indexes.get(entry.partition)
        if index is not None:
            index.remove(entry.wording_id)

    def _load(self, wanted: set[int] | None) -> dict[int, tuple[Entry, Vector | None]]:
        rows = Wording.objects.filter(answer__status__in=Answer.SERVED, suspended_at=None)
        rows = rows.select_related("answer").prefetch_related("answer__sources")
        if wanted is not None:
            rows = rows.filter(id__in=wanted)
        return {row.id: (_entry(row), self._vector(row)) for row in rows.iterator(ROWS_AT_ONCE)}

    def _vector(self, row: Wording) -> Vector | None:
        """The stored vector, unless another engine made it."""
        if row.vector is None or row.engine_id != self._engine_id:
            return None
        return np.frombuffer(bytes(row.vector), dtype=np.float32)

    def _write(self, new: NewAnswer, still_current: Callable[[], bool]) -> Entry | None:
        now = self._now()
        if not still_current() or _is_pinned(new, now=now):
            return None
        answer = Answer.objects.create(
            partition=new.partition,
            text=new.text,
            origin=new.origin,
            model=new.model,
            prompt_version=new.prompt_version,
            tier=new.tier,
            created_at=now,
            checked_at=now,
            expires_at=None if new.life is None else now + new.life,
            cost_nanousd=new.cost_nanousd,
            simulated=new.simulated,
        )
        Source.objects.bulk_create(
            Source(answer=answer, article_key=key, locale=locale, article_version=version)
            for key, locale, version in new.sources
        )
        wording, _ = Wording.objects.update_or_create(
            partition=new.partition,
            key=new.key,
            defaults={
                "answer": answer,
                "text": new.wording,
                "vector": None if new.vector is None else new.vector.tobytes(),
                "engine_id": "" if new.vector is None else self._engine_id,
                "asker_shopper_id": new.asker_shopper_id,
                "created_at": now,
                "suspended_at": None,
            },
        )
        record_changes([wording.id], op=Change.ADD, now=now)
        return _entry(wording)


def record_changes(wording_ids: Iterable[int], *, op: str, now: datetime) -> None:
    """Tell every replica about wordings that were added or must go. Call inside a transaction."""
    ids = list(wording_ids)
    if not ids:
        return
    first = take(CHANGE_COUNTER, len(ids))
    Change.objects.bulk_create(
        Change(seq=first + offset, op=op, wording_id=wording_id, at=now)
        for offset, wording_id in enumerate(ids)
    )


def _changes_after(seq: int) -> list[Change]:
    return list(Change.objects.filter(seq__gt=seq).order_by("seq")[:5_000])


def _newest_seq() -> int:
    return Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _is_pinned(new: NewAnswer, *, now: datetime) -> bool:
    """Whether these words have a pinned answer that is neither expired nor older than `new`."""
    rows = Wording.objects.filter(answer__status=Answer.PINNED, suspended_at=None)
    rows = rows.exclude(answer__expires_at__lte=now)
    wording = rows.filter(partition=new.partition, key=new.key).first()
    if wording is None:
        return False
    versions = {(key, locale): version for key, locale, version in new.sources}
    return all(
        versions.get((key, locale), version) == version
        for key, locale, version in _entry(wording).sources
    )


def _entry(row: Wording) -> Entry:
    answer = row.answer
    return Entry(
        wording_id=row.id,
        answer_id=answer.id,
        partition=row.partition,
        key=row.key,
        wording=row.text,
        text=answer.text,
        origin=answer.origin,
        model=answer.model,
        tier=answer.tier,
        checked_at=answer.checked_at,
        expires_at=answer.expires_at,
        cost_nanousd=answer.cost_nanousd,
        sources=tuple(
            (source.article_key, source.locale, source.article_version)
            for source in answer.sources.all()
        ),
    )
