"""Another wording for a stored answer. A job of the writer; every replica follows by its `Change` row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cache.changes import record_changes
from cache.models import Answer, Change, Wording
from cache.store import SourceKey


@dataclass(frozen=True, slots=True)
class NewWording:
    """Words that are to lead to a stored answer. `vector` None: by the exact tier only."""

    answer_id: int
    partition: str
    key: str
    text: str
    vector: NDArray[np.float32] | None
    engine_id: str
    asker_shopper_id: int | None


def attach(
    new: NewWording, *, now: datetime, still_current: Callable[[Sequence[SourceKey]], bool]
) -> bool:
    """Let the words lead to their answer as a confirmed wording; False when nothing was changed.

    Nothing is when the answer is not served any more, or the same words lead to a served answer
    already: what was answered in these very words is not replaced.
    """
    answer = Answer.objects.filter(id=new.answer_id, partition=new.partition).first()
    if answer is None or not answer.is_served(now):
        return False
    sources = answer.sources.values_list("article_key", "locale", "article_version")
    if not still_current(list(sources)):
        return False
    same = Wording.objects.filter(partition=new.partition, key=new.key)
    if same.filter(answer__status__in=Answer.SERVED).exists():
        return False
    wording, _ = Wording.objects.update_or_create(
        partition=new.partition,
        key=new.key,
        defaults={
            "answer": answer,
            "text": new.text,
            "vector": None if new.vector is None else new.vector.tobytes(),
            "engine_id": "" if new.vector is None else new.engine_id,
            "asker_shopper_id": new.asker_shopper_id,
            "kind": Wording.CONFIRMED,
            "created_at": now,
        },
    )
    record_changes([wording.id], op=Change.ADD, now=now)
    return True
