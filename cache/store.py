"""The stored answers of this process: an exact map and one vector index per partition.

Rows are the truth; memory is a replica that follows `Change` rows (`follow`). An entry whose
article versions are not the current ones, or whose time is over, is never served: the caller passes
`is_current`, compared at every look-up, so an edit takes effect at once and not at the next sweep.
The vectors are `cache.replica`'s; one search thread owns their indexes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from base.reader import Reader
from base.writer import Writer
from cache.answer_rows import create_answer, word
from cache.changes import changes_after, newest_seq, record_changes
from cache.decision import Candidate, Forbids, Weighed
from cache.entries import Entry, NewAnswer, SourceKey, Vector, entries_of, entry_of, is_pinned
from cache.evidence import Neighbour
from cache.lexicon import Lexicon, words_of
from cache.merging import known_answer, note_unsure
from cache.models import Change, WordingVector
from cache.replica import ReplicaVectors
from cache.spaces import MODEL, Serves, Sight, Spaces
from cache.vector_rows import vectors_of

__all__ = ["Entry", "NewAnswer", "SourceKey", "Store", "Vector"]

NEIGHBOURS = 8


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
        space: str = MODEL,
    ) -> list[Candidate[Entry]]:
        """The nearest servable entries of a space, best cosine first."""
        serves = partial(self._servable, is_current)
        near = await self.spaces[space].near(partition, vector, serves=serves, count=count)
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
        self._by_id = await self._reader.run(partial(entries_of, None))
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
        return {key: (entry, vectors.get(key)) for key, entry in entries_of(wanted).items()}

    def _write(self, new: NewAnswer, still_current: Callable[[], bool]) -> Entry | None:
        now = self._now()
        if not still_current() or is_pinned(new, now=now):
            return None
        answer = known_answer(new, now=now) or create_answer(new, now=now)
        note_unsure(answer, new, now=now)
        wording, created = word(new, answer=answer, engine_id=self.engine_id, now=now)
        if not created:  # other engines' vectors are of words that may have been written otherwise
            WordingVector.objects.filter(wording=wording).delete()
        record_changes([wording.id], op=Change.ADD, now=now)
        return entry_of(wording)
