"""Leases on open questions: which process works on one, and which question has lost its process.

All functions are synchronous and jobs for `base.writer`. A lease changes hands by one conditional UPDATE,
so of two processes that want a question one gets it. A running answer renews its lease; a dead
process does not, and LEASE_S later its questions are free. The clocks of several machines must agree
to within a few seconds; where they do not, a question may run twice, but it still ends once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from chatbot.models import Question

LEASE = timedelta(seconds=10)


class Lost(Exception):
    """The question went to another process, which answers it or has ended it."""


def take(question_id: int, *, owner: str, now: datetime) -> bool:
    """Take an open question; False when it is over or another process holds it."""
    free = Q(lease_until=None) | Q(lease_until__lte=now) | Q(lease_owner=owner)
    return _take(Q(id=question_id) & free, owner=owner, now=now) == 1


def renew(question_ids: Collection[int], *, owner: str, now: datetime) -> set[int]:
    """Prolong the leases of running answers; returns those that are still open and held by `owner`."""
    held = Question.objects.filter(id__in=question_ids, state__in=Question.OPEN, lease_owner=owner)
    held.update(lease_until=now + LEASE)
    return set(held.values_list("id", flat=True))


def claim(*, owner: str, now: datetime, running: Collection[int], at_most: int) -> list[Question]:
    """Take open questions that nobody works on, oldest first: their lease ran out, or was never taken.

    `running` are those that run here, whatever their lease says.
    """
    lapsed = Q(lease_until__lte=now) | Q(lease_until=None, accepted_at__lte=now - LEASE)
    found = Question.objects.filter(lapsed, state__in=Question.OPEN).exclude(id__in=running)
    ids = list(found.order_by("id").values_list("id", flat=True)[:at_most])
    mine = [one for one in ids if _take(Q(id=one) & lapsed, owner=owner, now=now) == 1]
    rows = Question.objects.filter(id__in=mine)
    rows = rows.select_related("conversation__shopper", "confirmation")
    return list(rows.order_by("id"))


def hand_back(broken_off: Collection[int], *, owner: str, now: datetime) -> int:
    """Free every open question of `owner`, for another process or the next start; returns how many.

    `broken_off` are those that ran here; one of them may not have had its lease yet.
    """
    mine = Q(lease_owner=owner) | Q(id__in=broken_off, lease_until=None)
    return Question.objects.filter(mine, state__in=Question.OPEN).update(lease_until=now)


def _take(which: Q, *, owner: str, now: datetime) -> int:
    return Question.objects.filter(which, state__in=Question.OPEN).update(
        state=Question.WORKING, lease_owner=owner, lease_until=now + LEASE
    )
