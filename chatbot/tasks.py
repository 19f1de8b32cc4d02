"""Background work that nobody waits for. Every task works off rows, so running it twice changes nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max
from django.utils import timezone

from base.models import Counter
from cache.models import Answer, Label, Lookup, Objection
from chatbot import dry_launch
from chatbot.judging import judge_waiting
from chatbot.models import Conversation, Outbox
from chatbot.process import Process
from chatbot.recalling import RECALL, send_corrections
from chatbot.refitting import refit
from chatbot.refreshing import refresh
from chatbot.staleness import (
    ARTICLE_CHANGED,
    REFRESH,
    REFRESH_PER_CHANGE,
    mark_stale,
    note_refresh,
)
from chatbot.tallies import MAX_BUCKETS_PER_RUN, count_closed_buckets
from routing.models import Call

logger = logging.getLogger(__name__)
OUTBOX_BATCH = 100
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
SERVED_COUNTER = "chatbot.served"
COUNT_FOR_S = 30
RESTS_PER_WORK, LONGEST_REST_S = 3.0, 0.5


@shared_task
def work_outbox() -> int:
    """Do what is due in the outbox, oldest first; a failing row is tried again later, with a growing wait."""
    done = 0
    due = Outbox.objects.filter(done_at__isnull=True, available_at__lte=timezone.now())
    due = due.exclude(kind=REFRESH)  # that is for processes that serve
    for row_id in list(due.order_by("id").values_list("id", flat=True)[:OUTBOX_BATCH]):
        try:
            done += _work_one(row_id)
        except Exception as error:  # the boundary: one bad row must not stop those behind it
            logger.exception("outbox row %s failed", row_id)
            _put_off(row_id, error)
    return done


def _put_off(row_id: int, error: Exception) -> None:
    """Keep a row that failed for a later try; a row that is done already stays done."""
    row = Outbox.objects.filter(id=row_id, done_at__isnull=True).first()
    if row is not None:
        row.available_at = timezone.now() + min(
            LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.attempts, 12)
        )
        row.attempts += 1
        row.last_error = f"{type(error).__name__}: {error}"[:300]
        row.save(update_fields=["available_at", "attempts", "last_error"])


def _work_one(row_id: int) -> int:
    _do_in_steps(row_id)
    with transaction.atomic():
        row = Outbox.objects.select_for_update().filter(id=row_id, done_at__isnull=True).first()
        if row is None:
            return 0
        stale = _do(row)
        row.done_at = timezone.now()
        row.save(update_fields=["done_at"])
    refresh_now(stale[:REFRESH_PER_CHANGE])
    return 1


def _do_in_steps(row_id: int) -> None:
    """Work of many small transactions, each safe to repeat, before its row is marked as done."""
    row = Outbox.objects.filter(id=row_id, done_at__isnull=True, kind=RECALL).first()
    if row is not None:
        send_corrections(row.payload["recall"])


def _do(row: Outbox) -> list[int]:
    """Carry out one row; returns the answers that should be made anew. Raises on a foreign row."""
    if row.kind == ARTICLE_CHANGED:
        return mark_stale(key=row.payload["key"], locale=row.payload["locale"], now=timezone.now())
    if row.kind == RECALL:
        return []
    message = f"this version does not know the kind {row.kind!r}"
    raise LookupError(message)


def refresh_now(answer_ids: list[int]) -> None:
    """Make answers anew in the serving process, which has the model's vectors and the limits.

    A worker in a process of its own leaves a note for one that serves.
    """
    runtime = Process.current().running
    if answer_ids and runtime is None:
        note_refresh(answer_ids, now=timezone.now())
    elif answer_ids and runtime is not None:
        asyncio.run_coroutine_threadsafe(refresh(runtime, answer_ids), runtime.loop).result()


@shared_task
def judge_answers() -> int:
    """Let a cheap model settle which answers say the same; returns how many were merged.

    In the serving process, which has the limits and knows how busy it is; elsewhere they wait.
    """
    runtime = Process.current().running
    if runtime is None:
        return 0
    return asyncio.run_coroutine_threadsafe(judge_waiting(runtime), runtime.loop).result()


@shared_task
def start_dry_runs() -> bool:
    """See that the dry runs that wait are run, and end those whose process died."""
    return dry_launch.launch()


@shared_task
def refit_decisions() -> int:
    """Learn the decision models' calibration from live labels; returns how many became better."""
    return len(refit(now=timezone.now()))


@shared_task
def count_served() -> int:
    """Add the hits since the last run to their answers' counts; returns how many hits there were."""
    with transaction.atomic():
        counter, _ = Counter.objects.select_for_update().get_or_create(name=SERVED_COUNTER)
        hits = Lookup.objects.filter(id__gt=counter.value)
        newest = hits.aggregate(newest=Max("id"))["newest"]
        if newest is None:
            return 0
        served = hits.filter(id__lte=newest, answer__isnull=False).values("answer_id")
        rows = list(served.annotate(count=Count("id"), last=Max("at")).order_by())
        for row in rows:
            Answer.objects.filter(id=row["answer_id"]).update(
                served_count=F("served_count") + row["count"], last_served_at=row["last"]
            )
        Counter.objects.filter(name=SERVED_COUNTER).update(value=newest)
    return sum(row["count"] for row in rows)


@shared_task
def count_up() -> int:
    """Add closed quarter hours to the tallies; returns how many buckets were written.

    A history that was never counted is caught up within a few runs. It rests between buckets: where one process
    does everything, answers and other writers need processor and database meanwhile.
    """
    ends_s, written, more = time.monotonic() + COUNT_FOR_S, 0, True
    rest = _rest_after_work()
    while more and time.monotonic() < ends_s:
        found = count_closed_buckets(now=timezone.now(), between=rest)
        written, more = written + found, found >= MAX_BUCKETS_PER_RUN
    return written


def _rest_after_work() -> Callable[[], None]:
    """Sleeps RESTS_PER_WORK times as long as the work since the last rest took."""
    began_s = time.monotonic()

    def rest() -> None:
        nonlocal began_s
        rest_s = min(LONGEST_REST_S, RESTS_PER_WORK * (time.monotonic() - began_s))
        time.sleep(rest_s)  # noqa: TID251  the task's own thread, where nothing else waits
        began_s = time.monotonic()

    return rest


@shared_task
def prune() -> dict[str, int]:
    """Delete conversations, receipts, labels, calls and done outbox rows that are older than RETENTION_DAYS."""
    limit = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return {
        "conversations": Conversation.objects.filter(last_at__lt=limit).delete()[0],
        "lookups": Lookup.objects.filter(at__lt=limit).delete()[0],
        "labels": Label.objects.filter(at__lt=limit).delete()[0],
        "objections": Objection.objects.filter(at__lt=limit).delete()[0],
        "calls": Call.objects.filter(started_at__lt=limit).delete()[0],
        "outbox": Outbox.objects.filter(done_at__lt=limit).delete()[0],
    }
