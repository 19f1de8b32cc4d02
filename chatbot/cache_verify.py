"""Whether the rows of the cache keep what serving relies on; and putting right what is safe to.

Safe is what can be undone or what serving does anyway: a wording is suspended, an answer marked stale, a replica
told again, a vector or key made anew. Texts, pinned answers and sources are left to staff.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from base.text import Language
from cache.changes import record_changes
from cache.embedding import Embedder
from cache.models import Answer, Change, Source, Wording
from cache.normalize import key_of
from cache.suspending import suspend
from chatbot.cache_checks import Checks
from chatbot.guard import identifier_marks
from chatbot.models import Article
from chatbot.vectorising import MAX_UNKNOWN_SHARE

NORM_TOLERANCE = 1e-3
ROWS_AT_ONCE = 500
Fix = Callable[[list[int]], int]


@dataclass(slots=True)
class Finding:
    """One invariant: the rows that break it, and what puts them right (None: only staff can)."""

    name: str
    ids: list[int] = field(default_factory=list)
    fix: Fix | None = None
    fixed: int = 0

    @property
    def left(self) -> int:
        """How many rows still break it."""
        return len(self.ids) - self.fixed


class Verifier:
    """Checks every row once. `embedder` tells the engine, its dimension, and makes vectors anew."""

    def __init__(self, *, checks: Checks, embedder: Embedder, now: datetime) -> None:
        self._checks = checks
        self._embedder = embedder
        self._now = now

    def findings(self) -> list[Finding]:
        """Every invariant with the rows that break it; reads only."""
        return [*self._of_wordings(), *self._of_answers()]

    def fix(self, findings: Iterable[Finding]) -> None:
        """Put right what is safe to, and count it."""
        for finding in findings:
            if finding.ids and finding.fix is not None:
                with transaction.atomic():
                    finding.fixed = finding.fix(finding.ids)

    def _of_wordings(self) -> list[Finding]:
        keys = Finding("keys that are not those of their text", fix=self._new_keys)
        vectors = Finding("vectors of another engine, size or length", fix=self._new_vectors)
        personal = Finding(
            "wordings the guard would keep out",
            fix=lambda ids: suspend(ids, because="the guard would keep it out", now=self._now),
        )
        for row in _served_wordings():
            if row.key != key_of(row.text):
                keys.ids.append(row.id)
            if self._is_bad_vector(row):
                vectors.ids.append(row.id)
            language: Language = "zh-hans" if "/zh-hans/" in row.partition else "en"
            if self._checks.wording(row.text, language=language):
                personal.ids.append(row.id)
        return [keys, vectors, personal, *self._of_relations()]

    def _of_relations(self) -> list[Finding]:
        """What rows of several tables say about each other."""
        newest = Change.objects.filter(wording_id=OuterRef("pk")).order_by("-seq").values("op")[:1]
        rows = Wording.objects.annotate(told=Subquery(newest)).order_by("id")
        in_service = Q(answer__status__in=Answer.SERVED, suspended_at=None)
        shared = rows.filter(answer__status=Answer.OWN, suspended_at=None).exclude(
            asker_shopper_id=F("answer__owner_shopper_id")
        )
        return [
            Finding("own answers with another shopper's wording", _ids(shared), self._suspend),
            Finding(
                "wordings in another partition than their answer",
                _ids(rows.filter(in_service).exclude(partition=F("answer__partition"))),
                self._suspend,
            ),
            Finding(
                "wordings out of service that replicas may still serve",
                _ids(rows.exclude(in_service).filter(told=Change.ADD)),
                lambda ids: self._tell(ids, Change.REMOVE),
            ),
            Finding(
                "wordings in service that replicas do not serve",
                _ids(rows.filter(in_service, told=Change.REMOVE)),
                lambda ids: self._tell(ids, Change.ADD),
            ),
        ]

    def _of_answers(self) -> list[Finding]:
        served = Answer.objects.filter(status__in=Answer.SERVED).order_by("id")
        current = Article.objects.filter(
            key=OuterRef("article_key"), locale=OuterRef("locale"), enabled=True
        ).values("version")[:1]
        sources = Source.objects.annotate(current=Subquery(current))
        gone = sources.filter(current=None).values("answer_id")
        older = sources.exclude(article_version=F("current")).values("answer_id")
        personal = [
            row.id for row in served.only("id", "text").iterator() if identifier_marks(row.text)
        ]
        return [
            Finding(
                "answers past their time",
                _ids(served.filter(expires_at__lte=self._now, status=Answer.LIVE)),
                self._stale,
            ),
            Finding(
                "answers on an article that is gone",
                _ids(served.filter(id__in=gone, status=Answer.LIVE)),
                self._stale,
            ),
            Finding(
                "answers on an older version of an article",
                _ids(served.filter(id__in=older, status=Answer.LIVE).exclude(id__in=gone)),
                self._stale,
            ),
            Finding(
                "pinned answers whose article changed or is gone",
                _ids(served.filter(Q(id__in=older) | Q(id__in=gone), status=Answer.PINNED)),
            ),
            Finding("answers that hold an identifier", personal),
        ]

    def _is_bad_vector(self, row: Wording) -> bool:
        if row.vector is None:
            return bool(row.engine_id)
        if row.engine_id != self._embedder.engine_id:
            return True
        vector = np.frombuffer(bytes(row.vector), dtype=np.uint8)
        if vector.nbytes != 4 * self._embedder.dimension:
            return True
        norm = float(np.linalg.norm(vector.view(np.float32)))
        return not abs(norm - 1.0) <= NORM_TOLERANCE

    def _suspend(self, ids: list[int]) -> int:
        return suspend(ids, because="it broke a rule of the cache", now=self._now)

    def _tell(self, ids: list[int], op: str) -> int:
        record_changes(ids, op=op, now=self._now)
        return len(ids)

    def _stale(self, ids: list[int]) -> int:
        Answer.objects.filter(id__in=ids).update(status=Answer.STALE)
        self._tell(_ids(Wording.objects.filter(answer_id__in=ids)), Change.REMOVE)
        return len(ids)

    def _new_keys(self, ids: list[int]) -> int:
        """A key that another wording has already leads there: then this one is suspended."""
        done = 0
        for row in Wording.objects.filter(id__in=ids):
            key = key_of(row.text)
            taken = Wording.objects.filter(partition=row.partition, key=key).exists()
            if taken:
                done += suspend([row.id], because="another wording has its words", now=self._now)
                continue
            Wording.objects.filter(id=row.id).update(key=key)
            done += self._tell([row.id], Change.ADD)
        return done

    def _new_vectors(self, ids: list[int]) -> int:
        rows = list(Wording.objects.filter(id__in=ids))
        made = self._embedder.embed_now([row.text for row in rows])
        for row, item in zip(rows, made, strict=True):
            usable = item.fits and item.unknown_share <= MAX_UNKNOWN_SHARE
            row.vector = item.vector.tobytes() if usable else None
            row.engine_id = self._embedder.engine_id if usable else ""
        Wording.objects.bulk_update(rows, ["vector", "engine_id"], batch_size=ROWS_AT_ONCE)
        return self._tell(ids, Change.ADD)


def _served_wordings() -> Iterator[Wording]:
    rows = Wording.objects.filter(answer__status__in=Answer.SERVED, suspended_at=None)
    return rows.order_by("id").iterator(ROWS_AT_ONCE)


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("id", flat=True))
