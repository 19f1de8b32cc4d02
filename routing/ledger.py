"""The ledger: one row per attempt, committed before the request is sent, completed once after it.

The same transaction reserves what the call may cost in every budget and quota that covers it, so none
is exceeded by more than what a vendor bills beyond the estimate. Without budgets and quotas it costs
no statement more.

An attempt that a crash interrupts stays `started`, so money that may have been spent is never
forgotten, until `lost.py` books it as unknown with its whole estimate. Where the vendor told no usage
the tokens are an estimate and the row says so; where no price is known for the model that answered,
the price of the model asked for stands in, `priced` is False and an alert says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from base.clock import Clock
from base.ids import new_uuid
from base.writer import Writer, WriterBusy
from routing import alerts, notices
from routing.errors import OverBudget, OverQuota, Verdict
from routing.habits import Habits
from routing.models import Call
from routing.notices import Alarm
from routing.pricing import FREE, Cost, Priced, cost_on, price_on
from routing.quota import scopes_of
from routing.specs import ModelSpec, RoutingSnapshot, Tier, Usage
from routing.spending import Demand, Hold, reserve, settle

logger = logging.getLogger(__name__)

NOTHING = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """An open row."""

    attempt_id: str
    model: ModelSpec
    started_at: datetime
    hold: Hold = field(default_factory=lambda: Hold(Demand(0, 0)))


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. `outcome` is one of the outcomes of `Call`.

    `estimate` is what would have been booked had the vendor told no usage; the ledger learns from it.
    """

    outcome: str
    usage: Usage
    estimated: bool = False
    estimate: Usage | None = None
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
        self,
        *,
        writer: Writer,
        routing: Callable[[], RoutingSnapshot],
        clock: Clock,
        alarm: Alarm = notices.unheard,
    ) -> None:
        self._writer = writer
        self.routing = routing
        self._clock = clock
        self.alarm = alarm
        self._habits: defaultdict[tuple[str, str], Habits] = defaultdict(Habits)

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
        at_most: Usage = NOTHING,
        deadline_s: float | None = None,
    ) -> None:
        """Commit the row of an attempt that is about to be made, and reserve `at_most` for it.

        `deadline_s` is a reading of the clock's `monotonic_s`. Raises WriterBusy; OverBudget or
        OverQuota when the call does not fit: then there is no row and nothing is reserved.
        """
        model, cost = entry.model, self._estimate(entry, at_most)
        demand = Demand(
            nanousd=cost.cost_nanousd if cost.certain else None,
            tokens=at_most.input_tokens + at_most.output_tokens,
        )
        scopes = scopes_of(
            self.routing(), model=model, tier=tier, site_id=site_id, at=entry.started_at
        )
        entry.hold.demand, entry.hold.scopes = demand, scopes
        row = Call(
            attempt_id=entry.attempt_id,
            question_id=question_id,
            site_id=site_id,
            tier=tier.value,
            endpoint_key=model.endpoint.key,
            model_asked=model.name,
            started_at=entry.started_at,
            deadline_at=self._moment(deadline_s),
            wait_ms=wait_ms,
            simulated=model.endpoint.simulated,
            reserved_input_tokens=at_most.input_tokens,
            reserved_output_tokens=at_most.output_tokens,
            reserved_nanousd=demand.nanousd or 0,
        )
        try:
            await _committed(self._writer.submit(partial(_begin, row, entry.hold)))
        except (OverBudget, OverQuota) as error:
            self._tell(entry, error)
            raise

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
        habits = self._habits[entry.model.endpoint.key, entry.model.name]
        if ending.estimated:
            ending = replace(ending, usage=habits.likely(ending.usage))
        elif ending.estimate is not None:
            habits.learn(ending.estimate, real=ending.usage)
        cost = self._cost(entry, ending)
        return cost, partial(_complete, entry, ending, cost, ended_at=self._clock.now())

    def _cost(self, entry: Entry, ending: Ending) -> Cost:
        """The cost at the price of the model that answered, valid when the call began."""
        if ending.usage == NOTHING:
            return Cost(0, FREE.currency, FREE.usd_per_unit, 0, certain=True)
        return cost_on(self._price(entry, ending.model_served or entry.model.name), ending.usage)

    def _estimate(self, entry: Entry, at_most: Usage) -> Cost:
        """What the call costs at most, at the price of the model asked; not certain without one."""
        return cost_on(self._find(entry, entry.model.name), at_most)

    def _find(self, entry: Entry, model_name: str) -> Priced:
        return price_on(
            self.routing(),
            endpoint_key=entry.model.endpoint.key,
            names=(model_name, entry.model.name),
            day=entry.started_at.date(),
        )

    def _price(self, entry: Entry, served: str) -> Priced:
        """The price to book by; where one is missing the log and an alert say which."""
        found, key = self._find(entry, served), entry.model.endpoint.key
        if not found.is_known:
            logger.error("no price for %s at %s on %s", served, key, entry.started_at.date())
            self.alarm(notices.no_price(served, endpoint_key=key, now=self._clock.now()))
        elif found.usd_per_unit is None:
            currency = found.price.currency if found.price else ""
            logger.error("no dollar rate for %s on %s", currency, entry.started_at.date())
            self.alarm(notices.no_rate(currency, now=self._clock.now()))
        return found

    def heed(self, model: ModelSpec, verdict: Verdict, *, reason: str) -> None:
        """Tell people of a failed attempt whose model is left out until something changes."""
        if verdict.park:
            self.alarm(notices.parked(model, verdict, reason=reason, now=self._clock.now()))

    def _tell(self, entry: Entry, error: OverBudget | OverQuota) -> None:
        """A call was refused for money: say which limit is used up, or which price is missing."""
        kind = "budget" if isinstance(error, OverBudget) else "quota"
        for scope in entry.hold.scopes:
            if (scope.kind, scope.row_id) != (kind, error.row_id):
                continue
            if scope.limit_nanousd is not None and entry.hold.demand.nanousd is None:
                self._price(entry, entry.model.name)
            else:
                self.alarm(notices.refused(scope, error.reason))

    def _moment(self, deadline_s: float | None) -> datetime | None:
        if deadline_s is None:
            return None
        left_s = deadline_s - self._clock.monotonic_s()
        return self._clock.now() + timedelta(seconds=left_s)


def _begin(row: Call, hold: Hold) -> None:
    """Reserve and write, or neither: the writer rolls back a job that raises."""
    reserve(hold, simulated=row.simulated, now=row.started_at)
    row.held_in = hold.spending_ids
    row.save(force_insert=True)


def _complete(entry: Entry, ending: Ending, cost: Cost, *, ended_at: datetime) -> None:
    """Fill in an open row; a row that was completed before is left alone."""
    completed = Call.objects.filter(attempt_id=entry.attempt_id, outcome=Call.STARTED).update(
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
    if not completed:
        return
    tokens = ending.usage.input_tokens + ending.usage.output_tokens
    for passed in settle(entry.hold, nanousd=cost.cost_nanousd, tokens=tokens):
        notice = notices.reached(
            passed.scope, passed.percent, nanousd=passed.spent_nanousd, tokens=passed.spent_tokens
        )
        alerts.record(notice, now=ended_at)


async def _committed(written: Future[None]) -> None:
    """Wait for a commit; being cancelled meanwhile leaves the write alone."""
    await asyncio.shield(asyncio.wrap_future(written))


def _report_failure(written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        logger.error("a ledger row could not be completed", exc_info=error)
