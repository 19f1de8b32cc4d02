"""Budgets and quotas: which of them a call falls under, in which period, and how much is gone. Pure.

A period begins at midnight of its zone and ends at the next one, or at the first of the next month.
Where the clocks are put forward at midnight the day begins with the first minute that exists; where
they are put back over it, with the first of the two midnights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from base.money import usd
from routing.errors import OverBudget, OverQuota
from routing.specs import BudgetSpec, ModelSpec, Period, QuotaSpec, RoutingSnapshot, Tier

# Per cent USED at which people are told: a budget at 80, a quota with 20 and with 10 left.
BUDGET_MARKS = (80, 100)
QUOTA_MARKS = (80, 90, 100)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (excluded), in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """One budget or quota in its current period, as a call meets it.

    A field that is None does not narrow what is counted.
    """

    kind: Literal["budget", "quota"]
    row_id: int
    label: str
    span: Span
    zone: str
    limit_nanousd: int | None
    limit_tokens: int | None
    site_id: int | None = None
    tier: str | None = None
    endpoint_key: str | None = None
    model_asked: str | None = None

    @property
    def narrowed(self) -> dict[str, int | str]:
        """The columns of the ledger that narrow it, with their values."""
        columns = {
            "site_id": self.site_id,
            "tier": self.tier,
            "endpoint_key": self.endpoint_key,
            "model_asked": self.model_asked,
        }
        return {name: value for name, value in columns.items() if value is not None}

    @property
    def covers(self) -> str:
        """What is counted, as text; two scopes that count the same have the same."""
        return " ".join(f"{name}={value}" for name, value in self.narrowed.items())

    def mark(self, *, nanousd: int, tokens: int) -> int:
        """The highest mark in per cent that these sums have reached, 0 for none."""
        marks = BUDGET_MARKS if self.kind == "budget" else QUOTA_MARKS
        return max(
            (mark for mark in marks if self._reached(mark, nanousd=nanousd, tokens=tokens)),
            default=0,
        )

    def _reached(self, percent: int, *, nanousd: int, tokens: int) -> bool:
        used = ((nanousd, self.limit_nanousd), (tokens, self.limit_tokens))
        return any(limit is not None and amount * 100 >= limit * percent for amount, limit in used)

    def used_in_words(self, *, nanousd: int, tokens: int) -> str:
        """`$8.30 of $10.00`, with tokens where they are limited."""
        parts = []
        if self.limit_nanousd is not None:
            parts.append(f"{usd(nanousd)} of {usd(self.limit_nanousd)}")
        if self.limit_tokens is not None:
            parts.append(f"{tokens:,} of {self.limit_tokens:,} tokens")
        return " and ".join(parts)

    def refusal(self, reason: str, *, now: datetime) -> OverBudget | OverQuota:
        """The error for a call that does not fit."""
        begins = self.span.end.astimezone(ZoneInfo(self.zone))
        text = (
            f"the {self.kind} {self.label} {reason}; it begins anew on "
            f"{begins.day} {begins:%B at %H:%M} ({self.zone})"
        )
        kind = OverBudget if self.kind == "budget" else OverQuota
        left_s = max(0.0, (self.span.end - now).total_seconds())
        return kind(text, retry_after_s=left_s, row_id=self.row_id)


def span_of(period: Period, *, at: datetime, zone: str) -> Span:
    """The period that holds the moment `at` (aware)."""
    place = ZoneInfo(zone)
    day = at.astimezone(place).date()
    if period is Period.DAY:
        return Span(_midnight(day, place), _midnight(day + timedelta(days=1), place))
    first = day.replace(day=1)
    next_first = (first + timedelta(days=31)).replace(day=1)
    return Span(_midnight(first, place), _midnight(next_first, place))


def scopes_of(
    snapshot: RoutingSnapshot, *, model: ModelSpec, tier: Tier, site_id: int | None, at: datetime
) -> tuple[Scope, ...]:
    """Every budget and quota that a call at the moment `at` falls under, in a fixed order."""
    budgets = (
        _of_budget(budget, model=model, at=at)
        for budget in snapshot.budgets
        if _covers(budget, model=model, tier=tier, site_id=site_id)
    )
    quotas = (
        _of_quota(quota, at=at)
        for quota in snapshot.quotas
        if quota.endpoint_key == model.endpoint.key
    )
    return tuple(_in_order(*budgets, *quotas))


def has_line(snapshot: RoutingSnapshot, *, model: ModelSpec, tier: Tier) -> bool:
    """Whether a budget names this tier and this model, so that they may be spent on each other."""
    return any(
        budget.tier is tier and budget.model_id == model.id and budget.limit_nanousd > 0
        for budget in snapshot.budgets
    )


def _in_order(*scopes: Scope) -> Iterator[Scope]:
    yield from sorted(scopes, key=lambda scope: (scope.kind, scope.row_id))


def _covers(budget: BudgetSpec, *, model: ModelSpec, tier: Tier, site_id: int | None) -> bool:
    return (
        budget.site_id in (None, site_id)
        and budget.tier in (None, tier)
        and budget.model_id in (None, model.id)
    )


def _of_budget(budget: BudgetSpec, *, model: ModelSpec, at: datetime) -> Scope:
    of_one_model = budget.model_id is not None
    return Scope(
        kind="budget",
        row_id=budget.id,
        label=budget.label,
        span=span_of(budget.period, at=at, zone=budget.zone),
        zone=budget.zone,
        limit_nanousd=budget.limit_nanousd,
        limit_tokens=None,
        site_id=budget.site_id,
        tier=None if budget.tier is None else budget.tier.value,
        endpoint_key=model.endpoint.key if of_one_model else None,
        model_asked=model.name if of_one_model else None,
    )


def _of_quota(quota: QuotaSpec, *, at: datetime) -> Scope:
    return Scope(
        kind="quota",
        row_id=quota.id,
        label=quota.label,
        span=span_of(quota.period, at=at, zone=quota.zone),
        zone=quota.zone,
        limit_nanousd=quota.limit_nanousd,
        limit_tokens=quota.limit_tokens,
        endpoint_key=quota.endpoint_key,
    )


def _midnight(day: date, place: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
