"""Taking wordings out of service and putting them back; every replica follows.

A suspended wording keeps its row and its answer, so staff can restore it. Its next asker gets an answer
of their own, and the words then lead to that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from cache.changes import record_changes
from cache.models import Change, Objection, Wording


@transaction.atomic
def suspend(wording_ids: Iterable[int], *, because: str, now: datetime) -> int:
    """Serve these wordings to nobody from now on; returns how many were in service."""
    rows = Wording.objects.select_for_update().filter(id__in=list(wording_ids), suspended_at=None)
    ids = list(rows.values_list("id", flat=True))
    Wording.objects.filter(id__in=ids).update(suspended_at=now, suspended_because=because[:200])
    record_changes(ids, op=Change.REMOVE, now=now)
    return len(ids)


@transaction.atomic
def restore(wording_ids: Iterable[int], *, now: datetime) -> int:
    """Serve them again and settle what shoppers said against them; returns how many came back."""
    rows = Wording.objects.select_for_update().filter(id__in=list(wording_ids))
    ids = list(rows.exclude(suspended_at=None).values_list("id", flat=True))
    Wording.objects.filter(id__in=ids).update(suspended_at=None, suspended_because="")
    Objection.objects.filter(wording_id__in=ids, settled_at=None).update(settled_at=now)
    record_changes(ids, op=Change.ADD, now=now)
    return len(ids)
