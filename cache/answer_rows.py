"""A new answer as rows: the answer with what it rests on, and the wording that leads to it. Jobs of the writer."""

from __future__ import annotations

from datetime import datetime

from cache.entries import NewAnswer
from cache.lives import expiry
from cache.models import Answer, Source, Wording


def create_answer(new: NewAnswer, *, now: datetime, status: str = Answer.LIVE) -> Answer:
    """Write an answer and its sources; nothing leads to it yet."""
    answer = Answer.objects.create(
        partition=new.partition,
        text=new.text,
        status=status,
        origin=new.origin,
        model=new.model,
        prompt_version=new.prompt_version,
        tier=new.tier,
        created_at=now,
        checked_at=now,
        expires_at=expiry(now, life=new.life, until=new.until),
        cost_nanousd=new.cost_nanousd,
        simulated=new.simulated,
    )
    Source.objects.bulk_create(
        Source(answer=answer, article_key=key, locale=locale, article_version=version)
        for key, locale, version in new.sources
    )
    return answer


def word(new: NewAnswer, *, answer: Answer, engine_id: str, now: datetime) -> tuple[Wording, bool]:
    """Let the new answer's words lead to `answer`; False when the same words led somewhere before."""
    vector = None if new.vector is None else new.vector.tobytes()
    return Wording.objects.update_or_create(
        partition=new.partition,
        key=new.key,
        defaults={
            "answer": answer,
            "text": new.wording,
            "vector": vector,
            "engine_id": "" if vector is None else engine_id,
            "asker_shopper_id": new.asker_shopper_id,
            "created_at": now,
            "suspended_at": None,
        },
    )
