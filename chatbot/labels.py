"""Judgements that come for free: taps, thumbs and "not my question" become labels of the cache.

Synchronous jobs for `base.writer`, called in the transaction that stores the judgement itself. A label is
unique per question, wording, kind and shopper, so a repeat changes one row and adds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cache.models import Label, Lookup, Wording
from cache.normalize import key_of
from chatbot.models import Question
from chatbot.offering import Offered

# So many shoppers must say that two wordings mean the same before one is stored beside the other.
DISTINCT_SHOPPERS = 2


def label_offer(question: Question, offered: Offered, *, now: datetime) -> None:
    """A tap: the chosen wording is right; "none of these": each wording that was shown is wrong.

    What was not tapped beside a chosen one is no judgement.
    """
    partition = _partition_of(offered)
    for place, option in enumerate(offered.options):
        if offered.choice not in (None, option):
            continue
        _write(
            question,
            kind=Label.NONE if offered.choice is None else Label.CONFIRM,
            wording_id=option.wording_id,
            answer_id=option.answer_id,
            right=offered.choice is not None,
            partition=partition,
            features={
                "cosine": option.cosine,
                "place": place,
                "offered": len(offered.options),
                "wording": option.question,
            },
            now=now,
        )


def label_served(question: Question, *, kind: str, right: bool, now: datetime) -> None:
    """A judgement on the answer that a question got, if it came from the cache."""
    lookup = Lookup.objects.filter(question_id=question.id).first()
    if lookup is None or lookup.wording_id is None or lookup.answer_id is None:
        return
    _write(
        question,
        kind=kind,
        wording_id=lookup.wording_id,
        answer_id=lookup.answer_id,
        right=right,
        partition=lookup.partition,
        features={
            "outcome": lookup.outcome,
            "cosine": lookup.cosine,
            "nearest_cosine": lookup.nearest_cosine,
            "vetoes": lookup.vetoes,
            "engine_id": lookup.engine_id,
            "evidence": lookup.features,
            "judged_by": lookup.judged_by,
        },
        now=now,
    )


def label_reviewed(
    lookup: Lookup, *, wording_id: int, answer_id: int, right: bool, now: datetime
) -> None:
    """Staff judged a receipt: whether a wording's answer was right for what was asked."""
    question = Question.objects.filter(id=lookup.question_id).first()
    if question is None:
        return
    _write(
        question,
        kind=Label.STAFF,
        wording_id=wording_id,
        answer_id=answer_id,
        right=right,
        partition=lookup.partition,
        features={
            "outcome": lookup.outcome,
            "cosine": lookup.cosine,
            "evidence": lookup.features,
            "judged_by": lookup.judged_by,
        },
        now=now,
    )


def agreed(question_key: str, *, answer_id: int) -> bool:
    """Whether enough shoppers confirmed these words for this answer, and more than denied it."""
    rows = Label.objects.filter(question_key=question_key, answer_id=answer_id)
    confirmed = rows.filter(kind=Label.CONFIRM, right=True).values("shopper_id").distinct().count()
    denied = rows.filter(right=False).values("shopper_id").distinct().count()
    return confirmed >= DISTINCT_SHOPPERS and confirmed > denied


def _write(
    question: Question,
    *,
    kind: str,
    wording_id: int,
    answer_id: int,
    right: bool,
    partition: str,
    features: Mapping[str, Any],
    now: datetime,
) -> None:
    Label.objects.update_or_create(
        question_id=question.id,
        wording_id=wording_id,
        kind=kind,
        shopper_id=question.conversation.shopper_id,
        defaults={
            "answer_id": answer_id,
            "question_key": key_of(question.text),
            "right": right,
            "partition": partition,
            "features": dict(features),
            "at": now,
        },
    )


def _partition_of(offered: Offered) -> str:
    ids = [option.wording_id for option in offered.options]
    return Wording.objects.filter(id__in=ids).values_list("partition", flat=True).first() or ""
