"""The stored answers of this process: an exact map and one vector index per partition.

Rows are the truth; memory is a replica that follows `Change` rows (`follow`). An entry whose
article versions are not the current ones, or whose time is over, is never served: the caller passes
`is_current`, compared at every look-up, so an edit takes effect at once and not at the next sweep.
The vectors are `cache.replica`'s; one search thread owns their indexes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.reader import Reader
from base.writer import Writer
from cache.changes import changes_after, newest_seq, record_changes
from cache.decision import Candidate, Forbids, Weighed
from cache.evidence import Neighbour
from cache.lexicon import Lexicon, words_of
from cache.lives import expiry
from cache.merging import known_answer, note_unsure
from cache.models import Answer, Change, Source, Wording, WordingVector
from cache.replica import ReplicaVectors
from cache.spaces import MODEL, Serves, Sight, Spaces
from cache.vector_rows import vectors_of

NEIGHBOURS = 8
ROWS_AT_ONCE = 2_000  # one prefetch has as many parameters; SQLite may allow only 32,766
SourceKey = tuple[str, str, int]
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
    same_as: int | None = None  # the stored answer that says the same: only the wording is new
    unsure: tuple[int, ...] = ()  # answers that may say the same; a judge will tell
    until: datetime | None = None  # the answer itself says so; ends its life before `life` does


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
        folder: Path | None = None,
    ) -> None:
        """`folder` is where a snapshot of the vectors is kept between starts, if anywhere."""
        self._writer = writer
        self._reader = reader
        self.engine_id = engine_id
        self._now = now
        self._by_key: dict[tuple[str, str], Entry] = {}
        self._by_id: dict[int, Entry] = {}
        self._vectors = ReplicaVectors(
            reader=reader, engine_id=engine_id, dimension=dimension, folder=folder
        )
        self._answer_words: dict[str, Lexicon] = {}
        self._read_answers: set[int] = set()
        self.spaces = Spaces(self._vectors.partitions, engine_id=engine_id)
        self._seen_seq = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def stop(self) -> None:
        """End the search threads."""
        self._vectors.stop()
        self.spaces.stop()

    def exact(
        self, partition: str, key: str, *, is_current: Callable[[Entry], bool]
    ) -> Entry | None:
        """The entry of exactly this wording, if it may be served now."""
        entry = self._by_key.get((partition, key))
        return entry if entry is not None and self._serves(entry, is_current) else None

    async def nearest(
        self,
        partition: str,
        vector: Vector,
        *,
        is_current: Callable[[Entry], bool],
        count: int = NEIGHBOURS,
    ) -> list[Candidate[Entry]]:
        """The nearest servable entries in the model's space, best cosine first."""
        serves = partial(self._servable, is_current)
        near = await self.spaces[MODEL].near(partition, vector, serves=serves, count=count)
        return [self.candidate(item) for item in near if item.wording_id in self._by_id]

    async def weigh(
        self,
        partition: str,
        text: str,
        sight: Sight,
        *,
        is_current: Callable[[Entry], bool],
        vetoes_for: Forbids,
    ) -> Weighed:
        """What speaks for which servable answer, by the question's neighbours in its space."""
        serves: Serves = partial(self._servable, is_current)
        return await self.spaces.weigh(partition, text, sight, serves=serves, vetoes_for=vetoes_for)

    def answer_words(self, partition: str) -> Lexicon:
        """How many answers of a partition hold each word; answers that left still count."""
        return self._answer_words.setdefault(partition, Lexicon())

    def wording(self, wording_id: int) -> str | None:
        """The text of a served wording."""
        entry = self._by_id.get(wording_id)
        return None if entry is None else entry.wording

    def candidate(self, neighbour: Neighbour) -> Candidate[Entry]:
        """A neighbour with its entry. Raises KeyError for one that has left meanwhile."""
        entry = self._by_id[neighbour.wording_id]
        return Candidate(entry=entry, text=entry.wording, cosine=neighbour.cosine)

    async def remember(self, new: NewAnswer, *, still_current: Callable[[], bool]) -> Entry | None:
        """Store durably and serve; None when an article changed or the words are pinned."""
        entry = await self._writer.run(partial(self._write, new, still_current))
        if entry is not None:
            await self._add(entry, new.vector)
        return entry

    async def follow(self) -> int:
        """Apply the changes committed since the last call; returns how many there were."""
        changes = await self._reader.run(partial(changes_after, self._seen_seq))
        if not changes:
            return 0
        wanted = {change.wording_id for change in changes}
        loaded = await self._reader.run(partial(self._load, wanted))
        for wording_id in wanted - loaded.keys():
            await self._remove(wording_id)
        for entry, vector in loaded.values():
            await self._add(entry, vector)
        self._seen_seq = changes[-1].seq
        await self._vectors.keep_if_due(self._seen_seq)
        return len(changes)

    async def load_all(self) -> None:
        """Fill the replica from rows, and vectors from a snapshot; called once at start."""
        self._seen_seq = await self._reader.run(newest_seq)
        self._by_id = await self._reader.run(partial(_entries, None))
        self._by_key = {(entry.partition, entry.key): entry for entry in self._by_id.values()}
        await self._vectors.load({key: entry.partition for key, entry in self._by_id.items()})
        await self._know_all()
        await self._vectors.keep_if_due(self._seen_seq)

    def _servable(self, is_current: Callable[[Entry], bool], wording_id: int) -> bool:
        entry = self._by_id.get(wording_id)
        return entry is not None and self._serves(entry, is_current)

    def _serves(self, entry: Entry, is_current: Callable[[Entry], bool]) -> bool:
        return is_current(entry) and (entry.expires_at is None or self._now() < entry.expires_at)

    async def _add(self, entry: Entry, vector: Vector | None) -> None:
        self._by_id[entry.wording_id] = entry
        self._by_key[entry.partition, entry.key] = entry
        self._read_answer(entry)
        await self.spaces.add(
            entry.partition,
            entry.wording_id,
            answer_id=entry.answer_id,
            text=entry.wording,
            vector=vector,
        )

    def _read_answer(self, entry: Entry) -> None:
        if entry.answer_id not in self._read_answers:
            self._read_answers.add(entry.answer_id)
            self.answer_words(entry.partition).add(words_of(entry.text).units)

    async def _know_all(self) -> None:
        """Read what was loaded: of wordings with a vector from the index, of others from their words."""
        for entry in self._by_id.values():
            self._read_answer(entry)
        held = await asyncio.to_thread(lambda: list(self._vectors.held()))
        self.spaces.note_all(
            (partition, key, self._by_id[key].answer_id, self._by_id[key].wording, vector)
            for partition, key, vector in held
        )
        for key in self._by_id.keys() - {key for _, key, _ in held}:
            await self._add(self._by_id[key], None)

    async def _remove(self, wording_id: int) -> None:
        entry = self._by_id.pop(wording_id, None)
        if entry is not None:
            place = (entry.partition, entry.key)
            if self._by_key.get(place) == entry:  # else a newer row has the same words
                del self._by_key[place]
            await self.spaces.remove(entry.partition, wording_id)

    def _load(self, wanted: set[int]) -> dict[int, tuple[Entry, Vector | None]]:
        vectors = vectors_of(wanted, engine_id=self.engine_id)
        return {key: (entry, vectors.get(key)) for key, entry in _entries(wanted).items()}

    def _write(self, new: NewAnswer, still_current: Callable[[], bool]) -> Entry | None:
        now = self._now()
        if not still_current() or _is_pinned(new, now=now):
            return None
        answer = known_answer(new, now=now) or Answer.objects.create(
            partition=new.partition,
            text=new.text,
            origin=new.origin,
            model=new.model,
            prompt_version=new.prompt_version,
            tier=new.tier,
            created_at=now,
            checked_at=now,
            expires_at=expiry(now, life=new.life, until=new.until),
            cost_nanousd=new.cost_nanousd,
            simulated=new.simulated,
        )
        note_unsure(answer, new, now=now)
        Source.objects.bulk_create(
            Source(answer=answer, article_key=key, locale=locale, article_version=version)
            for key, locale, version in ((), new.sources)[answer.id != new.same_as]
        )
        wording, created = Wording.objects.update_or_create(
            partition=new.partition,
            key=new.key,
            defaults={
                "answer": answer,
                "text": new.wording,
                "vector": None if new.vector is None else new.vector.tobytes(),
                "engine_id": "" if new.vector is None else self.engine_id,
                "asker_shopper_id": new.asker_shopper_id,
                "created_at": now,
                "suspended_at": None,
            },
        )
        if not created:  # other engines' vectors are of words that may have been written otherwise
            WordingVector.objects.filter(wording=wording).delete()
        record_changes([wording.id], op=Change.ADD, now=now)
        return _entry(wording)


def _is_pinned(new: NewAnswer, *, now: datetime) -> bool:
    """Whether these words have a pinned answer that is neither expired nor older than `new`."""
    rows = Wording.objects.filter(answer__status=Answer.PINNED, partition=new.partition)
    rows = rows.filter(key=new.key, suspended_at=None)
    wording = rows.exclude(answer__expires_at__lte=now).first()
    if wording is None:
        return False
    versions = {(key, locale): version for key, locale, version in new.sources}
    return all(
        versions.get((key, locale), version) == version
        for key, locale, version in _entry(wording).sources
    )


def _entries(wanted: set[int] | None) -> dict[int, Entry]:
    """The served wordings among `wanted`, or all, by id."""
    rows = Wording.objects.filter(answer__status__in=Answer.SERVED, suspended_at=None)
    rows = rows.select_related("answer").prefetch_related("answer__sources").defer("vector")
    if wanted is not None:
        rows = rows.filter(id__in=wanted)
    return {row.id: _entry(row) for row in rows.iterator(ROWS_AT_ONCE)}


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
