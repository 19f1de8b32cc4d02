"""The ledger: one row per attempt, committed before the request is sent, completed once after it.

An attempt that a crash interrupts stays `started`, so money that may have been spent is never
forgotten. Where the vendor told no usage the tokens are an estimate and the row says so; where no
price is known for the model that answered, the price of the model asked for stands in, `priced` is
False and the log says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from base.clock import Clock
from base.ids import new_uuid
from base.writer import Writer, WriterBusy
from routing.models import Call
from routing.pricing import FREE, Cost, cost_of, price_of, rate_of
from routing.specs import ModelSpec, RoutingSnapshot, Tier, Usage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """An open row."""

    attempt_id: str
    model: ModelSpec
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. `outcome` is one of the outcomes of `Call`."""

    outcome: str
    usage: Usage
    estimated: bool = False
    model_served: str = ""
    finish_reason: str = ""
    failure: str = ""
    status: int | None = None
    vendor_code: str = ""
    request_id: str = ""
    first_content_ms: int | None = None
    total_ms: int = 0


class Ledger:
    """Writes the rows of one process."""

    def __init__(
        self, *, writer: Writer, routing: Callable[[], RoutingSnapshot], clock: Clock
    ) -> None:
        self._writer = writer
        self._routing = routing
        self._clock = clock

    def entry(self, model: ModelSpec) -> Entry:
        """An entry for an attempt at `model`, not written yet."""
        return Entry(new_uuid(), model, self._clock.now())

    async def open(
        self,
        entry: Entry,
        *,
        tier: Tier,
        question_id: int | None,
        site_id: int | None,
        wait_ms: int,
    ) -> None:
        """Commit the row of an attempt that is about to be made. Raises WriterBusy."""
        model = entry.model
        row = Call(
            attempt_id=entry.attempt_id,
            question_id=question_id,
            site_id=site_id,
            tier=tier.value,
            endpoint_key=model.endpoint.key,
            model_asked=model.name,
            started_at=entry.started_at,
            wait_ms=wait_ms,
            simulated=model.endpoint.simulated,
        )
        await _committed(self._writer.submit(partial(row.save, force_insert=True)))

    async def close(self, entry: Entry, ending: Ending) -> Cost:
        """Complete the row and wait for the commit; returns what the attempt cost."""
        cost, job = self._completion(entry, ending)
        await _committed(self._writer.submit(job))
        return cost

    def abandon(self, entry: Entry, ending: Ending) -> None:
        """Complete the row without waiting, for callers that are being cancelled."""
        _, job = self._completion(entry, ending)
        try:
            self._writer.submit(job).add_done_callback(_report_failure)
        except WriterBusy:
            logger.exception("the row of attempt %s stays open", entry.attempt_id)

    def _completion(self, entry: Entry, ending: Ending) -> tuple[Cost, Callable[[], None]]:
        cost = self._cost(entry, ending)
        return cost, partial(_complete, entry, ending, cost, ended_at=self._clock.now())

    def _cost(self, entry: Entry, ending: Ending) -> Cost:
        """The cost at the price of the model that answered, valid when the call began."""
        if ending.usage == Usage(0, 0):
            return Cost(0, FREE.currency, FREE.usd_per_unit, 0, certain=True)
        snapshot, model, day = self._routing(), entry.model, entry.started_at.date()
        served = ending.model_served or model.name
        find = partial(price_of, snapshot.prices, endpoint_key=model.endpoint.key, day=day)
        price = find(model_name=served)
        is_known = price is not None
        if not is_known:
            logger.error("no price for %s at %s on %s", served, model.endpoint.key, day)
            price = find(model_name=model.name)
        if price is None:
            return FREE
        rate = rate_of(snapshot.usd_rates, currency=price.currency, day=day)
        if rate is None:
            logger.error("no dollar rate for %s on %s", price.currency, day)
        return cost_of(ending.usage, price=price, usd_per_unit=rate, certain=is_known)


def _complete(entry: Entry, ending: Ending, cost: Cost, *, ended_at: datetime) -> None:
    """Fill in an open row; a row that was completed before is left alone."""
    Call.objects.filter(attempt_id=entry.attempt_id, outcome=Call.STARTED).update(
        outcome=ending.outcome,
        ended_at=ended_at,
        model_served=ending.model_served[:120],
        failure=ending.failure,
        status=ending.status,
        vendor_code=ending.vendor_code[:80],
        request_id=ending.request_id[:120],
        finish_reason=ending.finish_reason,
        input_tokens=ending.usage.input_tokens,
        cached_input_tokens=ending.usage.cached_input_tokens,
        output_tokens=ending.usage.output_tokens,
        tokens_estimated=ending.estimated,
        currency=cost.currency,
        amount_nano=cost.amount_nano,
        usd_per_unit=cost.usd_per_unit,
        cost_nanousd=cost.cost_nanousd,
        priced=cost.certain,
        first_content_ms=ending.first_content_ms,
        total_ms=ending.total_ms,
    )


async def _committed(written: Future[None]) -> None:
    """Wait for a commit; being cancelled meanwhile leaves the write alone."""
    await asyncio.shield(asyncio.wrap_future(written))


def _report_failure(written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        logger.error("a ledger row could not be completed", exc_info=error)
