"""Rows of "did you mean": an offer is written once, and settled once by ONE conditional UPDATE.

All functions are synchronous jobs for `base.writer` or queries for `base.reader`. The row is the truth
for every process: whoever settles it (a tap, the clock, a new question, the heir of a dead process)
decides, and everyone else reads what was decided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chatbot import labels
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.frames import ServerFrame
from chatbot.leases import LEASE
from chatbot.models import Confirmation, Frame, Question
from chatbot.offering import MOST_PER_CONVERSATION, PATIENCE_S, Offered, Option, options_from
from chatbot.transcript import append_frame

Verdict = Literal["settled", "again", "late", "unknown", "not_offered"]


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision that was made just now, with the durable frame that tells it."""

    question: Question
    frame: ServerFrame


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a `choose` frame. `frames` are what a repeated one has had already."""

    verdict: Verdict
    settled: Settled | None = None
    frames: tuple[ServerFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an offer stands, which process holds its question, and whether that has ended."""

    offered: Offered
    owner: str
    over: bool


def offer(
    question_id: int,
    *,
    conversation_id: int,
    client_id: str,
    options: Sequence[Option],
    owner: str,
    now: datetime,
) -> ServerFrame | None:
    """Write the offer and its durable `confirm` frame; None when the shopper was asked enough.

    The question's deadline moves behind the waiting for the tap.
    """
    offers = Confirmation.objects.filter(question__conversation_id=conversation_id)
    if offers.count() >= MOST_PER_CONVERSATION or offers.filter(question_id=question_id).exists():
        return None
    deadline_at = now + timedelta(seconds=PATIENCE_S + QUESTION_DEADLINE_S)
    held = Question.objects.filter(id=question_id, state=Question.WORKING, lease_owner=owner)
    if held.update(state=Question.CONFIRMING, deadline_at=deadline_at) != 1:
        return None
    Confirmation.objects.create(
        question_id=question_id,
        options=[option.as_row() for option in options],
        offered_at=now,
    )
    body = {
        "type": "confirm",
        "id": client_id,
        "options": [option.as_shown() for option in options],
        "at": now.isoformat(),
    }
    return append_frame(conversation_id, body, question_id=question_id, now=now)


def settle(
    question_id: int, *, chosen: int | None, by: str, now: datetime, owner: str | None = None
) -> Settled | None:
    """Decide an open offer; None when it was decided before, or its question is over.

    The question's time begins anew. With `owner` its lease goes there: that process goes on with it.
    Only a tap is a judgement that is kept as labels.
    """
    open_offers = Confirmation.objects.filter(
        question_id=question_id, settled_at=None, question__state__in=Question.OPEN
    )
    if open_offers.update(chosen=chosen, settled_at=now, settled_by=by) != 1:
        return None
    lease = {} if owner is None else {"lease_owner": owner, "lease_until": now + LEASE}
    deadline_at = now + timedelta(seconds=QUESTION_DEADLINE_S)
    rows = Question.objects.filter(id=question_id)
    rows.update(state=Question.WORKING, deadline_at=deadline_at, **lease)
    question = rows.select_related("conversation__shopper", "confirmation").get()
    offered = offered_for(question) or Offered(())
    if by == Confirmation.TAP:
        labels.label_offer(question, offered, now=now)
    body = {
        "type": "chosen",
        "id": question.client_id,
        "option": chosen,
        "by": by,
        "question": offered.choice.question if offered.choice else None,
    }
    frame = append_frame(question.conversation_id, body, question_id=question_id, now=now)
    return Settled(question, frame)


def choose(
    conversation_id: int, *, client_id: str, option: int | None, owner: str | None, now: datetime
) -> Choice:
    """The shopper's tap; with `owner` the question goes on there."""
    rows = Question.objects.select_related("confirmation")
    question = rows.filter(conversation_id=conversation_id, client_id=client_id).first()
    if question is None:
        return Choice("unknown")
    offered = offered_for(question)
    if offered is None or option not in (None, *(one.option for one in offered.options)):
        return Choice("not_offered")
    settled = settle(question.id, chosen=option, by=Confirmation.TAP, now=now, owner=owner)
    if settled is not None:
        return Choice("settled", settled)
    if offered.settled and offered.chosen == option:
        return Choice("again", frames=_since_choice(question.id))
    return Choice("late")


def settle_earlier(
    conversation_id: int, *, before_question_id: int, now: datetime, owner: str | None
) -> list[Settled]:
    """A new question was asked: offers that are still open count as "none of these"."""
    ids = Confirmation.objects.filter(
        question__conversation_id=conversation_id,
        question_id__lt=before_question_id,
        settled_at=None,
    ).values_list("question_id", flat=True)
    ended = (
        settle(one, chosen=None, by=Confirmation.ASK, now=now, owner=owner) for one in list(ids)
    )
    return [settled for settled in ended if settled is not None]


def standing(question_id: int) -> Standing:
    """Where the offer of a question stands."""
    question = Question.objects.select_related("confirmation").get(id=question_id)
    offered = offered_for(question)
    over = question.state in Question.TERMINAL
    return Standing(offered or Offered(()), question.lease_owner, over)


def moved(question_ids: Collection[int], *, owner: str) -> set[int]:
    """Those of the questions that wait no longer for a tap, or wait in another process."""
    still = Question.objects.filter(
        id__in=question_ids, state=Question.CONFIRMING, lease_owner=owner
    )
    return set(question_ids) - set(still.values_list("id", flat=True))


def offered_for(question: Question) -> Offered | None:
    """What was offered for a question that was loaded with its confirmation."""
    row: Confirmation | None = getattr(question, "confirmation", None)
    if row is None:
        return None
    return Offered(
        options=options_from(row.options),
        settled=row.settled_at is not None,
        chosen=row.chosen,
        tapped=row.settled_by == Confirmation.TAP,
    )


def _since_choice(question_id: int) -> tuple[ServerFrame, ...]:
    """The frames that tell what was chosen and how the question ended."""
    rows = Frame.objects.filter(question_id=question_id).order_by("seq")
    bodies = rows.values_list("body", flat=True)
    return tuple(body for body in bodies if body["type"] not in ("accepted", "confirm"))
