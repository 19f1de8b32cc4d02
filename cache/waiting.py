"""Answers that wait: kept, served to nobody, until enough different shoppers got the same answer or staff admit it.

Two answers are the same when they rest on the same articles, state no differing values, and their questions
have the same words or are as near as questions that join in flight. All functions run inside the
writing transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from base.text import char_ngrams, fold
from cache.answer_rows import create_answer, word
from cache.changes import record_changes
from cache.influence import ENOUGH_ASKERS, NEAR_OWN_COSINE, NEAR_OWN_OVERLAP, Influence
from cache.joining import JOIN_MIN_COSINE
from cache.models import Answer, Change, Supporter, Wording
from cache.store import NewAnswer

MOST_COMPARED = 500
Differs = Callable[[str, str], bool]


def influence_of(new: NewAnswer, *, engine_id: str, now: datetime) -> Influence:
    """What the asker's own words led to in this partition within a day; the same words again are no new ones."""
    own = Wording.objects.filter(
        partition=new.partition,
        asker_shopper_id=new.asker_shopper_id,
        created_at__gt=now - timedelta(days=1),
    )
    rows = list(own.exclude(key=new.key).select_related("answer")[:MOST_COMPARED])
    shared = [row for row in rows if row.answer.status != Answer.WAITING]
    hour_ago = now - timedelta(hours=1)
    return Influence(
        last_hour=sum(row.created_at > hour_ago for row in shared),
        last_day=len(shared),
        waiting_last_day=len(rows) - len(shared),
        varies_own=any(_varies(new, row, engine_id=engine_id) for row in rows),
    )


def keep_waiting(new: NewAnswer, *, engine_id: str, differs: Differs, now: datetime) -> bool:
    """Keep an answer that may not be shared yet; True when its asker was the one that was missing.

    `differs` tells whether two texts state differing values. Words that lead to a served answer are left alone.
    """
    if Wording.objects.filter(
        partition=new.partition, key=new.key, answer__status__in=Answer.SERVED
    ).exists():
        return False
    same = _same(new, engine_id=engine_id, differs=differs)
    answer = same or create_answer(new, now=now, status=Answer.WAITING)
    word(new, answer=answer, engine_id=engine_id, now=now)
    if new.asker_shopper_id is not None:
        Supporter.objects.get_or_create(answer=answer, shopper_id=new.asker_shopper_id)
    if Supporter.objects.filter(answer=answer).count() < ENOUGH_ASKERS:
        return False
    admit([answer.id], now=now)
    return True


def admit(answer_ids: Iterable[int], *, now: datetime) -> int:
    """Serve waiting answers from now on: enough asked, a judge said so, or staff; returns how many."""
    ids = list(
        Answer.objects.filter(id__in=list(answer_ids), status=Answer.WAITING).values_list(
            "id", flat=True
        )
    )
    Answer.objects.filter(id__in=ids).update(status=Answer.LIVE)
    wordings = Wording.objects.filter(answer_id__in=ids).values_list("id", flat=True)
    record_changes(wordings, op=Change.ADD, now=now)
    return len(ids)


def _same(new: NewAnswer, *, engine_id: str, differs: Differs) -> Answer | None:
    """A waiting answer that says the same to the same question."""
    rows = Wording.objects.filter(partition=new.partition, answer__status=Answer.WAITING)
    rows = rows.select_related("answer").prefetch_related("answer__sources").order_by("-id")
    for row in rows[:MOST_COMPARED]:
        asks_same = row.key == new.key or (
            _cosine(new, row, engine_id=engine_id) >= JOIN_MIN_COSINE
            and not differs(new.wording, row.text)
        )
        if asks_same and _says_same(new, row.answer, differs=differs):
            return row.answer
    return None


def _says_same(new: NewAnswer, answer: Answer, *, differs: Differs) -> bool:
    sources = {(row.article_key, row.locale, row.article_version) for row in answer.sources.all()}
    return sources == set(new.sources) and not differs(new.text, answer.text)


def _varies(new: NewAnswer, row: Wording, *, engine_id: str) -> bool:
    if new.vector is not None and row.vector is not None and row.engine_id == engine_id:
        return _cosine(new, row, engine_id=engine_id) >= NEAR_OWN_COSINE
    mine, other = _pieces(new.wording), _pieces(row.text)
    return len(mine & other) >= NEAR_OWN_OVERLAP * len(mine | other)


def _cosine(new: NewAnswer, row: Wording, *, engine_id: str) -> float:
    """-1 when one of them has no vector of this engine."""
    if new.vector is None or row.vector is None or row.engine_id != engine_id:
        return -1.0
    other: NDArray[np.float32] = np.frombuffer(bytes(row.vector), dtype=np.float32)
    return float(new.vector @ other)


def _pieces(text: str) -> frozenset[str]:
    return frozenset(char_ngrams(fold(text), smallest=3, largest=3)) or frozenset({fold(text)})
