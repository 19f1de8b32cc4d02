"""Claims about periods, and about which budget or quota a call falls under."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import OverBudget, OverQuota
from routing.quota import Scope, Span, has_line, scopes_of, span_of
from routing.specs import BudgetSpec, Period, QuotaSpec, RoutingSnapshot, Tier
from tests.routing.helpers import NOW, model

ZONES = sorted(available_timezones() - {"localtime"})
EPOCH = datetime(1990, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 70 * 366 * 86_400).map(lambda s: EPOCH + timedelta(seconds=s))


@pytest.mark.parametrize(
    ("period", "zone", "at", "start", "hours"),
    [
        (Period.DAY, "UTC", "2026-11-25T23:59:59", "2026-11-25T00:00", 24),
        (Period.DAY, "Asia/Shanghai", "2026-11-25T16:00:00", "2026-11-25T16:00", 24),
        (Period.DAY, "Europe/Berlin", "2026-03-29T12:00:00", "2026-03-28T23:00", 23),
        (Period.DAY, "Europe/Berlin", "2026-10-25T12:00:00", "2026-10-24T22:00", 25),
        (Period.DAY, "America/Santiago", "2026-09-06T12:00:00", "2026-09-06T04:00", 23),
        (Period.DAY, "America/Havana", "2026-11-01T12:00:00", "2026-11-01T04:00", 25),
        (Period.MONTH, "UTC", "2026-12-31T23:59:59", "2026-12-01T00:00", 31 * 24),
        (Period.MONTH, "UTC", "2028-02-29T12:00:00", "2028-02-01T00:00", 29 * 24),
        (Period.MONTH, "America/New_York", "2026-11-30T23:00:00", "2026-11-01T04:00", 721),
        (Period.MONTH, "Asia/Shanghai", "2026-11-30T16:00:00", "2026-11-30T16:00", 31 * 24),
    ],
)
def test_a_period_begins_at_local_midnight(
    period: Period, zone: str, at: str, start: str, hours: int
) -> None:
    """Days of 23 and 25 hours, short months and the year's end are what they are in the zone."""
    span = span_of(period, at=datetime.fromisoformat(at).replace(tzinfo=UTC), zone=zone)
    assert span.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert span.end - span.start == timedelta(hours=hours)


@given(st.sampled_from(ZONES), MOMENTS, st.sampled_from(list(Period)))
def test_periods_follow_each_other_without_gap(zone: str, at: datetime, period: Period) -> None:
    """Every moment of every zone lies in one period, which ends where the next begins."""
    span = span_of(period, at=at, zone=zone)
    assert span.start <= at < span.end
    assert span_of(period, at=span.end, zone=zone).start == span.end
    last = span.end - timedelta(microseconds=1)
    assert span_of(period, at=last, zone=zone) == span
    assert span.start.astimezone(ZoneInfo(zone)).date() <= at.astimezone(ZoneInfo(zone)).date()


def budget(number: int = 1, **more: Any) -> BudgetSpec:
    """A budget of a day; `more` narrows it."""
    values: dict[str, Any] = {"period": Period.DAY, "zone": "UTC", "limit_nanousd": 1_000}
    return BudgetSpec(id=number, label=f"b{number}", **(values | more))


@pytest.mark.parametrize(
    ("narrowed", "covered"),
    [
        ({}, True),
        ({"site_id": 1}, True),
        ({"site_id": 2}, False),
        ({"tier": Tier.FAQ}, True),
        ({"tier": Tier.HIGH}, False),
        ({"model_id": 1}, True),
        ({"model_id": 2}, False),
        ({"site_id": 1, "tier": Tier.FAQ, "model_id": 1}, True),
        ({"site_id": 1, "tier": Tier.FAQ, "model_id": 2}, False),
    ],
)
def test_a_budget_covers_what_it_does_not_narrow(narrowed: dict[str, Any], covered: bool) -> None:
    """Site, tier and model all have to fit; an empty one always does."""
    snapshot = RoutingSnapshot(chains={}, budgets=(budget(**narrowed),))
    scopes = scopes_of(snapshot, model=model(), tier=Tier.FAQ, site_id=1, at=NOW)
    assert bool(scopes) is covered


def test_a_quota_covers_the_whole_key() -> None:
    """Every model at its endpoint counts, and none elsewhere."""
    quota = QuotaSpec(5, "q", "openai", Period.MONTH, "UTC", limit_tokens=10)
    snapshot = RoutingSnapshot(chains={}, quotas=(quota,), budgets=(budget(9), budget(2)))
    mine = scopes_of(snapshot, model=model(), tier=Tier.FAQ, site_id=None, at=NOW)
    others = scopes_of(snapshot, model=model(vendor="gemini"), tier=Tier.FAQ, site_id=1, at=NOW)
    assert [(scope.kind, scope.row_id) for scope in mine] == [
        ("budget", 2),
        ("budget", 9),
        ("quota", 5),
    ]
    assert {scope.kind for scope in others} == {"budget"}
    assert mine[2].narrowed == {"endpoint_key": "openai"}


SPAN = Span(NOW, NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "used", "limit", "mark"),
    [
        ("budget", 79, 100, 0),
        ("budget", 80, 100, 80),
        ("budget", 99, 100, 80),
        ("budget", 100, 100, 100),
        ("budget", 0, 0, 100),
        ("quota", 20, 100, 0),
        ("quota", 79, 100, 0),
        ("quota", 80, 100, 80),
        ("quota", 90, 100, 90),
        ("quota", 150, 100, 100),
        ("quota", 5, 0, 100),
    ],
)
def test_marks_count_what_is_used(kind: Any, used: int, limit: int, mark: int) -> None:
    """A budget warns at 80 % used, a quota at 20 % and 10 % LEFT; a limit of 0 is used up."""
    money = Scope(kind, 1, "x", SPAN, "UTC", limit_nanousd=limit, limit_tokens=None)
    tokens = Scope(kind, 1, "x", SPAN, "UTC", limit_nanousd=None, limit_tokens=limit)
    assert money.mark(nanousd=used, tokens=10**9) == mark
    assert tokens.mark(nanousd=10**9, tokens=used) == mark


def test_a_refusal_says_when_it_is_over() -> None:
    """The reason names the budget and the local time of the new period, the number is in seconds."""
    scope = scopes_of(
        RoutingSnapshot(chains={}, budgets=(budget(zone="Asia/Shanghai"),)),
        model=model(),
        tier=Tier.FAQ,
        site_id=1,
        at=NOW,
    )[0]
    error = scope.refusal("is used up ($1.00 of $1.00)", now=NOW)
    assert isinstance(error, OverBudget)
    assert (error.retry_after_s, error.row_id) == (4 * 3_600, 1)
    assert str(error) == (
        "the budget b1 is used up ($1.00 of $1.00); it begins anew on "
        "24 November at 00:00 (Asia/Shanghai)"
    )
    quota = Scope("quota", 1, "x", SPAN, "UTC", limit_nanousd=None, limit_tokens=1)
    assert isinstance(quota.refusal("", now=NOW), OverQuota)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ({"tier": Tier.FAQ, "model_id": 1}, True),
        ({"tier": Tier.FAQ, "model_id": 1, "limit_nanousd": 0}, False),
        ({"tier": Tier.FAQ}, False),
        ({"model_id": 1}, False),
        ({"tier": Tier.HIGH, "model_id": 1}, False),
    ],
)
def test_a_budget_line_names_both(line: dict[str, Any], named: bool) -> None:
    """Only a budget with money that names this tier and this model is a line for them."""
    snapshot = RoutingSnapshot(chains={}, budgets=(budget(**line),))
    assert has_line(snapshot, model=model(), tier=Tier.FAQ) is named


def test_dates_are_days() -> None:
    """The span of a day holds exactly that date in its zone."""
    span = span_of(Period.DAY, at=NOW, zone="Asia/Kathmandu")
    place = ZoneInfo("Asia/Kathmandu")
    assert span.start.astimezone(place).date() == date(2026, 11, 23)
    assert span.end.astimezone(place).date() == date(2026, 11, 24)
