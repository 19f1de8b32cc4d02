"""Counts and sums per 15 UTC minutes, made from rows once a bucket is over; they outlive the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Count, Sum

from chatbot.models import Question, Tally
from chatbot.reports.aggregates import (
    BUCKET,
    SETTLE,
    bucket_of,
    keep,
    keep_days,
    next_bucket,
    next_filled,
    recount_open,
)
from routing.models import Call

__all__ = ["BUCKET", "SETTLE", "bucket_of", "count_closed_buckets"]
MAX_BUCKETS_PER_RUN = 96


def _go_on() -> None:
    """Between two buckets: no rest."""


def count_closed_buckets(*, now: datetime, between: Callable[[], None] = _go_on) -> int:
    """Write the buckets that are over, hold rows and are not counted yet, oldest first; returns how many.

    A bucket is counted SETTLE after its end, so that answers which began in it have ended; one in which
    something had not is counted again. Counting a bucket again gives the same rows. `between` is called after each.
    """
    recount_open(now=now)
    start, last = next_bucket(), bucket_of(now - SETTLE) - BUCKET
    began, written = start, 0
    while start is not None and start <= last and written < MAX_BUCKETS_PER_RUN:
        filled = next_filled(start)
        # The last one is always written: it says how far was counted.
        start = last if filled is None else min(filled, last)
        _count(start)
        keep(start)
        start += BUCKET
        written += 1
        between()
    if began is not None and start is not None and written:
        keep_days(began - BUCKET, start)
    return written


def _count(start: datetime) -> None:
    """All tallies of a bucket in one statement; those of an earlier count are replaced."""
    found = [_tally(start, 0, simulated=False, metric="counted", label="", value=1)]
    questions = Question.objects.filter(accepted_at__gte=start, accepted_at__lt=start + BUCKET)
    rows = questions.order_by().values(
        "conversation__shopper__site_id", "simulated", "cache", "state"
    )
    for row in rows.annotate(count=Count("id")):
        site_id = row["conversation__shopper__site_id"]
        label = f"{row['cache'] or 'none'}/{row['state']}"
        mode = {"simulated": row["simulated"]}
        found.append(
            _tally(start, site_id, metric="questions", label=label, value=row["count"], **mode)
        )
    calls = Call.objects.filter(started_at__gte=start, started_at__lt=start + BUCKET).order_by()
    for spent in calls.values("site_id", "simulated", "tier", "model_served").annotate(
        cost=Sum("cost_nanousd"), count=Count("id")
    ):
        label = f"{spent['tier']}/{spent['model_served'] or 'none'}"
        site_id, mode = spent["site_id"] or 0, {"simulated": spent["simulated"]}
        for metric, value in (("cost_nanousd", spent["cost"]), ("calls", spent["count"])):
            found.append(_tally(start, site_id, metric=metric, label=label, value=value, **mode))
    Tally.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["starts_at", "site_id", "simulated", "metric", "label"],
        update_fields=["value"],
    )


def _tally(
    start: datetime, site_id: int, *, simulated: bool, metric: str, label: str, value: int
) -> Tally:
    return Tally(
        starts_at=start,
        site_id=site_id,
        simulated=simulated,
        metric=metric,
        label=label,
        value=value,
    )
