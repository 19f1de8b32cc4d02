"""Numbers given out under a row lock inside the writing transaction.

The lock is held until the transaction ends, so commit order equals number order: a reader that has seen
number n has seen, or can no longer miss, every smaller one.
"""

from __future__ import annotations

from django.db.models import F

from base.models import Counter


def take(name: str, count: int = 1) -> int:
    """Take `count` numbers of counter `name`; returns the first. Call inside a transaction."""
    Counter.objects.get_or_create(name=name)
    Counter.objects.filter(name=name).update(value=F("value") + count)
    return Counter.objects.values_list("value", flat=True).get(name=name) - count + 1
