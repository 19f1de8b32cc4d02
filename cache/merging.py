"""Wordings of answers that say the same lead to one answer. Call inside a transaction; repeatable.

A merged answer keeps its row, so that receipts and recalls still find who got it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from cache.changes import record_changes
from cache.models import Answer, Change, Comparison, Wording

if TYPE_CHECKING:
    from cache.entries import NewAnswer

MERGEABLE = (Answer.LIVE, Answer.PINNED)


def known_answer(new: NewAnswer, *, now: datetime) -> Answer | None:
    """The stored answer that `new` repeats, marked as checked now; None when it is served no longer."""
    if new.same_as is None:
        return None
    rows = Answer.objects.filter(
        id=new.same_as, partition=new.partition, status__in=Answer.SERVED
    ).exclude(expires_at__lte=now)
    rows.update(checked_at=now)
    return rows.first()


def note_unsure(answer: Answer, new: NewAnswer, *, now: datetime) -> None:
    """Leave to a judge whether `answer`, which the new one leads to, says what others say; a pair once."""
    served = Answer.objects.filter(
        id__in=new.unsure, partition=new.partition, status__in=Answer.SERVED
    )
    _ask(answer.id, served.values_list("id", flat=True), now=now)


def _ask(answer_id: int, others: Iterable[int], *, now: datetime) -> None:
    """The younger of two is `new_answer`, so that a pair has one row whoever links it."""
    pairs = [(max(answer_id, other), min(answer_id, other)) for other in others]
    Comparison.objects.bulk_create(
        [
            Comparison(new_answer_id=new_id, old_answer_id=old_id, at=now)
            for new_id, old_id in pairs
            if new_id != old_id
        ],
        ignore_conflicts=True,
    )


def merge(new_id: int, *, into_id: int, now: datetime) -> int:
    """Let every wording of one answer lead to the other; returns how many moved.

    What the merged one was still to be compared with, the other is. Nothing happens when either is not
    served any more, they are of different partitions, or the one that would go is pinned.
    """
    rows = Answer.objects.select_for_update().filter(id__in=(new_id, into_id))
    found = {row.id: row for row in rows.order_by("id")}
    new, into = found.get(new_id), found.get(into_id)
    if new is None or into is None or new_id == into_id:
        return 0
    if new.partition != into.partition or new.status != Answer.LIVE or into.status not in MERGEABLE:
        return 0
    moved = list(Wording.objects.filter(answer=new).values_list("id", flat=True))
    Wording.objects.filter(id__in=moved).update(answer=into)
    Answer.objects.filter(id=new_id).update(status=Answer.MERGED, merged_into=into)
    record_changes(moved, op=Change.ADD, now=now)
    _ask(into_id, _compared_with(new_id), now=now)
    return len(moved)


def _compared_with(answer_id: int) -> set[int]:
    """The other sides of comparisons that wait."""
    rows = Comparison.objects.filter(
        Q(new_answer=answer_id) | Q(old_answer=answer_id), state=Comparison.WAITING
    )
    sides = rows.values_list("new_answer_id", "old_answer_id")
    return {side for pair in sides for side in pair} - {answer_id}
