"""Claims about hard budgets and quotas in the ledger: exact, released, and told in time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from base.clock import ManualClock
from base.writer import Writer
from routing.alerts import Alarms
from routing.errors import OverBudget, OverQuota, Refused
from routing.ledger import Ending, Entry, Ledger
from routing.models import Alert, Call, Spending
from routing.specs import BudgetSpec, Period, PriceSpec, QuotaSpec, RoutingSnapshot, Tier, Usage
from tests.routing.helpers import NOW, model
from tests.routing.world import calls

SPEC = model(name="m")
SINCE = date(2026, 1, 1)
PRICES = (
    PriceSpec("openai", "m", SINCE, "USD", 10, 1, 20),
    PriceSpec("openai", "yuan", SINCE, "EUR", 10, 1, 20),
)
AT_MOST = Usage(50, 25)  # costs 1,000
BUDGET = BudgetSpec(3, "everything per day", Period.DAY, "UTC", limit_nanousd=10_000)
TOKENS = QuotaSpec(4, "OpenAI per month", "openai", Period.MONTH, "UTC", limit_tokens=750)


class Till:
    """A ledger over a snapshot that a test may change."""

    def __init__(self, writer: Writer) -> None:
        self.snapshot = RoutingSnapshot(chains={}, prices=PRICES, budgets=(BUDGET,))
        self.clock = ManualClock(now=NOW)
        self.ledger = Ledger(
            writer=writer,
            routing=lambda: self.snapshot,
            clock=self.clock,
            alarm=Alarms(writer=writer, clock=self.clock),
        )

    async def open(self, spec: Any = SPEC, **more: Any) -> Entry:
        """An open row that may cost 1,000 nano-dollars."""
        entry = self.ledger.entry(spec)
        options: dict[str, Any] = {"tier": Tier.FAQ, "site_id": 1, "at_most": AT_MOST}
        await self.ledger.open(entry, question_id=7, wait_ms=0, **(options | more))
        return entry

    async def buy(self, usage: Usage, **more: Any) -> None:
        """A whole call."""
        await self.ledger.close(await self.open(**more), Ending(Call.COMPLETED, usage))


@pytest.fixture
def till(writer: Writer) -> Till:
    """A ledger with a budget of ten calls a day."""
    return Till(writer)


async def rows(kind: str = "budget") -> list[tuple[int, int, int, int]]:
    """Spent and reserved nano-dollars, spent and reserved tokens of each count."""

    def read() -> list[tuple[int, int, int, int]]:
        found = Spending.objects.filter(kind=kind).order_by("id")
        names = ("spent_nanousd", "reserved_nanousd", "spent_tokens", "reserved_tokens")
        return list(found.values_list(*names))

    return await asyncio.to_thread(read)


async def alerts() -> list[Alert]:
    """Every alert, oldest first."""
    return await asyncio.to_thread(lambda: list(Alert.objects.order_by("id")))


async def test_a_call_reserves_and_then_pays(till: Till) -> None:
    """The whole estimate is held while the call runs, then what it really cost."""
    entry = await till.open()
    assert await rows() == [(0, 1_000, 0, 75)]
    await till.ledger.close(entry, Ending(Call.COMPLETED, Usage(50, 5)))
    assert await rows() == [(600, 0, 55, 0)]
    row = (await calls())[0]
    assert (row.reserved_nanousd, row.reserved_input_tokens, row.reserved_output_tokens) == (
        1_000,
        50,
        25,
    )


async def test_what_does_not_fit_is_refused_and_leaves_nothing(till: Till) -> None:
    """The eleventh call at once is refused: no row, no reservation, the reason in words."""
    for _ in range(10):
        await till.open()
    with pytest.raises(
        OverBudget, match=r"everything per day is used up \(\$0\.00001 of"
    ) as caught:
        await till.open()
    assert caught.value.retry_after_s == 12 * 3_600
    assert await rows() == [(0, 10_000, 0, 750)]
    assert len(await calls()) == 10


async def test_money_that_was_not_needed_is_there_again(till: Till) -> None:
    """A failed call gives its whole reservation back."""
    entries = [await till.open() for _ in range(10)]
    await till.ledger.close(entries[0], Ending(Call.FAILED, Usage(0, 0), failure="server"))
    await till.open()
    assert await rows() == [(0, 10_000, 0, 750)]


async def test_a_second_completion_pays_nothing(till: Till) -> None:
    """However often a row is completed, it is paid once."""
    entry = await till.open()
    for _ in range(3):
        await till.ledger.close(entry, Ending(Call.COMPLETED, AT_MOST))
    assert await rows() == [(1_000, 0, 75, 0)]


async def test_whoever_leaves_pays_what_was_used(till: Till, writer: Writer) -> None:
    """An abandoned call settles too."""
    entry = await till.open()
    till.ledger.abandon(entry, Ending(Call.ABORTED, Usage(50, 0), estimated=True))
    await asyncio.to_thread(writer.stop)
    assert await rows() == [(500, 0, 50, 0)]


async def test_a_refusal_takes_back_what_other_scopes_held(till: Till) -> None:
    """Where one of several limits does not cover a call, none of them is charged."""
    till.snapshot = replace(till.snapshot, quotas=(replace(TOKENS, limit_tokens=74),))
    with pytest.raises(OverQuota, match="0 of 74 tokens"):
        await till.open()
    assert [row for row in await rows() if row[1]] == []


async def test_a_new_period_begins_at_nothing(till: Till) -> None:
    """After midnight the whole budget is there, and late endings go to the day they began on."""
    entries = [await till.open() for _ in range(10)]
    till.clock.advance(12 * 3_600)
    await till.open()
    await till.ledger.close(entries[0], Ending(Call.COMPLETED, AT_MOST))
    assert await rows() == [(1_000, 9_000, 75, 675), (0, 1_000, 0, 75)]


async def test_a_budget_made_at_noon_knows_the_morning(till: Till) -> None:
    """A count starts from the ledger: what was spent, and the estimate of what is under way."""
    budgets, till.snapshot = till.snapshot.budgets, replace(till.snapshot, budgets=())
    await till.buy(Usage(100, 0))
    await till.buy(Usage(100, 0), tier=Tier.HIGH)
    await till.open()
    of_tier = replace(BUDGET, id=8, tier=Tier.FAQ)
    till.snapshot = replace(till.snapshot, budgets=(*budgets, of_tier))
    await till.open()
    assert await rows() == [(3_000, 1_000, 275, 75), (2_000, 1_000, 175, 75)]


async def test_another_day_s_spending_does_not_count(till: Till) -> None:
    """Only calls of the period are taken over."""
    budgets, till.snapshot = till.snapshot.budgets, replace(till.snapshot, budgets=())
    await till.buy(Usage(100, 0))
    till.clock.advance(24 * 3_600)
    till.snapshot = replace(till.snapshot, budgets=budgets)
    await till.open()
    assert await rows() == [(0, 1_000, 0, 75)]


@pytest.mark.parametrize("name", ["unheard-of", "yuan"], ids=["no price", "no rate"])
async def test_what_has_no_price_is_refused_inside_a_budget(name: str, till: Till) -> None:
    """A budget cannot be kept for a model whose price in dollars is not known; staff are told."""
    with pytest.raises(Refused, match="no price is known for the model; add one under Prices"):
        await till.open(model(name=name))
    await till.buy(Usage(1, 1))
    (alert,) = await alerts()
    assert alert.cause in ("no-price:openai:unheard-of", "no-rate:EUR")
    assert await rows() == [(30, 0, 2, 0)]


async def test_a_quota_of_tokens_needs_no_price(till: Till) -> None:
    """Tokens are counted for a model without price as well."""
    till.snapshot = replace(till.snapshot, budgets=(), quotas=(TOKENS,))
    for _ in range(10):
        await till.open(model(name="unheard-of"))
    with pytest.raises(OverQuota):
        await till.open(model(name="unheard-of"))


async def test_budgets_warn_once_at_80_and_100_percent(till: Till) -> None:
    """Each mark is told once in its period, with the page that puts it right."""
    for cost in (7_900, 50, 50, 1_000):
        await till.buy(Usage(cost // 10, 0))
    with pytest.raises(OverBudget):
        await till.open(at_most=Usage(101, 0))
    await till.buy(Usage(100, 0), at_most=Usage(100, 0))
    found = await alerts()
    assert [alert.cause for alert in found] == ["budget:3:80", "budget:3:100"]
    assert "is used to 80 % ($0.000008 of $0.00001)" in found[0].text
    assert found[0].path == "/admin/routing/budget/3/change/"
    assert [alert.severity for alert in found] == [Alert.WARNING, Alert.DANGER]


async def test_quotas_warn_when_20_and_10_percent_are_left(till: Till) -> None:
    """A fifth USED is no reason to warn; a fifth and a tenth LEFT are."""
    till.snapshot = replace(
        till.snapshot, budgets=(), quotas=(replace(TOKENS, limit_tokens=1_000),)
    )
    seen = []
    for tokens in (200, 599, 1, 99, 1):
        await till.buy(Usage(tokens, 0))
        seen.append([alert.cause for alert in await alerts()])
    assert seen == [[], [], ["quota:4:80"], ["quota:4:80"], ["quota:4:80", "quota:4:90"]]
    assert "has less than 10 % left (900 of 1,000 tokens)" in (await alerts())[1].text


async def test_a_refusal_names_the_limit_that_refused(till: Till) -> None:
    """A budget and a quota of the same number are told apart."""
    tight = replace(TOKENS, id=BUDGET.id, limit_tokens=10)
    till.snapshot = replace(till.snapshot, quotas=(tight,))
    with pytest.raises(OverQuota):
        await till.open()
    await till.buy(Usage(1, 1), at_most=Usage(1, 1))
    assert [alert.cause for alert in await alerts()] == ["quota:3:100"]


async def test_without_budgets_no_statement_is_added(till: Till, writer: Writer) -> None:
    """A shop that limits nothing pays nothing for it: one INSERT and one UPDATE per call."""
    till.snapshot = replace(till.snapshot, budgets=())
    await asyncio.to_thread(writer.stop)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            for job in jobs:
                job()
        return [row["sql"] for row in captured]

    jobs: list[Any] = []

    class Caught(Writer):
        def submit(self, job: Any) -> Any:
            jobs.append(job)
            future = super().submit(lambda: None)
            future.set_result(None)
            return future

    till.ledger._writer = Caught()
    await till.buy(Usage(1, 1))
    assert [sql.split()[0] for sql in await asyncio.to_thread(queries)] == ["INSERT", "UPDATE"]


async def test_simulated_spending_is_counted_apart(till: Till) -> None:
    """The simulator's calls never use up what is meant for vendors."""
    live = replace(SPEC, endpoint=replace(SPEC.endpoint, simulated=False))
    await till.open()
    await till.open(live)
    found = await asyncio.to_thread(lambda: list(Spending.objects.values_list("simulated")))
    assert sorted(found) == [(False,), (True,)]


async def test_the_deadline_stands_in_the_row(till: Till) -> None:
    """The row says until when its call may run."""
    await till.open(deadline_s=till.clock.monotonic_s() + 12)
    assert (await calls())[0].deadline_at == NOW + timedelta(seconds=12)
