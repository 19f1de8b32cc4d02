"""Every decision of staff leaves a row: the one place that writes it."""

from __future__ import annotations

from datetime import datetime

from cache.models import Lookup, Review
from chatbot.labels import label_reviewed


def note_decision(
    receipt: Lookup,
    *,
    wording_id: int,
    answer_id: int | None,
    decision: str,
    by: str,
    now: datetime,
) -> Review:
    """Store that staff judged whether a wording's answer is the receipt's answer.

    `decision` is one of `Review.DECISIONS`; `answer_id` is None for a near miss, which served
    nothing. Call inside the transaction that carries the decision out.
    """
    if answer_id is not None and decision in (Review.RIGHT, Review.WRONG):
        label_reviewed(
            receipt,
            wording_id=wording_id,
            answer_id=answer_id,
            right=decision == Review.RIGHT,
            now=now,
        )
    return Review.objects.create(
        lookup=receipt,
        wording_id=wording_id,
        answer_id=answer_id,
        decision=decision,
        by=by,
        at=now,
    )
