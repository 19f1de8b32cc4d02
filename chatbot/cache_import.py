"""Putting stored answers in from outside: every line is checked like an answer of a model, with reasons.

Nothing is stored that the guard, the identifiers or the admission rule speak against; nothing pinned, revoked
or suspended is overwritten. Importing the same file again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils.dateparse import parse_datetime
from numpy.typing import NDArray

from cache.changes import record_changes
from cache.embedding import Embedder
from cache.models import Answer, Change, Source, Wording
from cache.normalize import key_of
from chatbot.cache_checks import Checks, partition_of
from chatbot.cache_rows import BadLine, SourceKey, StoredRow
from chatbot.lifetimes import DEFAULT_DAYS
from chatbot.prompts import PROMPT_VERSION
from chatbot.vectorising import MAX_UNKNOWN_SHARE

Vector = NDArray[np.float32]
EmbedTexts = Callable[[Sequence[str]], list[Vector | None]]
NEW, CHANGED, SAME, REFUSED = "new", "changed", "unchanged", "refused"
ROWS_AT_ONCE = 50


def embed_with(embedder: Embedder) -> EmbedTexts:
    """Vectors of one model; None for a text whose words it does not know or whose end it cannot see."""

    def embed(texts: Sequence[str]) -> list[Vector | None]:
        return [
            item.vector if item.fits and item.unknown_share <= MAX_UNKNOWN_SHARE else None
            for item in embedder.embed_now(list(texts))
        ]

    return embed


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one line, and why."""

    line: int
    outcome: str
    reasons: tuple[str, ...] = ()
    answer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A line that passed every check, with the article versions filled in."""

    line: int
    row: StoredRow
    partition: str
    sources: tuple[SourceKey, ...]


class Importer:
    """One import. `embed` gives a vector, or None where the model cannot judge a text."""

    def __init__(
        self, *, checks: Checks, embed: EmbedTexts, engine_id: str, now: datetime, dry_run: bool
    ) -> None:
        self._checks = checks
        self._embed = embed
        self._engine_id = engine_id
        self._now = now
        self._dry_run = dry_run

    def run(self, lines: Iterable[tuple[int, StoredRow | BadLine]]) -> list[Result]:
        """Check and store every line, in order; returns what became of each."""
        results: list[Result] = []
        seen: dict[tuple[str, str], int] = {}
        chunk: list[Planned] = []
        for line, row in lines:
            planned = self._plan(line, row, seen)
            if isinstance(planned, Result):
                results.append(planned)
            else:
                chunk.append(planned)
            if len(chunk) >= ROWS_AT_ONCE:
                results += self._store(chunk)
                chunk = []
        return sorted([*results, *self._store(chunk)], key=lambda result: result.line)

    def _plan(
        self, line: int, row: StoredRow | BadLine, seen: dict[tuple[str, str], int]
    ) -> Planned | Result:
        if isinstance(row, BadLine):
            return Result(line, REFUSED, (str(row),))
        reasons, sources = self._checks.against(row)
        partition = partition_of(row, prompt_version=PROMPT_VERSION)
        places = {(partition, key_of(wording)): wording for wording in row.wordings}
        reasons += [
            f"“{wording}” stands in line {seen[place]} already"
            for place, wording in places.items()
            if place in seen
        ]
        if reasons:
            return Result(line, REFUSED, tuple(reasons))
        seen.update(dict.fromkeys(places, line))
        return Planned(line, row, partition, sources)

    def _store(self, chunk: list[Planned]) -> list[Result]:
        if not chunk:
            return []
        texts = [wording for planned in chunk for wording in planned.row.wordings]
        vectors = {} if self._dry_run else dict(zip(texts, self._embed(texts), strict=True))
        with transaction.atomic():
            results = [self._store_one(planned, vectors) for planned in chunk]
            transaction.set_rollback(self._dry_run)
        return results

    def _store_one(self, planned: Planned, vectors: dict[str, Vector | None]) -> Result:
        row = planned.row
        keys = {key_of(wording): wording for wording in row.wordings}
        rows = Wording.objects.select_for_update().filter(partition=planned.partition, key__in=keys)
        existing = {wording.key: wording for wording in rows.select_related("answer")}
        reasons = [*_protected(existing.values(), row), *_revoked(planned)]
        if reasons:
            return Result(planned.line, REFUSED, tuple(reasons))
        answer = _same_answer(planned)
        known = [key for key in keys if key in existing and existing[key].answer == answer]
        if answer is not None and len(known) == len(keys):
            return Result(planned.line, SAME)
        answer = answer or self._new_answer(planned)
        moved = [key for key in keys if key not in known]
        ids = [self._point(planned, key, keys[key], answer, vectors) for key in moved]
        record_changes(ids, op=Change.ADD, now=self._now)
        return Result(planned.line, CHANGED if existing else NEW, answer_id=answer.id)

    def _new_answer(self, planned: Planned) -> Answer:
        row = planned.row
        answer = Answer.objects.create(
            partition=planned.partition,
            text=row.answer,
            status=Answer.PINNED if row.pinned else Answer.LIVE,
            origin=row.origin,
            model=row.model,
            tier=row.tier,
            prompt_version=PROMPT_VERSION,
            created_at=self._now,
            checked_at=self._now,
            expires_at=_expiry(row, now=self._now, life=timedelta(days=DEFAULT_DAYS)),
            simulated=row.mode == "simulated",
        )
        Source.objects.bulk_create(
            Source(answer=answer, article_key=key, locale=locale, article_version=version)
            for key, locale, version in planned.sources
        )
        return answer

    def _point(
        self,
        planned: Planned,
        key: str,
        text: str,
        answer: Answer,
        vectors: dict[str, Vector | None],
    ) -> int:
        """Let these words lead to `answer`; returns the wording's id."""
        vector = vectors.get(text)
        wording, _ = Wording.objects.update_or_create(
            partition=planned.partition,
            key=key,
            defaults={
                "answer": answer,
                "text": text,
                "vector": None if vector is None else vector.tobytes(),
                "engine_id": "" if vector is None else self._engine_id,
                "asker_shopper_id": None,
                "kind": Wording.STAFF,
                "created_at": self._now,
                "suspended_at": None,
                "suspended_because": "",
            },
        )
        return wording.id


def _protected(existing: Iterable[Wording], row: StoredRow) -> list[str]:
    """Wordings that keep what they have: pinned to another answer, or split off from this one."""
    reasons = []
    for wording in existing:
        other = wording.answer.text != row.answer
        if wording.suspended_at is not None and not other:
            reasons.append(f"“{wording.text}” is suspended for this answer: restore it first")
        if wording.suspended_at is None and other and wording.answer.status == Answer.PINNED:
            reasons.append(f"“{wording.text}” is pinned to answer {wording.answer_id}")
    return reasons


def _revoked(planned: Planned) -> list[str]:
    rows = Answer.objects.filter(partition=planned.partition, text=planned.row.answer)
    revoked = rows.filter(status=Answer.REVOKED).values_list("id", flat=True).first()
    return [] if revoked is None else [f"this text was revoked (answer {revoked})"]


def _same_answer(planned: Planned) -> Answer | None:
    """A served answer with this text, resting on the same articles, to which wordings can be added."""
    status = Answer.PINNED if planned.row.pinned else Answer.LIVE
    rows = Answer.objects.filter(
        partition=planned.partition, text=planned.row.answer, status=status
    ).prefetch_related("sources")
    for answer in rows:
        resting = {(s.article_key, s.locale, s.article_version) for s in answer.sources.all()}
        if resting == set(planned.sources):
            return answer
    return None


def _expiry(row: StoredRow, *, now: datetime, life: timedelta) -> datetime | None:
    if row.expires_at:
        return parse_datetime(row.expires_at)
    return None if row.pinned else now + life
