"""The feed of changes that every replica of the cache follows, in commit order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from base.counters import take
from cache.models import Change

CHANGE_COUNTER = "cache.change"
CHANGES_AT_ONCE = 5_000


def record_changes(wording_ids: Iterable[int], *, op: str, now: datetime) -> None:
    """Tell every replica about wordings that were added or must go. Call inside a transaction."""
    ids = list(wording_ids)
    if not ids:
        return
    first = take(CHANGE_COUNTER, len(ids))
    Change.objects.bulk_create(
        Change(seq=first + offset, op=op, wording_id=wording_id, at=now)
        for offset, wording_id in enumerate(ids)
    )


def changes_after(seq: int) -> list[Change]:
    """The changes committed since, oldest first."""
    return list(Change.objects.filter(seq__gt=seq).order_by("seq")[:CHANGES_AT_ONCE])


def newest_seq() -> int:
    """The number of the last change, 0 before the first."""
    return Change.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
