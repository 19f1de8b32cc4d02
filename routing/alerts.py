"""Alerts as rows: one open row per cause, shown in the admin until somebody acknowledges it.

The same cause within its period raises a count; after the period it is told again, in a new row when the
old one was acknowledged. Sending is `routing.sending`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F
from django.urls import NoReverseMatch, reverse

from base.clock import Clock
from base.writer import Writer, WriterBusy
from routing.models import Alert
from routing.notices import Notice
from routing.spending import lock

logger = logging.getLogger(__name__)
REPEAT_S = 60.0
_MOST_CAUSES = 1_000


def record(notice: Notice, *, now: datetime) -> None:
    """Write a notice down. Call it in a transaction or alone; it sends nothing."""
    with transaction.atomic():
        lock()
        _upsert(notice, now=now)


def acknowledge(alert_ids: Iterable[int], *, by: str, now: datetime) -> int:
    """Take open alerts off the pages; returns how many were open."""
    still_open = Alert.objects.filter(id__in=list(alert_ids), acknowledged_at__isnull=True)
    return still_open.update(acknowledged_at=now, acknowledged_by=by[:150])


class Alarms:
    """The alarm of a process: hands notices to the writer, each cause at most once a minute.

    It never raises and never waits.
    """

    def __init__(self, *, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._told_s: dict[str, float] = {}

    def __call__(self, notice: Notice) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._told_s.get(notice.cause, -REPEAT_S) < REPEAT_S:
            return
        if len(self._told_s) >= _MOST_CAUSES:
            self._told_s.clear()
        self._told_s[notice.cause] = now_s
        job = partial(record, notice, now=self._clock.now())
        try:
            self._writer.submit(job).add_done_callback(_report_failure)
        except WriterBusy:
            self._told_s.pop(notice.cause)
            logger.warning("an alert waits for its next occasion: %s", notice.text)


def _upsert(notice: Notice, *, now: datetime) -> None:
    newest = Alert.objects.filter(cause=notice.cause).order_by("-id").first()
    if newest is None or (newest.acknowledged_at is not None and newest.period_end <= now):
        _open(notice, now=now)
        return
    changes = {"text": notice.text[:500], "last_at": now, "count": F("count") + 1}
    if newest.period_end <= now:
        changes |= {
            "period_end": notice.quiet_until,
            "webhook_sent_at": None,
            "email_sent_at": None,
            "send_after": now,
            "send_attempts": 0,
        }
    Alert.objects.filter(id=newest.id).update(**changes)


def _open(notice: Notice, *, now: datetime) -> None:
    Alert.objects.create(
        cause=notice.cause[:200],
        severity=Alert.DANGER if notice.severe else Alert.WARNING,
        text=notice.text[:500],
        path=_path(notice)[:300],
        first_at=now,
        last_at=now,
        period_end=notice.quiet_until,
        send_after=now,
    )


def _path(notice: Notice) -> str:
    """The admin page of the notice; the admin's first page where there is none."""
    model, row_id = notice.page
    try:
        if row_id is None:
            return reverse(f"admin:{model}_changelist")
        return reverse(f"admin:{model}_change", args=[row_id])
    except NoReverseMatch:
        return "/admin/"


def _report_failure(written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        logger.error("an alert could not be written", exc_info=error)
