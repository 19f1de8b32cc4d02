"""Alerts on their way to people: once each to ALERT_WEBHOOK_URL and to ALERT_EMAIL.

A row is leased before it is sent, so two workers do not both send it; what fails is tried again with a
growing wait. A worker that dies between sending and noting it sends once more after the lease.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urlsplit

import httpx
from django.core.mail import send_mail
from django.db.models import Q

from routing.models import Alert
from routing.specs import LOCAL_HOSTS

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
WEBHOOK_TIMEOUT_S = 5.0
BATCH = 20


class NotSent(Exception):
    """A channel did not take an alert; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Where alerts go; empty = nowhere. `origin` is the site's own address, for links."""

    webhook_url: str = ""
    emails: tuple[str, ...] = ()
    sender: str = ""
    origin: str = ""
    allow_loopback: bool = False


def address_problem(url: str, *, allow_loopback: bool) -> str | None:
    """Why nothing may be posted to an address, None when it may: https, or this machine if allowed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "the address cannot be read"
    if not host or port == 0 or any(char <= " " for char in url):
        return "the address cannot be read"
    if host in LOCAL_HOSTS:
        return None if allow_loopback else "the address is on this machine"
    return None if parts.scheme == "https" else "the address does not begin with https://"


def send_due(channels: Channels, *, now: datetime) -> int:
    """Send what is due and open; returns how many alerts got through on every channel."""
    return sum(_send_one(row, channels, now=now) for row in _waiting(channels, now=now)[:BATCH])


def _waiting(channels: Channels, *, now: datetime) -> Sequence[Alert]:
    unsent = Q(pk__in=[])
    if channels.webhook_url:
        unsent |= Q(webhook_sent_at__isnull=True)
    if channels.emails:
        unsent |= Q(email_sent_at__isnull=True)
    still_open = Alert.objects.filter(unsent, acknowledged_at__isnull=True, send_after__lte=now)
    return list(still_open.order_by("id")[:BATCH])


def _send_one(row: Alert, channels: Channels, *, now: datetime) -> bool:
    leased = Alert.objects.filter(id=row.id, send_after=row.send_after).update(
        send_after=now + LEASE
    )
    if not leased:
        return False
    problems = [
        problem
        for wanted, field, send in (
            (bool(channels.webhook_url), "webhook_sent_at", _post),
            (bool(channels.emails), "email_sent_at", _mail),
        )
        if wanted and (problem := _through(row, field, send, channels=channels, now=now))
    ]
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.send_attempts, 10))
    Alert.objects.filter(id=row.id).update(
        send_after=now + wait if problems else now,
        send_attempts=row.send_attempts + bool(problems),
        send_error="; ".join(problems)[:200],
    )
    return not problems


def _through(
    row: Alert,
    field: str,
    send: Callable[[Alert, Channels], None],
    *,
    channels: Channels,
    now: datetime,
) -> str:
    """Send over one channel and note it; the problem in words, empty when it went or had gone."""
    if getattr(row, field) is not None:
        return ""
    try:
        send(row, channels)
    except NotSent as error:
        logger.warning("alert %s was not sent: %s", row.id, error)
        return str(error)
    Alert.objects.filter(id=row.id).update(**{field: now})
    return ""


def _post(row: Alert, channels: Channels) -> None:
    problem = address_problem(channels.webhook_url, allow_loopback=channels.allow_loopback)
    if problem:
        raise NotSent(f"ALERT_WEBHOOK_URL: {problem}")  # noqa: EM102  one line says it
    body = {
        "cause": row.cause,
        "severity": row.severity,
        "text": row.text,
        "link": channels.origin + row.path,
        "count": row.count,
        "first_at": row.first_at.isoformat(),
        "last_at": row.last_at.isoformat(),
    }
    try:
        with (
            httpx.Client(
                trust_env=False, follow_redirects=False, timeout=WEBHOOK_TIMEOUT_S
            ) as http,
            http.stream("POST", channels.webhook_url, json=body) as response,
        ):
            status = response.status_code
    except httpx.HTTPError as error:
        message = f"webhook: {type(error).__name__}"
        raise NotSent(message) from None
    if not httpx.codes.is_success(status):
        message = f"webhook: it answered {status}"
        raise NotSent(message)


def _mail(row: Alert, channels: Channels) -> None:
    text = f"{row.text}\n\n{channels.origin}{row.path}\n"
    try:
        send_mail(
            f"[Breakwater] {row.severity}: {row.text[:80]}",
            text,
            channels.sender or None,
            list(channels.emails),
        )
    except (SMTPException, OSError) as error:
        message = f"e-mail: {type(error).__name__}"
        raise NotSent(message) from None
