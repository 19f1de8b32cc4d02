"""What several spending processes share: two models, and budgets that meet in different orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from routing.specs import BudgetSpec, Period, PriceSpec, RoutingSnapshot, Tier, Usage
from tests.routing.helpers import model

CALLS = 60
AT_MOST = Usage(50, 25)
COST_NANOUSD = 1_000
PLENTY = 10**12
SPECS = [replace(model(name=name), id=number) for number, name in enumerate(("a", "b"), 1)]
SNAPSHOT = RoutingSnapshot(
    chains={},
    prices=tuple(
        PriceSpec("openai", spec.name, date(2026, 1, 1), "USD", 10, 1, 20) for spec in SPECS
    ),
    budgets=(
        BudgetSpec(1, "a", Period.MONTH, "UTC", PLENTY, model_id=1),
        BudgetSpec(2, "b", Period.MONTH, "UTC", PLENTY, model_id=2),
        BudgetSpec(3, "one site", Period.MONTH, "UTC", PLENTY, site_id=1),
        BudgetSpec(4, "everything", Period.MONTH, "UTC", CALLS * COST_NANOUSD),
        BudgetSpec(5, "simple", Period.MONTH, "UTC", PLENTY, tier=Tier.FAQ),
    ),
)
