"""Shoppers say that a stored answer was not theirs: a thumb down, or asking again past the cache.

Two distinct shoppers' word suspends the wording through which it was served, in the transaction that
stores the second one. A shopper counts once, however often they say it, and a thumb that is
turned up again counts no more.
"""

from __future__ import annotations

from datetime import datetime

from cache.models import Lookup, Objection, Wording
from cache.normalize import key_of
from cache.suspending import suspend
from chatbot.models import Question

SHOPPERS_TO_SUSPEND = 2


def note_thumb(question: Question, *, value: str, now: datetime) -> None:
    """A thumb was stored. Call inside its transaction."""
    if value == "down":
        _object(question, kind=Objection.THUMB, now=now)
    else:
        Objection.objects.filter(
            question_id=question.id, kind=Objection.THUMB, settled_at=None
        ).delete()


def note_retry(question: Question, *, now: datetime) -> None:
    """The shopper asks `question` again past the cache. Call inside the transaction that accepts it."""
    _object(question, kind=Objection.RETRY, now=now)


def _object(question: Question, *, kind: str, now: datetime) -> None:
    wording_id, answer_id = _received(question)
    if wording_id is None or answer_id is None:
        return
    row, created = Objection.objects.get_or_create(
        wording_id=wording_id,
        answer_id=answer_id,
        shopper_id=question.conversation.shopper_id,
        defaults={"question_id": question.id, "kind": kind, "at": now},
    )
    if not created and kind == Objection.RETRY and row.kind != kind:
        row.kind = kind  # a retry cannot be taken back, a thumb can
        row.save(update_fields=["kind"])
    if created:
        _suspend_if_enough(wording_id, answer_id=answer_id, now=now)


def _received(question: Question) -> tuple[int | None, int | None]:
    """Wording and stored answer that the question was answered with, or that were made of its answer."""
    receipt = Lookup.objects.filter(question_id=question.id).order_by("-id").first()
    if receipt is None:
        return None, None
    if receipt.stored_id is None:
        return receipt.wording_id, receipt.answer_id
    rows = Wording.objects.filter(answer_id=receipt.stored_id, key=key_of(question.text))
    return rows.values_list("id", flat=True).first(), receipt.stored_id


def _suspend_if_enough(wording_id: int, *, answer_id: int, now: datetime) -> None:
    """The wording may lead to another answer by now: only what was said about this one counts."""
    # Locked before counting: of two that speak at the same moment the later one sees both.
    rows = Wording.objects.select_for_update().filter(id=wording_id, answer_id=answer_id)
    if not rows.values_list("id", flat=True).first():
        return
    said = Objection.objects.filter(wording_id=wording_id, answer_id=answer_id, settled_at=None)
    count = said.count()
    if count >= SHOPPERS_TO_SUSPEND:
        suspend(
            [wording_id], because=f"{count} shoppers said that it was not their answer", now=now
        )
