"""Taking an answer back: out of service at once, and a word to everyone who ever received it.

Recipients are the conversations of the answer's receipts, those served from the store and the asker
whose miss it was stored from. Each gets one durable `correct` frame per recall: the row that says so is
unique and is written with the frame, so work that is killed in the middle and repeated sends nothing
twice. A receipt that was being written during the recall is found by a later pass. Whoever was
corrected about the answer before and did not receive it again since is left in peace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from base.counters import take
from cache.models import Answer, Lookup, Recall
from chatbot.frames import ServerFrame
from chatbot.models import Correction, Frame, Outbox, Question
from chatbot.phrases import say
from chatbot.transcript import append_frame

RECALL = "recall"
CORRECTION_COUNTER = "chatbot.correction"
BATCH = 100
# A question that was being answered ends within its deadline (30 s), its receipt soon after.
LATE_PASSES = (timedelta(seconds=15), timedelta(minutes=2))


class NotRecallable(Exception):
    """The answer serves one shopper alone, or is taken back already. The message is for staff."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One time that the answer was given to someone; `how` is the cache outcome."""

    question_id: int
    conversation_id: int
    text: str
    how: str
    at: datetime


def questions_of(answer_id: int) -> QuerySet[Question]:
    """Every question that was ever answered with it."""
    receipts = Lookup.objects.filter(Q(answer_id=answer_id) | Q(stored_id=answer_id))
    return Question.objects.filter(id__in=receipts.values("question_id"))


def to_be_told(answer_id: int) -> QuerySet[Question]:
    """The questions of all who received it and were not corrected since."""
    told = Correction.objects.filter(
        recall__answer_id=answer_id,
        conversation_id=OuterRef("conversation_id"),
        question_id__gte=OuterRef("id"),
    )
    return questions_of(answer_id).exclude(Exists(told))


def receipts_of(answer_id: int, *, at_most: int) -> list[Receipt]:
    """Who would be told, newest first."""
    rows = to_be_told(answer_id).order_by("-id")[:at_most]
    return [
        Receipt(row.id, row.conversation_id, row.text, row.cache, row.ended_at or row.accepted_at)
        for row in rows
    ]


def recipient_count(answer_id: int) -> int:
    """How many conversations would be told."""
    return to_be_told(answer_id).values("conversation_id").distinct().count()


@transaction.atomic
def revoke(answer_id: int, *, by: str, reason: str, text: str, now: datetime) -> Recall:
    """Take the answer out of every process and see to it that its recipients are told.

    Raises NotRecallable. Commits the status, the audit row and the work as one.
    """
    answer = Answer.objects.select_for_update().get(id=answer_id)
    if answer.status == Answer.OWN:
        message = "It serves one shopper alone and is shown to nobody else."
        raise NotRecallable(message)
    if answer.status == Answer.REVOKED:
        message = "It is revoked already."
        raise NotRecallable(message)
    answer.status = Answer.REVOKED
    answer.save(update_fields=["status"])
    recall = Recall.objects.create(
        answer=answer, by=by, at=now, reason=reason.strip()[:300], text=text.strip()
    )
    for wait in (timedelta(0), *LATE_PASSES):
        Outbox.objects.create(
            kind=RECALL, payload={"recall": recall.id}, available_at=timezone.now() + wait
        )
    return recall


def send_corrections(recall_id: int) -> int:
    """Tell everyone who was not told yet, in small transactions; returns how many conversations."""
    sent, last_conversation_id = 0, 0
    while True:
        told = _send_batch(recall_id, after=last_conversation_id)
        if not told:
            return sent
        sent, last_conversation_id = sent + len(told), told[-1]


@transaction.atomic
def _send_batch(recall_id: int, *, after: int) -> list[int]:
    """The next conversations in order of their ids; the recall's row lock keeps two workers apart."""
    recall = Recall.objects.select_for_update().filter(id=recall_id).first()
    if recall is None:  # its answer was deleted, and with it what could be corrected
        return []
    already = Correction.objects.filter(recall=recall, conversation_id=OuterRef("conversation_id"))
    pending = to_be_told(recall.answer_id).exclude(Exists(already))
    rows = pending.filter(conversation_id__gt=after).order_by("conversation_id")
    chosen = list(rows.values_list("conversation_id", flat=True).distinct()[:BATCH])
    questions = list(pending.filter(conversation_id__in=chosen).order_by("conversation_id", "id"))
    first_number = take(CORRECTION_COUNTER, len(chosen)) if chosen else 0
    written = [
        Correction(
            number=first_number + offset,
            recall=recall,
            conversation_id=question.conversation_id,
            question=question,
            seq=frame["seq"],
            at=timezone.now(),
        )
        for offset, (question, frame) in enumerate(_frames(questions, text=recall.text))
    ]
    Correction.objects.bulk_create(written)
    recall.recipients += len(written)
    recall.save(update_fields=["recipients"])
    return chosen


def _frames(questions: Sequence[Question], *, text: str) -> Iterator[tuple[Question, ServerFrame]]:
    """One stored `correct` frame per conversation, with the question whose answer it corrects last."""
    answers = Frame.objects.filter(question__in=questions, body__type="answer")
    seqs = dict(answers.values_list("question_id", "seq"))
    answered = [question for question in questions if question.id in seqs]
    for conversation_id, group in groupby(answered, key=lambda row: row.conversation_id):
        received = list(group)
        *earlier, newest = received
        body = {
            "type": "correct",
            "of": seqs[newest.id],
            "also": [seqs[question.id] for question in earlier],
            "text": text or say("withdrawn", locale=newest.language or newest.locale),
            "at": timezone.now().isoformat(),
        }
        yield newest, append_frame(conversation_id, body, question_id=None, now=timezone.now())
