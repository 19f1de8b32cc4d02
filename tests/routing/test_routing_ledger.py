"""Claims about the ledger: every attempt once, whatever interrupts it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import date

import pytest

from base.clock import ManualClock
from base.writer import Writer
from routing.ledger import Ending, Entry, Ledger
from routing.models import Call
from routing.specs import PriceSpec, RoutingSnapshot, Tier, Usage
from tests.routing.helpers import NOW, model
from tests.routing.world import calls

SPEC = model(name="asked")
SNAPSHOT = RoutingSnapshot(
    chains={},
    prices=(
        PriceSpec("openai", "asked", date(2026, 1, 1), "USD", 10, 1, 20),
        PriceSpec("openai", "served", date(2026, 1, 1), "CNY", 100, 10, 200),
        PriceSpec("openai", "foreign", date(2026, 1, 1), "EUR", 7, 7, 7),
    ),
    usd_rates=(("CNY", date(2026, 1, 1), "0.139"),),
)
DONE = Ending(Call.COMPLETED, Usage(1_000, 100, 400), model_served="asked", total_ms=5)


@pytest.fixture
def ledger(writer: Writer) -> Ledger:
    """A ledger with three prices and one rate."""
    return Ledger(writer=writer, routing=lambda: SNAPSHOT, clock=ManualClock(now=NOW))


async def _opened(ledger: Ledger) -> Entry:
    entry = ledger.entry(SPEC)
    await ledger.open(entry, tier=Tier.FAQ, question_id=7, site_id=1, wait_ms=3)
    return entry


async def test_a_row_stands_before_the_request(ledger: Ledger) -> None:
    """The row is committed as started, with everything that is known by then."""
    entry = await _opened(ledger)
    row = (await calls())[0]
    assert (row.outcome, row.attempt_id, row.ended_at) == (Call.STARTED, entry.attempt_id, None)
    assert (row.question_id, row.tier, row.wait_ms, row.simulated) == (7, "FAQ", 3, True)


async def test_a_row_is_completed_once(ledger: Ledger) -> None:
    """A second completion changes nothing."""
    entry = await _opened(ledger)
    await ledger.close(entry, DONE)
    await ledger.close(entry, replace(DONE, outcome=Call.FAILED, usage=Usage(0, 0)))
    row = (await calls())[0]
    assert (row.outcome, row.input_tokens, row.cost_nanousd) == (Call.COMPLETED, 1_000, 8_400)


@pytest.mark.parametrize(
    ("served", "amount", "nanousd", "currency", "priced"),
    [
        ("asked", 8_400, 8_400, "USD", True),
        ("", 8_400, 8_400, "USD", True),
        ("served-2026-11-01", 84_000, 11_676, "CNY", True),
        ("unheard-of", 8_400, 8_400, "USD", False),
        ("foreign", 7_700, 0, "EUR", False),
    ],
    ids=["as asked", "not named", "another", "no price", "no rate"],
)
async def test_the_model_that_answered_is_charged(
    served: str, amount: int, nanousd: int, currency: str, priced: bool, ledger: Ledger
) -> None:
    """By its own price where one is known; else by the asked one's, and the row says so."""
    entry = await _opened(ledger)
    cost = await ledger.close(entry, replace(DONE, model_served=served))
    row = (await calls())[0]
    assert (row.amount_nano, row.cost_nanousd, row.currency) == (amount, nanousd, currency)
    assert (row.priced, cost.cost_nanousd) == (priced, nanousd)


async def test_a_missing_price_is_logged(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    """Staff see which price to add."""
    entry = await _opened(ledger)
    with caplog.at_level(logging.ERROR):
        await ledger.close(entry, replace(DONE, model_served="unheard-of"))
    assert "no price for unheard-of at openai on 2026-11-23" in caplog.text


async def test_without_any_price_the_cost_is_unknown_not_free(writer: Writer) -> None:
    """No price at all leaves the cost 0 and not priced."""
    empty = RoutingSnapshot(chains={})
    ledger = Ledger(writer=writer, routing=lambda: empty, clock=ManualClock(now=NOW))
    await ledger.close(await _opened(ledger), DONE)
    row = (await calls())[0]
    assert (row.cost_nanousd, row.priced) == (0, False)


async def test_an_attempt_that_cost_nothing_needs_no_price(writer: Writer) -> None:
    """A failed call without tokens is priced, at nothing."""
    empty = RoutingSnapshot(chains={})
    ledger = Ledger(writer=writer, routing=lambda: empty, clock=ManualClock(now=NOW))
    await ledger.close(await _opened(ledger), Ending(Call.FAILED, Usage(0, 0), failure="server"))
    row = (await calls())[0]
    assert (row.cost_nanousd, row.priced) == (0, True)


async def test_long_names_of_vendors_fit_the_row(ledger: Ledger) -> None:
    """Whatever a vendor names itself, the row is completed."""
    entry = await _opened(ledger)
    named = replace(DONE, model_served="m" * 500, vendor_code="c" * 500, request_id="r" * 500)
    await ledger.close(entry, named)
    assert (await calls())[0].outcome == Call.COMPLETED


async def test_an_abandoned_row_is_completed_without_waiting(
    ledger: Ledger, writer: Writer
) -> None:
    """Whoever is being cancelled leaves a completed row behind."""
    entry = await _opened(ledger)
    ledger.abandon(entry, Ending(Call.ABORTED, Usage(10, 0), estimated=True))
    await asyncio.to_thread(writer.stop)
    row = (await calls())[0]
    assert (row.outcome, row.tokens_estimated, row.cost_nanousd) == (Call.ABORTED, True, 100)


async def test_a_caller_that_leaves_does_not_harm_the_writer(
    ledger: Ledger, writer: Writer
) -> None:
    """Cancelling while a row is being written leaves the row, and the writer goes on."""
    entry = ledger.entry(SPEC)
    opening = asyncio.create_task(
        ledger.open(entry, tier=Tier.FAQ, question_id=None, site_id=None, wait_ms=0)
    )
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await ledger.close(entry, DONE)
    assert (await calls())[0].outcome == Call.COMPLETED
