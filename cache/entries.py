"""Stored wordings as they are served, and what is to be stored. Reading blocks; for the reader's threads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from cache.models import Answer, Wording

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


def is_pinned(new: NewAnswer, *, now: datetime) -> bool:
    """Whether these words have a pinned answer that is neither expired nor older than `new`."""
    rows = Wording.objects.filter(answer__status=Answer.PINNED, partition=new.partition)
    rows = rows.filter(key=new.key, suspended_at=None)
    wording = rows.exclude(answer__expires_at__lte=now).first()
    if wording is None:
        return False
    versions = {(key, locale): version for key, locale, version in new.sources}
    return all(
        versions.get((key, locale), version) == version
        for key, locale, version in entry_of(wording).sources
    )


def entries_of(wanted: set[int] | None) -> dict[int, Entry]:
    """The served wordings among `wanted`, or all, by id."""
    rows = Wording.objects.filter(answer__status__in=Answer.SERVED, suspended_at=None)
    rows = rows.select_related("answer").prefetch_related("answer__sources").defer("vector")
    if wanted is not None:
        rows = rows.filter(id__in=wanted)
    return {row.id: entry_of(row) for row in rows.iterator(ROWS_AT_ONCE)}


def entry_of(row: Wording) -> Entry:
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
