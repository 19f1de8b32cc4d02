"""Asks vendors what an account has used or has left, and holds it against our own ledger.

Our ledger is what decides; a vendor's figure only checks it, so a page that is missing, closed or
unreadable is noted and changes nothing. Two readings are compared: what the vendor counted between
them, and what the ledger booked in that time.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from django.db.models import Max, Q, Sum

from base.clock import Clock
from routing import alerts, notices
from routing.accounts import (
    DRIFT_SHARE,
    Reading,
    Unreadable,
    drift_share,
    read_balance,
    read_usage,
    spent_between,
)
from routing.errors import ConfigurationError
from routing.hosts import check_host, check_key
from routing.models import Call, Endpoint, Statement
from routing.snapshot import Access, access_of, endpoint_spec
from routing.specs import EndpointSpec, host_of

__all__ = ["DRIFT_SHARE", "Asker", "drift_share", "reconcile_due"]

EVERY = timedelta(hours=23)
LONGEST_S = 10.0
LARGEST_BYTES = 65_536
_PAGES = {"usage": ("/usage", read_usage), "balance": ("/user/balance", read_balance)}


@dataclass(frozen=True, slots=True)
class Asker:
    """Reads account pages; only from hosts that keys may be sent to, without following redirects."""

    allowed_hosts: Collection[str]
    allow_loopback: bool
    clock: Clock

    def reading(self, endpoint: EndpointSpec, *, page: str, currency: str) -> Reading:
        """The account as the vendor tells it now. Raises Unreadable with the reason."""
        access = access_of(endpoint)
        if access is None:
            message = f"{endpoint.key_env} is not set"
            raise Unreadable(message)
        path, read = _PAGES[page]
        try:
            check_host(access.base_url, self.allowed_hosts, allow_loopback=self.allow_loopback)
            check_key(access.api_key, key_env=endpoint.key_env, host=host_of(access.base_url))
            body = self._get(access, path)
        except (ConfigurationError, httpx.HTTPError) as error:
            message = str(error).replace(access.api_key, "[key]") or type(error).__name__
            raise Unreadable(message) from None
        return read(body, currency=currency)

    def _get(self, access: Access, path: str) -> object:
        base = access.base_url if path == "/usage" else access.base_url.removesuffix("/v1")
        headers = {"Authorization": f"Bearer {access.api_key}", "Accept": "application/json"}
        until_s = self.clock.monotonic_s() + LONGEST_S
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=LONGEST_S / 2) as http,
            http.stream("GET", base + path, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                message = f"the page answered {response.status_code}"
                raise Unreadable(message)
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BYTES or self.clock.monotonic_s() > until_s:
                    message = "the page is too long or too slow"
                    raise Unreadable(message)
        try:
            return json.loads(body)
        except ValueError:
            message = "the page is not JSON"
            raise Unreadable(message) from None


def reconcile_due(asker: Asker, *, every: timedelta = EVERY) -> list[Statement]:
    """Read every account whose last reading is older than `every`; returns the new statements."""
    now = asker.clock.now()
    rows = Endpoint.objects.exclude(account="").filter(enabled=True)
    due = rows.annotate(newest=Max("statements__read_at")).filter(
        Q(newest__isnull=True) | Q(newest__lte=now - every)
    )
    return [_reconcile(row, asker=asker, now=now) for row in due if _has_key(row)]


def _has_key(row: Endpoint) -> bool:
    return access_of(endpoint_spec(row)) is not None


def _reconcile(row: Endpoint, *, asker: Asker, now: datetime) -> Statement:
    spec = endpoint_spec(row)
    statement = Statement(endpoint=row, read_at=now)
    try:
        reading = asker.reading(spec, page=row.account, currency=row.currency)
    except Unreadable as error:
        statement.problem = str(error)[:200]
        statement.save()
        return statement
    statement.currency = reading.currency
    statement.used_nano, statement.limit_nano = reading.used_nano, reading.limit_nano
    statement.remaining_nano, statement.reset_at = reading.remaining_nano, reading.reset_at
    _compare(statement, reading, simulated=spec.simulated)
    statement.save()
    _tell(statement, reading, now=now)
    return statement


def _compare(statement: Statement, reading: Reading, *, simulated: bool) -> None:
    """Fill in both sums since the reading before, or say why there is no comparison."""
    told = Statement.objects.filter(endpoint=statement.endpoint).exclude(currency="")
    last = told.order_by("-id").first()
    if last is None:
        statement.problem = "the first reading: nothing to compare with yet"
        return
    before = Reading(
        last.currency, last.used_nano, last.limit_nano, last.remaining_nano, last.reset_at
    )
    statement.vendor_nano = spent_between(before, reading, read_at=statement.read_at)
    if statement.vendor_nano is None:
        statement.problem = "not comparable: a new period, another currency, or a top-up"
        return
    booked = Call.objects.filter(
        endpoint_key=statement.endpoint.key,
        simulated=simulated,
        currency=reading.currency,
        ended_at__gt=last.read_at,
        ended_at__lte=statement.read_at,
    )
    statement.ledger_nano = booked.aggregate(total=Sum("amount_nano"))["total"] or 0


def _tell(statement: Statement, reading: Reading, *, now: datetime) -> None:
    endpoint = statement.endpoint
    share = drift_share(vendor_nano=statement.vendor_nano, ledger_nano=statement.ledger_nano)
    if share is not None and share > DRIFT_SHARE:
        alerts.record(notices.drift(endpoint.name, endpoint.key, share=share, now=now), now=now)
    if not reading.is_available:
        alerts.record(notices.account_empty(endpoint.name, endpoint.key, now=now), now=now)
    left = reading.left_percent
    if left is not None and left <= notices.LOW_PERCENT:
        until = reading.reset_at or now + notices.DAY
        notice = notices.account_low(endpoint.name, endpoint.key, left_percent=left, until=until)
        alerts.record(notice, now=now)
