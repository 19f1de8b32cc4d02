"""What a shopper's frame means beyond its own rows: a new question settles an open offer, a judgement is a label.

All rows of one frame are written in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from base.text import Language
from cache.models import Label
from chatbot import choosing, confirmations, labels, transcript
from chatbot.confirmations import Settled
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.frames import Ask
from chatbot.transcript import Accepted, Opened

if TYPE_CHECKING:
    from chatbot.runtime import Runtime


async def take_question(
    frame: Ask, *, opened: Opened, locale: str, language: Language, runtime: Runtime
) -> tuple[Accepted, list[Settled]]:
    """Store a question; with it the offers that it settles as "none of these".

    Raises Question.DoesNotExist when it asks an unknown question again, and WriterBusy.
    """
    now = runtime.clock.now()
    job = partial(
        transcript.accept,
        opened.conversation_id,
        client_id=frame.id,
        text=frame.text,
        locale=locale,
        language=language,
        now=now,
        deadline_s=QUESTION_DEADLINE_S,
        retry_of=frame.retry_of,
    )
    owner = choosing.heir(runtime)
    return await runtime.writer.run(partial(_accept, job, frame, opened, owner=owner, now=now))


def _accept(
    job: Callable[[], Accepted], frame: Ask, opened: Opened, *, owner: str | None, now: datetime
) -> tuple[Accepted, list[Settled]]:
    accepted, where = job(), opened.conversation_id
    if not accepted.created:
        return accepted, []
    if frame.retry_of is not None:  # what the cache had served was wrong for the question
        _judge(where, client_id=frame.retry_of, kind=Label.RETRY, right=False, now=now)
    settled = confirmations.settle_earlier(
        where, before_question_id=accepted.question_id, now=now, owner=owner
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
