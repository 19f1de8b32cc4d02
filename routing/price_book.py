"""The price book: which price holds when, and which ones may not change any more.

Days are UTC, as the ledger's. A price holds from its day until the next one of the same model begins. What a
call was booked with stays: such a price keeps its figures and its day, and none may be slipped in before today
where calls were booked at another. A model whose calls had no price yet may get one for the past.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from routing.models import Call, ExchangeRate, Price

State = Literal["future", "current", "past"]
FIXED = (
    "endpoint_id",
    "model_name",
    "valid_from",
    "currency",
    "input_nano_per_token",
    "cached_input_nano_per_token",
    "output_nano_per_token",
)


@dataclass(frozen=True, slots=True)
class Dated:
    """A price or rate with its span: from `row.valid_from` to the day before `until` (None: open)."""

    row: Price | ExchangeRate
    state: State
    until: date | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One model at one endpoint with all its prices, the newest first."""

    endpoint_id: int
    endpoint_key: str
    endpoint_name: str
    model_name: str
    currency: str
    prices: tuple[Dated, ...]
    lacks_rate: bool


def book(*, today: date) -> list[Entry]:
    """Every price by endpoint and model."""
    groups: defaultdict[tuple[int, str], list[Price]] = defaultdict(list)
    for row in Price.objects.select_related("endpoint"):
        groups[row.endpoint_id, row.model_name].append(row)
    rated = {row.currency for row in ExchangeRate.objects.filter(valid_from__lte=today)} | {"USD"}
    return [
        Entry(
            endpoint_id=endpoint_id,
            endpoint_key=rows[0].endpoint.key,
            endpoint_name=rows[0].endpoint.name,
            model_name=name,
            currency=rows[0].currency,
            prices=tuple(dated(rows, today=today)),
            lacks_rate=any(row.currency not in rated for row in rows),
        )
        for (endpoint_id, name), rows in groups.items()
    ]


def rates(*, today: date) -> dict[str, list[Dated]]:
    """Every exchange rate by currency, the newest first."""
    groups: defaultdict[str, list[ExchangeRate]] = defaultdict(list)
    for row in ExchangeRate.objects.all():
        groups[row.currency].append(row)
    return {name: dated(rows, today=today) for name, rows in groups.items()}


def dated(rows: Iterable[Price | ExchangeRate], *, today: date) -> list[Dated]:
    """Rows of one model or currency with their spans, the newest first."""
    found: list[Dated] = []
    until: date | None = None
    for row in sorted(rows, key=lambda row: row.valid_from, reverse=True):
        state: State = "past" if until is not None and until <= today else "current"
        if row.valid_from > today:
            state = "future"
        found.append(Dated(row, state, until))
        until = row.valid_from
    return found


def is_booked(price: Price) -> bool:
    """Whether a call was booked with this price, as it stands in the database."""
    return _booked_from(price, since=price.valid_from)


def problem_with(price: Price, *, today: date) -> str:
    """Why this price, new or changed, may not be stored; empty when it may."""
    before = Price.objects.filter(pk=price.pk).first() if price.pk else None
    if before is not None:
        if all(getattr(before, name) == getattr(price, name) for name in FIXED):
            return ""
        if is_booked(before):
            return _(
                "Calls were booked with this price, so it cannot change. Add a new price from today or later."
            )
    if price.valid_from >= today:
        return ""
    others = Price.objects.filter(endpoint_id=price.endpoint_id, model_name=price.model_name)
    in_force = others.exclude(pk=price.pk).filter(valid_from__lt=price.valid_from).first()
    if in_force is not None and _booked_from(in_force, since=price.valid_from):
        return _(
            "Calls since %(day)s were booked at the price from %(before)s. Date the new one from today or later."
        ) % {"day": price.valid_from, "before": in_force.valid_from}
    return ""


def rate_is_booked(rate: ExchangeRate) -> bool:
    """Whether a call was booked with this rate, as it stands in the database."""
    later = ExchangeRate.objects.filter(currency=rate.currency, valid_from__gt=rate.valid_from)
    calls = Call.objects.filter(currency=rate.currency)
    return _within(calls, rate.valid_from, later.order_by("valid_from").first())


def _booked_from(price: Price, *, since: date) -> bool:
    """Whether calls from a day on were booked with a price."""
    name = price.model_name
    later = Price.objects.filter(
        endpoint_id=price.endpoint_id, model_name=name, valid_from__gt=price.valid_from
    )
    calls = Call.objects.filter(endpoint_key=price.endpoint.key).filter(
        Q(model_asked=name) | Q(model_served__in=(name, f"models/{name}"))
    )
    return _within(calls, since, later.order_by("valid_from").first())


def _within(calls: QuerySet[Call], since: date, successor: Price | ExchangeRate | None) -> bool:
    found = calls.filter(input_tokens__gt=0, started_at__gte=_begin(since))
    if successor is not None:
        found = found.filter(started_at__lt=_begin(successor.valid_from))
    return bool(found.exists())


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
