"""Keeping aggregates of closed buckets, and reading any span from them and the open bucket's rows.

A quarter hour is counted SETTLE after its end. One in which something had not ended yet is counted again
until nothing is open, so late costs are not lost. Every quarter also writes its hour anew, and the shop's days
are summed up once they are over: long spans are read from those. Quarters without a row are passed over;
a missing aggregate is one of nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import F, JSONField, Min, Value

from cache.models import Label, Lookup
from chatbot.models import Question
from chatbot.report_models import Aggregate
from chatbot.report_zone import site_zone
from chatbot.reports.counting import Rows, facts_of, tops_of
from chatbot.reports.facts import QUESTIONS, Facts, Tops
from chatbot.reports.spans import Span
from routing.models import Call

Stored = tuple[datetime, dict[str, Any], dict[str, Any]]
BUCKET = timedelta(minutes=15)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SETTLE = timedelta(minutes=2)
# Read from rows at most; beyond that the worker is behind, and the page says so.
OPEN_AT_MOST = timedelta(hours=2)
RECOUNT_FOR = timedelta(days=2)
RECOUNTS_PER_RUN = 8


def bucket_of(moment: datetime) -> datetime:
    """Start of the 15-minute bucket that holds `moment` (UTC)."""
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    """Start of the UTC hour that holds `moment`."""
    return moment.replace(minute=0, second=0, microsecond=0)


def next_bucket() -> datetime | None:
    """The first bucket that is not kept yet; None while there is nothing to count."""
    quarters = Aggregate.objects.filter(simulated=False, minutes=Aggregate.QUARTER)
    newest = quarters.order_by("-starts_at").values_list("starts_at", flat=True).first()
    if newest is not None:
        return newest + BUCKET
    oldest = [
        Question.objects.aggregate(at=Min("accepted_at"))["at"],
        Call.objects.aggregate(at=Min("started_at"))["at"],
    ]
    found = [at for at in oldest if at is not None]
    return bucket_of(min(found)) if found else None


def next_filled(start: datetime) -> datetime | None:
    """The first bucket from `start` on that holds a row; None without any."""
    found = (
        Question.objects.filter(accepted_at__gte=start).aggregate(at=Min("accepted_at"))["at"],
        Call.objects.filter(started_at__gte=start).aggregate(at=Min("started_at"))["at"],
        Lookup.objects.filter(at__gte=start).aggregate(at=Min("at"))["at"],
        Label.objects.filter(at__gte=start).aggregate(at=Min("at"))["at"],
    )
    return min((bucket_of(at) for at in found if at is not None), default=None)


@transaction.atomic
def keep(start: datetime) -> None:
    """Count one bucket from its rows and store it; again gives the same, or what has become of it.

    A bucket without simulated rows leaves no simulated aggregate; the live one says how far was counted.
    """
    for simulated in (False, True):
        rows = Rows(start, start + BUCKET, simulated=simulated)
        place: dict[str, Any] = {
            "simulated": simulated,
            "minutes": Aggregate.QUARTER,
            "starts_at": start,
        }
        filled = rows.has_any
        if filled or not simulated or Aggregate.objects.filter(**place).exists():
            counted = {
                "facts": facts_of(rows).pack() if filled else {},
                "tops": tops_of(rows).pack() if filled else {},
                "open": filled and rows.has_open,
            }
            Aggregate.objects.update_or_create(**place, defaults=counted)
            hour = hour_of(start)
            _keep_sum(hour, hour + HOUR, simulated=simulated)


def keep_days(start: datetime, counted: datetime) -> int:
    """Store the shop's own days that begin before and end within what is counted; returns how many.

    `start` is where counting began: days that were over before it stay as they are.
    """
    day = Span.between(*[start.astimezone(site_zone()).date()] * 2, zone=site_zone())
    kept = 0
    while day.end <= counted:
        for simulated in (False, True):
            _keep_sum(day.start, day.end, simulated=simulated)
        following = day.last_day + timedelta(days=1)
        day = Span.between(following, following, zone=day.zone)
        kept += 1
    return kept


def _keep_sum(start: datetime, end: datetime, *, simulated: bool) -> None:
    """One aggregate of a longer time, from those of its hours and quarters."""
    facts, tops = Facts(), Tops()
    parts = _parts if end - start > HOUR else partial(_stored, minutes=Aggregate.QUARTER)
    for _, stored, foremost in parts(start, end, simulated=simulated, with_tops=True):
        facts.merge(Facts.unpack(stored))
        tops.merge(Tops.unpack(foremost))
    if end - start == HOUR:
        facts.busiest_hour = sum(values[0] for _, values in facts.of(QUESTIONS))
    Aggregate.objects.update_or_create(
        simulated=simulated,
        minutes=(end - start) // MINUTE,
        starts_at=start,
        defaults={"facts": facts.pack(), "tops": tops.cut().pack()},
    )


def recount(start: datetime, end: datetime) -> int:
    """Count the kept buckets of a span anew, and those missing before the first one kept.

    For whoever inserts rows of the past. Returns how many buckets were written.
    """
    upcoming = next_bucket()
    written, at = 0, bucket_of(start)
    while at < end and upcoming is not None and at < upcoming:
        keep(at)
        written += 1
        at += BUCKET
    if written and upcoming is not None:
        _keep_days_of(bucket_of(start), at, counted=upcoming)
    return written


def _keep_days_of(start: datetime, end: datetime, *, counted: datetime) -> None:
    """Sum up anew the days that buckets of [start, end) lie in, as far as they are over."""
    keep_days(start, min(counted, end + timedelta(days=1)))


def recount_open(*, now: datetime) -> int:
    """Count buckets again in which something had not ended; at most RECOUNTS_PER_RUN, oldest first."""
    found = Aggregate.objects.filter(open=True, starts_at__gte=now - RECOUNT_FOR)
    starts = found.order_by("starts_at").values_list("starts_at", flat=True).distinct()
    buckets = list(starts[:RECOUNTS_PER_RUN])
    for start in buckets:
        keep(start)
    counted = next_bucket()
    if buckets and counted is not None:
        _keep_days_of(buckets[0], buckets[-1] + BUCKET, counted=counted)
    return len(buckets)


@dataclass(slots=True)
class Reading:
    """A span's facts, whole and per moment, and up to when it was counted.

    `behind` is set when the worker has not counted what ended more than OPEN_AT_MOST ago; figures then
    end at `until`.
    """

    facts: Facts
    tops: Tops
    moments: list[Facts]
    until: datetime
    behind: bool


def read(
    start: datetime,
    end: datetime,
    *,
    simulated: bool,
    now: datetime,
    moments: Sequence[datetime] = (),
    with_tops: bool = True,
    with_rows: bool = True,
) -> Reading:
    """What is known of [start, end), which must be quarters of an hour, split at `moments`.

    Without rows it ends with what was counted, which is enough where the last minutes do not matter.
    """
    split = moments or (start,)
    parts, tops = [Facts() for _ in split], Tops()
    counted = next_bucket()
    closed = end if counted is None else min(end, max(start, counted))
    days = list(split) if moments else []
    stored_parts = _closed(
        start, closed, days=[*days, end], simulated=simulated, with_tops=with_tops
    )
    for at, stored, foremost in stored_parts:
        parts[max(0, bisect_right(split, at) - 1)].merge(Facts.unpack(stored))
        tops.merge(Tops.unpack(foremost))
    until = end if counted is None else min(end, counted + OPEN_AT_MOST)
    if not with_rows:
        until = closed
    _read_rows(closed, until, simulated=simulated, split=split, parts=parts, tops=tops)
    whole = Facts()
    for part in parts:
        whole.merge(part)
    return Reading(whole, tops, parts, until=max(until, start), behind=until < min(end, now))


def _read_rows(
    start: datetime,
    until: datetime,
    *,
    simulated: bool,
    split: Sequence[datetime],
    parts: list[Facts],
    tops: Tops,
) -> None:
    """The rows of the open bucket, cut where a moment begins in it."""
    cuts = [start, *(at for at in split if start < at < until), until]
    for first, last in pairwise(cuts):
        if first < last:
            rows = Rows(first, last, simulated=simulated)
            parts[max(0, bisect_right(split, first) - 1)].merge(facts_of(rows))
            tops.merge(tops_of(rows))


def _closed(
    start: datetime,
    end: datetime,
    *,
    days: Sequence[datetime],
    simulated: bool,
    with_tops: bool,
) -> Iterator[Stored]:
    """Whole days where they are kept, whole hours and quarters for what is between them."""
    lengths = {
        first: (last - first) // MINUTE
        for first, last in pairwise(days)
        if last <= end and last - first > HOUR
    }
    found = Aggregate.objects.filter(
        simulated=simulated, starts_at__in=lengths, minutes__gt=Aggregate.HOUR
    )
    at = start
    for day, minutes in found.order_by("starts_at").values_list("starts_at", "minutes"):
        if lengths[day] == minutes:
            yield from _parts(at, day, simulated=simulated, with_tops=with_tops)
            at = day + minutes * MINUTE
            yield from _stored(day, at, minutes=minutes, simulated=simulated, with_tops=with_tops)
    yield from _parts(at, end, simulated=simulated, with_tops=with_tops)


def _parts(start: datetime, end: datetime, *, simulated: bool, with_tops: bool) -> Iterator[Stored]:
    """Whole hours where they fit, quarters before and after them."""
    first_hour = hour_of(start + HOUR - timedelta(microseconds=1))
    last_hour = hour_of(end)
    if first_hour >= last_hour:
        first_hour = last_hour = end
    for first, last, minutes in (
        (start, first_hour, Aggregate.QUARTER),
        (first_hour, last_hour, Aggregate.HOUR),
        (last_hour, end, Aggregate.QUARTER),
    ):
        if first < last:
            yield from _stored(
                first, last, minutes=minutes, simulated=simulated, with_tops=with_tops
            )


def _stored(
    start: datetime, end: datetime, *, minutes: int, simulated: bool, with_tops: bool = True
) -> Iterator[Stored]:
    found = Aggregate.objects.filter(
        simulated=simulated, minutes=minutes, starts_at__gte=start, starts_at__lt=end
    )
    foremost = F("tops") if with_tops else Value({}, output_field=JSONField())
    rows = found.order_by("starts_at").values_list("starts_at", "facts", foremost)
    yield from rows
