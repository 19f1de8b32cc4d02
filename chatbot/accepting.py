"""What a shopper's frame means beyond its own rows: a new question settles an open offer, a judgement is a label.

Synchronous jobs for `base.writer`; all rows of one frame are written in one transaction.
"""

from __future__ import annotations

from datetime import datetime

from cache.models import Label
from chatbot import confirmations, labels, transcript
from chatbot.confirmations import Settled
from chatbot.transcript import Accepted


def accept(
    conversation_id: int,
    *,
    client_id: str,
    text: str,
    locale: str,
    language: str,
    now: datetime,
    deadline_s: float,
    retry_of: str | None,
) -> tuple[Accepted, list[Settled]]:
    """`transcript.accept`, with the offers that the new question settles as "none of these".

    Asking again past the cache says that the stored answer was wrong for the question.
    """
    accepted = transcript.accept(
        conversation_id,
        client_id=client_id,
        text=text,
        locale=locale,
        language=language,
        now=now,
        deadline_s=deadline_s,
        retry_of=retry_of,
    )
    if not accepted.created:
        return accepted, []
    if retry_of is not None:
        _judge(conversation_id, client_id=retry_of, kind=Label.RETRY, right=False, now=now)
    settled = confirmations.settle_earlier(
        conversation_id, before_question_id=accepted.question_id, now=now
    )
    return accepted, settled


def take_feedback(
    conversation_id: int, *, client_id: str, value: str, reason: str, now: datetime
) -> bool:
    """`transcript.record_feedback`; a thumb on an answer from the cache is a label too."""
    known = transcript.record_feedback(
        conversation_id, client_id=client_id, value=value, reason=reason
    )
    if known:
        right = value == "up"
        _judge(conversation_id, client_id=client_id, kind=Label.THUMB, right=right, now=now)
    return known


def _judge(conversation_id: int, *, client_id: str, kind: str, right: bool, now: datetime) -> None:
    question = transcript.find_question(conversation_id, client_id=client_id)
    if question is not None:
        labels.label_served(question, kind=kind, right=right, now=now)
