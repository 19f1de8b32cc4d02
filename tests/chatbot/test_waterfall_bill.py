"""The money of one busy hour, three times: the waterfall on the first page, the ledger, the vendors' own bill."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chatbot.reports import configured, waterfall
from chatbot.reports.aggregates import BUCKET, bucket_of, read
from chatbot.runtime import Runtime
from routing.models import Call, ExchangeRate
from routing.snapshot import load_routing
from simulator.running import RunningSimulator
from tests.test_story import ask

ASKED = (
    "Which courier do you use?",
    "which courier do you use",
    "What courier do you use?",
    "How do I return something?",
    "用什么快递？",
    "用什么快递?",
    "退货流程是怎样的？",
    "Why was my order cancelled?",
    "我的订单为什么被取消了？",
    "Write me a letter of complaint about a broken kettle.",
)


def billed_nanousd(rows: list[dict[str, Any]]) -> int:
    """The vendors' rows in dollars, each turned at the newest rate of its currency and rounded half up."""
    rates = {"USD": Decimal(1)}
    for rate in ExchangeRate.objects.order_by("valid_from"):
        rates[rate.currency] = rate.usd_per_unit
    return sum(
        int(
            (Decimal(row["cost_nano"]) * rates[row["currency"]]).to_integral_value(
                rounding=ROUND_HALF_UP
            )
        )
        for row in rows
    )


def last_step(runtime: Runtime) -> waterfall.Step:
    """The waterfall's last line over everything that was asked; its steps add up to it."""
    now = runtime.clock.now()
    start = bucket_of(now) - 4 * BUCKET
    end = bucket_of(now) + BUCKET
    facts = read(start, end, simulated=True, now=now).facts  # a local simulator answered
    used = waterfall.measured(facts)
    dearest = configured.baseline(load_routing(), used, day=now.date())
    assert dearest is not None
    steps = waterfall.steps(waterfall.counts(facts), used, baseline_nanousd=dearest.nanousd)
    assert steps[0].count == len(ASKED)
    assert sum(step.nanousd for step in steps[:-1]) == steps[-1].nanousd
    return steps[-1]


async def test_waterfall_ledger_and_bill_are_one_sum(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Hits, misses, personal questions and calls that failed, in dollars and yuan: one amount, to the nano-dollar."""
    for number, text in enumerate(ASKED):
        if number == len(ASKED) // 2:
            vendors_at_simulator.fault("503", vendor="deepseek", count=1)
        await ask(runtime, text, frame_id=f"q{number}")
    rows = vendors_at_simulator.bill(rows=True)["requests"]
    ledger = await runtime.reader.run(
        lambda: list(Call.objects.values("cost_nanousd", "outcome", "currency"))
    )
    billed = await runtime.reader.run(lambda: billed_nanousd(rows))
    shown = await runtime.reader.run(lambda: last_step(runtime))

    assert {row["currency"] for row in rows if row["cost_nano"]} == {"USD", "CNY"}
    assert {row["outcome"] for row in ledger} > {"completed"}
    assert shown.nanousd == sum(row["cost_nanousd"] for row in ledger) == billed > 0
    assert shown.count == len(ledger)
