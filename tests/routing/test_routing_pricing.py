"""Claims about money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.pricing import cost_of, price_of, rate_of
from routing.specs import PriceSpec, Usage

DAY = date(2026, 11, 23)


def _price(
    name: str = "gpt-4.1", *, since: date = date(2026, 1, 1), output: int = 8_000
) -> PriceSpec:
    return PriceSpec("openai", name, since, "USD", 2_000, 500, output)


@pytest.mark.parametrize(
    ("served", "found"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("gpt-4.1-20250414", "gpt-4.1"),
        ("models/gpt-4.1", "gpt-4.1"),
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-4", None),
        ("", None),
    ],
)
def test_the_model_that_answered_is_charged(served: str, found: str | None) -> None:
    """A dated snapshot costs what its model costs; another model never lends its price."""
    prices = [_price(), _price("gpt-4.1-mini")]
    price = price_of(prices, endpoint_key="openai", model_name=served, day=DAY)
    assert (price.model_name if price else None) == found


def test_a_snapshot_s_own_price_wins() -> None:
    """Where the dated name has its own price, that one counts even if it is older."""
    prices = [_price(since=DAY), _price("gpt-4.1-2025-04-14", output=9_000)]
    price = price_of(prices, endpoint_key="openai", model_name="gpt-4.1-2025-04-14", day=DAY)
    assert price == prices[1]


@pytest.mark.parametrize(
    ("day", "output"),
    [(date(2026, 6, 30), 8_000), (date(2026, 7, 1), 6_000), (date(2025, 12, 31), None)],
)
def test_the_price_of_the_day_counts(day: date, output: int | None) -> None:
    """A price holds from its first day until the next one's; before the first there is none."""
    prices = [_price(), _price(since=date(2026, 7, 1), output=6_000)]
    price = price_of(prices, endpoint_key="openai", model_name="gpt-4.1", day=day)
    assert (price.output_nano_per_token if price else None) == output


def test_a_price_belongs_to_its_endpoint() -> None:
    """A gateway's model is not charged at the maker's price."""
    assert price_of([_price()], endpoint_key="gateway", model_name="gpt-4.1", day=DAY) is None


def test_cached_tokens_cost_their_own_price() -> None:
    """Input without the cached part, the cached part, and output are added up exactly."""
    cost = cost_of(Usage(1_000, 100, 400), price=_price(), usd_per_unit=Decimal(1), certain=True)
    assert cost.amount_nano == 600 * 2_000 + 400 * 500 + 100 * 8_000
    assert (cost.cost_nanousd, cost.certain) == (cost.amount_nano, True)


@pytest.mark.parametrize(
    ("amount", "rate", "nanousd"),
    [(1, "0.5", 1), (1, "0.49999999", 0), (3, "0.5", 2), (5, "0.1", 1), (10, "0.13900000", 1)],
)
def test_dollars_are_rounded_half_up(amount: int, rate: str, nanousd: int) -> None:
    """Half a nano-dollar counts as one."""
    price = PriceSpec("g", "m", DAY, "CNY", 1, 1, 1)
    cost = cost_of(Usage(amount, 0), price=price, usd_per_unit=Decimal(rate), certain=True)
    assert cost.cost_nanousd == nanousd


def test_an_unknown_rate_makes_the_dollars_uncertain() -> None:
    """The vendor's own amount is still exact."""
    price = PriceSpec("g", "m", DAY, "CNY", 7, 7, 7)
    cost = cost_of(Usage(10, 0), price=price, usd_per_unit=None, certain=True)
    assert (cost.amount_nano, cost.cost_nanousd, cost.certain) == (70, 0, False)


def test_the_rate_of_the_day_counts() -> None:
    """A rate holds from its day on, dollars need none, an unknown currency has none."""
    rates = [("CNY", date(2026, 1, 1), "0.14"), ("CNY", date(2026, 11, 23), "0.139")]
    days = [date(2025, 12, 31), date(2026, 11, 22), DAY]
    assert [rate_of(rates, currency="CNY", day=day) for day in days] == [
        None,
        Decimal("0.14"),
        Decimal("0.139"),
    ]
    assert rate_of(rates, currency="USD", day=DAY) == 1


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**6))
def test_no_usage_is_charged_below_zero(given_: int, taken: int, cached: int, nano: int) -> None:
    """Whatever a vendor reports, even more cached than given, the cost is a whole number from 0."""
    price = PriceSpec("g", "m", DAY, "CNY", nano, nano // 10, nano * 4)
    usage = Usage(given_, taken, cached)
    cost = cost_of(usage, price=price, usd_per_unit=Decimal("0.139"), certain=True)
    assert cost.cost_nanousd >= 0
    assert abs(Decimal(cost.cost_nanousd) - cost.amount_nano * Decimal("0.139")) <= Decimal("0.5")
