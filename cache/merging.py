"""Wordings of answers that say the same lead to one answer. Call inside a transaction; repeatable.

A merged answer keeps its row, so that receipts and recalls still find who got it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from cache.changes import record_changes
from cache.identity import Said, may_be_one, said
from cache.models import Answer, Change, Comparison, Wording

if TYPE_CHECKING:
    from cache.entries import NewAnswer


def known_answer(new: NewAnswer, *, now: datetime) -> Answer | None:
    """The stored answer that `new` repeats, marked as checked now; None when it is served no longer.

    When it was merged meanwhile, the one that it leads to.
    """
    if new.same_as is None:
        return None
    answer = Answer.objects.filter(id=new.same_as, partition=new.partition).first()
    while answer is not None and answer.status == Answer.MERGED:
        answer = answer.merged_into
    if answer is None or not answer.is_served(now):
        return None
    answer.checked_at = now
    answer.save(update_fields=["checked_at"])
    return answer


def note_unsure(answer: Answer, new: NewAnswer, *, now: datetime) -> None:
    """Leave to a judge whether `answer`, which the new one leads to, says what others say."""
    served = _served(new.unsure, now=now)
    _ask(answer, [served[other] for other in new.unsure if other in served], now=now)


def merge(new_id: int, *, into_id: int, now: datetime) -> int:
    """Let every wording of one answer lead to the other; returns how many moved.

    A pinned answer stays: then the other one goes. What the one that goes was still to be compared with, the other
    is, where they may be one. Nothing happens when either is not served any more, both are pinned, or they are
    of different partitions.
    """
    locked = Answer.objects.select_for_update().filter(id__in=(new_id, into_id)).order_by("id")
    found = {row.id: row for row in locked if row.is_served(now)}
    if len(found) < 2:
        return 0
    goes, stays = found[new_id], found[into_id]
    if goes.status == Answer.PINNED:
        goes, stays = stays, goes
    if goes.status == Answer.PINNED or goes.partition != stays.partition:
        return 0
    moved = list(Wording.objects.filter(answer=goes).values_list("id", flat=True))
    Wording.objects.filter(id__in=moved).update(answer=stays)
    Answer.objects.filter(id=goes.id).update(status=Answer.MERGED, merged_into=stays)
    record_changes(moved, op=Change.ADD, now=now)
    others = _served(_compared_with(goes.id), now=now).values()
    mine = said_by(stays)
    _ask(stays, [other for other in others if may_be_one(mine, said_by(other))], now=now)
    return len(moved)


def said_by(answer: Answer) -> Said:
    """A stored answer as it is compared."""
    return said(answer.text, articles=list(answer.sources.values_list("article_key", flat=True)))


def _served(ids: Collection[int], *, now: datetime) -> dict[int, Answer]:
    """Those of the answers that are served now, by id."""
    return {row.id: row for row in Answer.objects.filter(id__in=ids) if row.is_served(now)}


def _ask(answer: Answer, others: Iterable[Answer], *, now: datetime) -> None:
    """Only within a partition. The younger of two is `new_answer`, so that a pair has one row whoever links it.

    A pair that was judged different is asked once more; nothing else changes a row that is there.
    """
    pairs = [
        (max(answer.id, other.id), min(answer.id, other.id))
        for other in others
        if other != answer and other.partition == answer.partition
    ]
    there = Comparison.objects.filter(
        new_answer__in={new for new, _ in pairs}, old_answer__in={old for _, old in pairs}
    )
    rows = {(row.new_answer_id, row.old_answer_id): row for row in there}
    again = [rows[pair].id for pair in pairs if pair in rows and rows[pair].may_be_asked_again]
    Comparison.objects.filter(id__in=again).update(
        state=Comparison.WAITING, round=Comparison.LAST_ROUND, attempts=0
    )
    Comparison.objects.bulk_create(
        [
            Comparison(new_answer_id=new, old_answer_id=old, at=now)
            for new, old in pairs
            if (new, old) not in rows
        ],
        ignore_conflicts=True,
    )


def _compared_with(answer_id: int) -> set[int]:
    """The other sides of comparisons that wait."""
    rows = Comparison.objects.filter(
        Q(new_answer=answer_id) | Q(old_answer=answer_id), state=Comparison.WAITING
    )
    sides = rows.values_list("new_answer", "old_answer")
    return {side for pair in sides for side in pair} - {answer_id}
