"""Rows of the conversation: accept a question, end it once, give out durable frames.

All functions are synchronous and use the ORM: writes are jobs for `base.writer`, reads run in
`base.reader`. The terminal state is one conditional UPDATE; who loses it writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from base.ids import new_token, new_uuid
from base.revision import current_number
from chatbot.frames import ServerFrame
from chatbot.models import Conversation, Feedback, Frame, Question, Shopper, Site
from chatbot.objecting import note_retry, note_thumb

PAGE_FRAMES = 50
CONVERSATION_IDLE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Opened:
    """The conversation that a socket looks at."""

    conversation_id: int
    public_id: str
    shopper_id: int
    site_id: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A question as accepted. `created` is False when the same id was sent before."""

    question_id: int
    created: bool
    conflict: bool
    state: str
    frame: ServerFrame
    revision: int = 0  # of the configuration, as committed when it was accepted


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question with its answer, for the prompt."""

    question: str
    answer: str


def new_shopper(site_key: str) -> str:
    """Make a shopper; returns the public id for the cookie."""
    site = Site.objects.get(key=site_key)
    return Shopper.objects.create(site=site, public_id=new_token()).public_id


def open_conversation(
    *, site_key: str, shopper_public_id: str | None, locale: str, now: datetime, simulated: bool
) -> Opened:
    """The shopper's latest conversation if it is recent, else a new one. Unknown shoppers are made."""
    site = Site.objects.get(key=site_key)
    shopper = Shopper.objects.filter(public_id=shopper_public_id, site=site).first()
    if shopper is None:
        shopper = Shopper.objects.create(site=site, public_id=new_token())
    recent = shopper.conversations.filter(last_at__gte=now - CONVERSATION_IDLE, simulated=simulated)
    conversation = recent.order_by("-id").first()
    if conversation is None:
        conversation = Conversation.objects.create(
            shopper=shopper, public_id=new_uuid(), locale=locale, simulated=simulated
        )
    return Opened(
        conversation_id=conversation.id,
        public_id=conversation.public_id,
        shopper_id=shopper.id,
        site_id=site.id,
        last_seq=conversation.last_seq,
    )


def accept(
    conversation_id: int,
    *,
    client_id: str,
    text: str,
    locale: str,
    language: str,
    now: datetime,
    deadline_s: float,
    retry_of: str | None = None,
) -> Accepted:
    """Store a question and its `accepted` frame; the same id again gives back the first one."""
    original = None
    if retry_of is not None:
        original = Question.objects.get(conversation_id=conversation_id, client_id=retry_of)
        text = original.text
    try:
        with transaction.atomic():
            question = Question.objects.create(
                conversation_id=conversation_id,
                client_id=client_id,
                text=text,
                locale=locale,
                language=language,
                retry_of=original,
                accepted_at=now,
                deadline_at=now + timedelta(seconds=deadline_s),
                simulated=Conversation.objects.values_list("simulated", flat=True).get(
                    id=conversation_id
                ),
            )
    except IntegrityError:
        return _accepted_before(conversation_id, client_id=client_id, text=text)
    if original is not None:
        note_retry(original, now=now)
    body = {"type": "accepted", "id": client_id, "text": text, "at": now.isoformat()}
    frame = append_frame(conversation_id, body, question_id=question.id, now=now)
    return Accepted(
        question.id,
        created=True,
        conflict=False,
        state=question.state,
        frame=frame,
        revision=current_number(),
    )


def _accepted_before(conversation_id: int, *, client_id: str, text: str) -> Accepted:
    question = Question.objects.get(conversation_id=conversation_id, client_id=client_id)
    frame = Frame.objects.filter(question=question).order_by("seq").first()
    return Accepted(
        question.id,
        created=False,
        conflict=question.text != text,
        state=question.state,
        frame=dict(frame.body) if frame is not None else {},
    )


def append_frame(
    conversation_id: int, body: ServerFrame, *, question_id: int | None, now: datetime
) -> ServerFrame:
    """Give the frame the conversation's next `seq` and store it. Call inside a transaction."""
    Conversation.objects.filter(id=conversation_id).update(last_seq=F("last_seq") + 1, last_at=now)
    seq = Conversation.objects.values_list("last_seq", flat=True).get(id=conversation_id)
    frame = {**body, "seq": seq}
    Frame.objects.create(
        conversation_id=conversation_id, seq=seq, question_id=question_id, body=frame
    )
    return frame


def finish(
    question_id: int, *, state: str, now: datetime, body: ServerFrame, fields: dict[str, Any]
) -> ServerFrame | None:
    """End a question: one conditional UPDATE plus its frame. None when it was already ended."""
    changed = Question.objects.filter(id=question_id, state__in=Question.OPEN).update(
        state=state, ended_at=now, lease_until=None, **fields
    )
    if changed != 1:
        return None
    conversation_id = Question.objects.values_list("conversation_id", flat=True).get(id=question_id)
    return append_frame(conversation_id, body, question_id=question_id, now=now)


def frames_after(conversation_id: int, *, after: int) -> tuple[list[ServerFrame], bool]:
    """At most PAGE_FRAMES durable frames with a larger seq, oldest first; and whether there are more."""
    rows = Frame.objects.filter(conversation_id=conversation_id, seq__gt=after).order_by("seq")
    bodies = list(rows.values_list("body", flat=True)[: PAGE_FRAMES + 1])
    return bodies[:PAGE_FRAMES], len(bodies) > PAGE_FRAMES


def frames_before(conversation_id: int, *, before: int) -> tuple[list[ServerFrame], bool]:
    """At most PAGE_FRAMES durable frames with a smaller seq, oldest first; and whether there are more."""
    rows = Frame.objects.filter(conversation_id=conversation_id, seq__lt=before).order_by("-seq")
    bodies = list(rows.values_list("body", flat=True)[: PAGE_FRAMES + 1])
    return bodies[:PAGE_FRAMES][::-1], len(bodies) > PAGE_FRAMES


def last_turns(conversation_id: int, *, before_question_id: int, count: int) -> list[Turn]:
    """The newest answered turns before a question, oldest first."""
    rows = Question.objects.filter(
        conversation_id=conversation_id, id__lt=before_question_id, state=Question.ANSWERED
    ).order_by("-id")[:count]
    turns = []
    for question in reversed(rows):
        body = Frame.objects.filter(question=question, body__type="answer").values_list(
            "body", flat=True
        )
        answer = body.first()
        if answer is not None:
            turns.append(Turn(question=question.text, answer=str(answer["text"])))
    return turns


def find_question(conversation_id: int, *, client_id: str) -> Question | None:
    """The question with the client's id, with its conversation and shopper; None when there is none."""
    rows = Question.objects.select_related("conversation__shopper", "confirmation")
    return rows.filter(conversation_id=conversation_id, client_id=client_id).first()


def record_feedback(conversation_id: int, *, client_id: str, value: str, reason: str) -> bool:
    """Store a shopper's thumb; False when the question is not in this conversation."""
    question = Question.objects.filter(conversation_id=conversation_id, client_id=client_id).first()
    if question is None:
        return False
    Feedback.objects.update_or_create(
        question=question, defaults={"value": value, "reason": reason}
    )
    note_thumb(question, value=value, now=timezone.now())
    return True
