"""Counts and sums per 15 UTC minutes, made from rows once a bucket is over; they outlive the rows."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Sum

from chatbot.models import Question, Tally
from chatbot.reports.aggregates import (
    BUCKET,
    SETTLE,
    bucket_of,
    keep,
    next_bucket,
    next_filled,
    recount_open,
)
from routing.models import Call

__all__ = ["BUCKET", "SETTLE", "bucket_of", "count_closed_buckets"]
MAX_BUCKETS_PER_RUN = 96


def count_closed_buckets(*, now: datetime) -> int:
    """Write the buckets that are over, hold rows and are not counted yet, oldest first; returns how many.

    A bucket is counted SETTLE after its end, so that answers which began in it have ended; one in which
    something had not is counted again. Counting a bucket again gives the same rows.
    """
    recount_open(now=now)
    start, last = next_bucket(), bucket_of(now - SETTLE) - BUCKET
    written = 0
    while start is not None and start <= last and written < MAX_BUCKETS_PER_RUN:
        filled = next_filled(start)
        # The last one is always written: it says how far was counted.
        start = last if filled is None else min(filled, last)
        _count(start)
        keep(start)
        start += BUCKET
        written += 1
    return written


@transaction.atomic
def _count(start: datetime) -> None:
    _set(start, 0, simulated=False, metric="counted", label="", value=1)
    questions = Question.objects.filter(accepted_at__gte=start, accepted_at__lt=start + BUCKET)
    rows = questions.values("conversation__shopper__site_id", "simulated", "cache", "state")
    for row in rows.annotate(count=Count("id")):
        site_id = row["conversation__shopper__site_id"]
        _set(
            start,
            site_id,
            simulated=row["simulated"],
            metric="questions",
            label=f"{row['cache'] or 'none'}/{row['state']}",
            value=row["count"],
        )
    calls = Call.objects.filter(started_at__gte=start, started_at__lt=start + BUCKET)
    for spent in calls.values("site_id", "simulated", "tier", "model_served").annotate(
        cost=Sum("cost_nanousd"), count=Count("id")
    ):
        label = f"{spent['tier']}/{spent['model_served'] or 'none'}"
        for metric, value in (("cost_nanousd", spent["cost"]), ("calls", spent["count"])):
            _set(
                start,
                spent["site_id"] or 0,
                simulated=spent["simulated"],
                metric=metric,
                label=label,
                value=value,
            )


def _set(
    start: datetime, site_id: int, *, simulated: bool, metric: str, label: str, value: int
) -> None:
    Tally.objects.update_or_create(
        starts_at=start,
        site_id=site_id,
        simulated=simulated,
        metric=metric,
        label=label,
        defaults={"value": value},
    )
