"""Carrying out what staff decide on a receipt: right, wrong, edit, pin. Revoking has its own module.

Each decision is one transaction with the row that remembers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from base.words import word
from cache.models import Answer, Lookup, Objection, Review
from cache.suspending import restore, suspend
from chatbot.guard import identifier_marks
from chatbot.review_labels import note_decision

DECISIONS = (Review.RIGHT, Review.WRONG, Review.EDIT, Review.PIN)


class NotPossible(Exception):
    """The decision cannot be carried out; the message tells staff why."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is decided on: did this wording's answer fit what the receipt's shopper asked?

    `answer_id` is None for a near miss, which served nothing.
    """

    receipt: Lookup
    wording_id: int
    answer_id: int | None


@transaction.atomic
def decide(judged: Judged, *, decision: str, text: str, by: str, now: datetime) -> str:
    """Do it and remember it; returns what happened, in words. Raises NotPossible.

    `text` is the new answer for `edit`. For a near miss only `right` and `wrong` mean something, and
    both change no row but the one that remembers them.
    """
    if judged.answer_id is None:
        happened = _on_a_near_miss(decision)
    else:
        happened = _STEPS[decision](judged, text, by, now)
        settle(judged, now=now)
    note_decision(
        judged.receipt,
        wording_id=judged.wording_id,
        answer_id=judged.answer_id,
        decision=decision,
        by=by,
        now=now,
    )
    return happened


def settle(judged: Judged, *, now: datetime) -> None:
    """What shoppers said about the pair counts no more: staff have decided."""
    said = Objection.objects.filter(wording_id=judged.wording_id, answer_id=judged.answer_id or 0)
    said.filter(settled_at=None).update(settled_at=now)


def _on_a_near_miss(decision: str) -> str:
    if decision not in (Review.RIGHT, Review.WRONG):
        message = _(
            "Nothing was served here: say whether the stored wording would have been right."
        )
        raise NotPossible(message)
    same = _("the same question") if decision == Review.RIGHT else _("another question")
    return _("Noted: it is %(what)s.") % {"what": same}


def _right(judged: Judged, text: str, by: str, now: datetime) -> str:
    back = restore([judged.wording_id], now=now)
    return _("Right: the wording is served again.") if back else _("Right: it stays.")


def _wrong(judged: Judged, text: str, by: str, now: datetime) -> str:
    suspend([judged.wording_id], because=_("split off by %(user)s") % {"user": by}, now=now)
    return _("Wrong: the wording left this answer, its next asker gets a fresh one.")


def _edit(judged: Judged, text: str, by: str, now: datetime) -> str:
    words = text.strip()
    if not words:
        message = _("An answer needs a text.")
        raise NotPossible(message)
    marks = identifier_marks(words)
    if marks:
        message = _("Everybody would read it, and it is personal: %(marks)s.") % {
            "marks": ", ".join(marks)
        }
        raise NotPossible(message)
    answer = _shared(judged)
    answer.text, answer.origin = words, Answer.STAFF
    _pin_row(answer, now=now)
    restore([judged.wording_id], now=now)
    return _("The new text is served from now on, pinned.")


def _pin(judged: Judged, text: str, by: str, now: datetime) -> str:
    _pin_row(_shared(judged), now=now)
    restore([judged.wording_id], now=now)
    return _("Pinned: served whatever its age, until an article it rests on changes.")


def _pin_row(answer: Answer, *, now: datetime) -> None:
    answer.status, answer.expires_at, answer.checked_at = Answer.PINNED, None, now
    answer.save()


def _shared(judged: Judged) -> Answer:
    answer = Answer.objects.select_for_update().get(id=judged.answer_id or 0)
    if answer.status in (Answer.OWN, Answer.REVOKED):
        message = _("The answer is %(status)s: it cannot be served to others.") % {
            "status": word(answer.status)
        }
        raise NotPossible(message)
    return answer


_STEPS: dict[str, Callable[[Judged, str, str, datetime], str]] = {
    Review.RIGHT: _right,
    Review.WRONG: _wrong,
    Review.EDIT: _edit,
    Review.PIN: _pin,
}
