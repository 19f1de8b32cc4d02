"""Claims about the chain when money or a key runs out: what is inside its budget answers, else nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from routing.errors import Exhausted
from routing.models import Call
from routing.specs import BudgetSpec, Limits, Period, QuotaSpec, Tier
from tests.routing.world import World, calls

PLENTY = 10**12


def of_model(number: int, model_id: int, limit_nanousd: int) -> BudgetSpec:
    """A day's budget of one model."""
    return BudgetSpec(
        number, f"m{model_id} per day", Period.DAY, "UTC", limit_nanousd, model_id=model_id
    )


async def test_the_chain_goes_on_with_what_is_inside_its_budget(world: World) -> None:
    """Nothing is sent to a model whose budget is used up; the next one answers, at once."""
    chain = [replace(world.model(name), id=i) for i, name in enumerate(("openai", "deepseek"), 1)]
    budgets = (of_model(1, 1, 0), of_model(2, 2, PLENTY))
    world.snapshot = replace(world.snapshot, budgets=budgets)
    before_s = world.clock.monotonic_s()
    answered = await world.ask(*chain)
    assert answered.model is chain[1]
    assert answered.attempts[0] == (
        chain[0].label,
        "the budget m1 per day is used up ($0.00 of $0.00); it begins anew on "
        "24 November at 00:00 (UTC)",
    )
    assert [row["vendor"] for row in world.requests()] == ["deepseek"]
    assert [(row.model_asked, row.outcome) for row in await calls()] == [
        ("deepseek-flash", Call.COMPLETED)
    ]
    assert world.clock.monotonic_s() == before_s
    assert [notice.cause for notice in world.notices] == ["budget:1:100"]


async def test_without_money_for_any_nothing_is_sent(world: World) -> None:
    """The chain ends with every reason, so that the shop's article can answer."""
    world.snapshot = replace(
        world.snapshot, budgets=(BudgetSpec(1, "everything", Period.MONTH, "UTC", 0),)
    )
    with pytest.raises(Exhausted) as caught:
        await world.ask(world.model("openai"), world.model("gemini"))
    assert len(caught.value.attempts) == 2
    assert world.requests() == []
    assert await calls() == []


async def test_a_used_up_key_leads_to_another_key(world: World) -> None:
    """A quota in tokens counts for its endpoint alone."""
    quota = QuotaSpec(1, "OpenAI per day", "openai", Period.DAY, "UTC", limit_tokens=10)
    world.snapshot = replace(world.snapshot, quotas=(quota,))
    answered = await world.ask(world.model("openai"), world.model("gemini"))
    assert answered.model.endpoint.key == "gemini"


async def test_a_refused_call_gives_its_place_back(world: World) -> None:
    """The limiter's tokens and places are free for others again."""
    spec = world.model("openai", limits=Limits(tokens_per_minute=6_000, in_flight=1))
    world.snapshot = replace(world.snapshot, budgets=(of_model(1, spec.id, 0),))
    with pytest.raises(Exhausted):
        await world.ask(spec, max_output_tokens=4_000)
    world.snapshot = replace(world.snapshot, budgets=())
    await world.ask(spec, max_output_tokens=4_000)
    assert world.gate.states()[0].in_flight == 0


async def test_a_budget_of_another_tier_or_site_does_not_matter(world: World) -> None:
    """Only what covers the call can refuse it."""
    budgets = (
        BudgetSpec(1, "a", Period.DAY, "UTC", 0, tier=Tier.HIGH),
        BudgetSpec(2, "b", Period.DAY, "UTC", 0, site_id=99),
    )
    world.snapshot = replace(world.snapshot, budgets=budgets)
    await world.ask(world.model("openai"))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("401", "auth"), ("402", "payment"), ("404", "model_gone")],
)
async def test_a_parked_model_is_told(fault: str, cause: str, world: World) -> None:
    """With what to do, and the page to do it on."""
    world.vendor.fault(fault, vendor="openai")
    await world.ask(world.model("openai"), world.model("gemini"))
    notice = world.notices[0]
    assert notice.cause == f"parked:{cause}:openai:gpt-4.1"
    assert notice.severe
    assert "OPENAI_API_KEY" in notice.text or cause != "auth"


async def test_a_crowd_overshoots_by_nothing_but_the_estimate_s_error(world: World) -> None:
    """Forty questions at once and money for some: the day's cost stays inside the budget."""
    spec = world.model("openai")
    once = await world.ask(spec)
    limit = once.cost_nanousd * 12
    world.snapshot = replace(world.snapshot, budgets=(of_model(1, spec.id, limit),))
    results = await asyncio.gather(
        *(world.ask(spec, max_output_tokens=100) for _ in range(40)), return_exceptions=True
    )
    spent = sum(row.cost_nanousd for row in await calls())
    assert {type(result) for result in results if isinstance(result, BaseException)} == {Exhausted}
    assert limit / 3 < spent <= limit
