"""Routing's background work. Every task works off rows, so running it twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from base.clock import SystemClock
from routing import alerts, notices, retirement
from routing.errors import Kind
from routing.lost import book_lost
from routing.models import Call
from routing.reconcile import Asker, reconcile_due
from routing.sending import Channels, send_due

WATCHED = timedelta(hours=1)
FEWEST_INVALID, INVALID_PER_MILLE = 3, 1


@shared_task
def close_lost_calls() -> int:
    """Book calls whose process died as unknown; returns how many."""
    return book_lost(now=timezone.now())


@shared_task
def send_alerts() -> int:
    """Send open alerts to the webhook and by mail, each once; returns how many got through."""
    return send_due(channels(), now=timezone.now())


@shared_task
def reconcile_accounts() -> int:
    """Once a day, hold vendors' account pages against the ledger; returns how many were read."""
    return len(reconcile_due(asker()))


@shared_task
def watch_retirements() -> int:
    """Raise an alert for each model of the chains that ends within 30 days; returns how many do."""
    return retirement.warn(now=timezone.now())


@shared_task
def watch_refusals() -> bool:
    """Raise an alert when more than one in a thousand calls is refused as invalid."""
    now = timezone.now()
    recent = Call.objects.filter(started_at__gt=now - WATCHED)
    mistakes = Q(failure__in=(Kind.INVALID.value, Kind.CONTEXT_LENGTH.value))
    counts = recent.aggregate(calls=Count("id"), invalid=Count("id", filter=mistakes))
    calls, invalid = counts["calls"], counts["invalid"]
    if invalid < FEWEST_INVALID or invalid * 1_000 <= calls * INVALID_PER_MILLE:
        return False
    alerts.record(notices.own_mistakes(invalid=invalid, calls=calls, now=now), now=now)
    return True


def channels() -> Channels:
    """Where the settings send alerts."""
    return Channels(
        webhook_url=settings.ALERT_WEBHOOK_URL,
        emails=tuple(settings.ALERT_EMAIL),
        sender=settings.DEFAULT_FROM_EMAIL,
        origin=settings.SITE_ORIGIN,
        allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK,
    )


def asker() -> Asker:
    """What may be asked, by the settings."""
    return Asker(
        allowed_hosts=frozenset(settings.UPSTREAM_ALLOWED_HOSTS),
        allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK,
        clock=SystemClock(),
    )
