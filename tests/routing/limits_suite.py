"""What holds for a lane's limits wherever their state lives; concrete suites give the backend.

The oracle counts as vendors do: every call in exact windows of 60 s (1.0x) and 2 s (2.0x), reserved
on arrival, what was really used from its end on. Time stands still between steps for both.
"""

from __future__ import annotations

import math
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from base.clock import ManualClock
from routing.breaker import Breaker, Outcome
from routing.lanes import Held, LaneLimits, Wait
from routing.specs import Limits, Need, RateState
from tests.routing.helpers import NOW

LIMITS = st.builds(
    Limits,
    requests_per_minute=st.none() | st.integers(1, 400),
    tokens_per_minute=st.none() | st.integers(200, 60_000),
    in_flight=st.none() | st.integers(1, 20),
    input_tokens_per_minute=st.none() | st.integers(200, 60_000),
    output_tokens_per_minute=st.none() | st.integers(200, 60_000),
)
CALL = st.tuples(
    st.floats(0.0, 5.0),  # pause before it
    st.floats(0.0, 1.0),  # share of the smallest token limit that it reserves
    st.floats(0.0, 1.0),  # share of it that is output
    st.floats(0.0, 1.0),  # share of the reservation that it uses
    st.floats(0.0, 30.0),  # how long it takes
)


@dataclass(slots=True, eq=False)
class Sent:
    """One call as the vendor sees it."""

    arrival_s: float
    end_s: float
    reserved: Need
    used: Need
    held: Held

    def charged_at(self, now_s: float) -> Need:
        """What the vendor counts for it at a moment."""
        return self.used if self.end_s <= now_s else self.reserved


class Bench:
    """Processes that call one model, in stepped time."""

    def __init__(self, *lanes: LaneLimits, clock: ManualClock) -> None:
        self.lanes = lanes
        self.clock = clock
        self.breakers = [Breaker(random=lambda: 0.5) for _ in lanes]
        self.running: list[tuple[int, Sent]] = []
        self.sent: list[Sent] = []

    async def take(self, need: Need, *, process: int = 0) -> object:
        """One try."""
        lane, breaker = self.lanes[process], self.breakers[process]
        return await lane.take(need, waiting=1, breaker=breaker)

    async def call(self, need: Need, *, used: Need, takes_s: float, process: int = 0) -> None:
        """Wait for the turn as the gate does, then start the call."""
        while not isinstance(answer := await self.take(need, process=process), Held):
            assert isinstance(answer, Wait)
            ends = [sent.end_s for _, sent in self.running]
            now_s = self.clock.monotonic_s()
            until_s = min([now_s + answer.wait_s, *ends])
            assert not math.isinf(until_s), "nothing would ever let it in"
            self.clock.advance(max(until_s - now_s, 1e-6))
            await self.settle_due()
        now_s = self.clock.monotonic_s()
        sent = Sent(now_s, now_s + takes_s, need, used, answer)
        self.sent.append(sent)
        self.running.append((process, sent))

    async def settle_due(self) -> None:
        """End the calls whose time is over."""
        now_s = self.clock.monotonic_s()
        for process, sent in [pair for pair in self.running if pair[1].end_s <= now_s]:
            self.running.remove((process, sent))
            sent.end_s = now_s
            self.lanes[process].settle(sent.held, used=sent.used, outcome=Outcome.SUCCESS)
        await self.flush()

    async def flush(self) -> None:
        """Let what nobody waits for arrive."""


class LimitsSuite:
    """Inherit, and give `bench(limits, processes)`."""

    def bench(self, limits: Limits, *, processes: int = 1) -> AbstractAsyncContextManager[Bench]:
        """A bench over fresh state."""
        raise NotImplementedError

    @settings(
        max_examples=30,
        phases=[
            Phase.explicit,
            Phase.reuse,
            Phase.generate,
        ],  # shrinking over a server takes minutes
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(limits=LIMITS, calls=st.lists(CALL, min_size=1, max_size=40))
    async def test_no_window_of_the_vendor_is_exceeded(
        self, limits: Limits, calls: list[tuple[float, float, float, float, float]]
    ) -> None:
        """However calls come, last and are used, no minute and no two seconds are too full."""
        smallest = min(
            limit
            for limit in (
                limits.tokens_per_minute,
                limits.input_tokens_per_minute,
                limits.output_tokens_per_minute,
                4_000,
            )
            if limit is not None
        )
        async with self.bench(limits, processes=2) as bench:
            for number, (pause_s, size, output, share, takes_s) in enumerate(calls):
                bench.clock.advance(pause_s)
                await bench.settle_due()
                tokens = max(1, int(size * smallest))
                need = Need(tokens - int(tokens * output), int(tokens * output))
                used = Need(int(need.input_tokens * share), int(need.output_tokens * share))
                await bench.call(need, used=used, takes_s=takes_s, process=number % 2)
                if limits.in_flight is not None:
                    assert len(bench.running) <= limits.in_flight
            _check_as_vendor(bench.sent, limits)

    @pytest.mark.parametrize(
        "limits",
        [
            Limits(requests_per_minute=60),
            Limits(requests_per_minute=600, tokens_per_minute=60_000),
            Limits(input_tokens_per_minute=200_000, output_tokens_per_minute=30_000),
        ],
    )
    async def test_endless_demand_uses_most_of_the_binding_limit(self, limits: Limits) -> None:
        """After settlement at least 90 % of the scarcest dimension is used, by 2 processes."""
        need, used, minutes = Need(400, 300), Need(300, 100), 3
        async with self.bench(limits, processes=2) as bench:
            start_s, number = bench.clock.monotonic_s(), 0
            while bench.clock.monotonic_s() < start_s + 60.0 * minutes:
                await bench.call(need, used=used, takes_s=1.0, process=number % 2)
                number += 1
            shares = [
                number / (limits.requests_per_minute or math.inf),
                number * 400 / (limits.tokens_per_minute or math.inf),
                number * 300 / (limits.input_tokens_per_minute or math.inf),
                number * 100 / (limits.output_tokens_per_minute or math.inf),
            ]
            assert 0.9 <= max(shares) / minutes <= 1.0

    async def test_a_large_call_waits_for_a_full_bucket_and_leaves_a_debt(self) -> None:
        """More than a second's worth passes when the bucket is full, and is paid off after."""
        async with self.bench(Limits(tokens_per_minute=6_000)) as bench:
            assert isinstance(await bench.take(Need(3_000)), Held)
            waiting = await bench.take(Need(1))
            assert isinstance(waiting, Wait)
            assert waiting.wait_s == pytest.approx((3_000 - 95 + 1) / 95, abs=0.01)

    async def test_unused_tokens_come_back_once(self) -> None:
        """What was reserved and not used is there again; a second settlement changes nothing."""
        async with self.bench(Limits(tokens_per_minute=6_000, in_flight=1)) as bench:
            held = await bench.take(Need(90, 5))
            assert isinstance(held, Held)
            assert isinstance(await bench.take(Need(1)), Wait)
            for _ in range(2):
                bench.lanes[0].settle(held, used=Need(0), outcome=Outcome.SUCCESS)
                await bench.flush()
            assert isinstance(await bench.take(Need(90, 5)), Held)
            assert isinstance(await bench.take(Need(1)), Wait)

    async def test_processes_share_what_is_in_flight(self) -> None:
        """At the cap only the end of a call, of any process, lets in another."""
        async with self.bench(Limits(in_flight=2), processes=2) as bench:
            held = await bench.take(Need(1), process=0)
            assert isinstance(held, Held)
            assert isinstance(await bench.take(Need(1), process=1), Held)
            refused = await bench.take(Need(1), process=1)
            assert isinstance(refused, Wait)
            assert math.isinf(refused.wait_s)
            bench.lanes[0].settle(held, used=Need(1), outcome=Outcome.SUCCESS)
            await bench.flush()
            assert isinstance(await bench.take(Need(1), process=1), Held)

    async def test_a_pause_holds_for_every_process(self) -> None:
        """After Retry-After nothing starts anywhere before its time; a shorter one does not cut it."""
        async with self.bench(Limits(requests_per_minute=6_000), processes=2) as bench:
            now_s = bench.clock.monotonic_s()
            bench.lanes[0].pause(until_s=now_s + 7.0)
            bench.lanes[0].pause(until_s=now_s + 3.0)
            await bench.flush()
            for process in (0, 1):
                waiting = await bench.take(Need(1), process=process)
                assert isinstance(waiting, Wait)
                assert waiting.wait_s == pytest.approx(7.0, abs=0.01)
            bench.clock.advance(7.0)
            assert isinstance(await bench.take(Need(1), process=1), Held)

    async def test_an_unexpected_refusal_slows_every_process_down(self) -> None:
        """The rate drops to 70 % and comes back with time."""
        async with self.bench(Limits(requests_per_minute=60), processes=2) as bench:
            bench.lanes[0].slow_down()
            await bench.flush()
            assert isinstance(await bench.take(Need(1), process=1), Held)
            waiting = await bench.take(Need(1), process=1)
            assert isinstance(waiting, Wait)
            assert waiting.wait_s == pytest.approx(1 / 0.95 / 0.7, rel=0.01)
            bench.clock.advance(300.0)
            assert isinstance(await bench.take(Need(1), process=1), Held)
            waiting = await bench.take(Need(1), process=1)
            assert isinstance(waiting, Wait)
            assert waiting.wait_s == pytest.approx(1 / 0.95, rel=0.01)

    async def test_what_a_vendor_tells_is_believed(self) -> None:
        """A lower limit and a smaller rest in a response's headers hold from then on."""
        async with self.bench(Limits(requests_per_minute=600)) as bench:
            bench.lanes[0].observe(RateState(limit_requests=60, remaining_requests=0))
            await bench.flush()
            waiting = await bench.take(Need(1))
            assert isinstance(waiting, Wait)
            assert waiting.wait_s == pytest.approx(1 / 0.95, rel=0.01)
            bench.clock.advance(1_000.0)
            while isinstance(waiting := await bench.take(Need(1)), Held):
                pass
            assert isinstance(waiting, Wait)
            assert waiting.wait_s <= 1 / 9.5

    async def test_a_day_has_its_own_limit(self) -> None:
        """When the day's requests are used up the wait is hours, and ends with the day."""
        async with self.bench(Limits(requests_per_day=3)) as bench:
            assert all([isinstance(await bench.take(Need(1)), Held) for _ in range(2)])
            refused = await bench.take(Need(1))
            assert isinstance(refused, Wait)
            assert 82_800 < refused.wait_s <= 87_000
            bench.clock.advance(refused.wait_s + 1)
            assert isinstance(await bench.take(Need(1)), Held)


def _check_as_vendor(calls: list[Sent], limits: Limits) -> None:
    for window_s, factor in ((60.0, 1.0), (2.0, 2.0)):
        for call in calls:
            now_s = call.arrival_s
            recent = [
                other.charged_at(now_s)
                for other in calls
                if now_s - window_s < other.arrival_s <= now_s
            ]
            # A single call may exceed the short window; it is the vendor's minute that counts then.
            if window_s < 60.0 and len(recent) <= 1:
                continue
            _check_window(recent, limits, share=factor * window_s / 60.0, short=window_s < 60.0)


def _check_window(recent: list[Need], limits: Limits, *, share: float, short: bool) -> None:
    if limits.requests_per_minute is not None:
        assert len(recent) <= max(1 + short, limits.requests_per_minute * share)
    if short:
        return
    for limit, used in (
        (limits.tokens_per_minute, sum(need.tokens for need in recent)),
        (limits.input_tokens_per_minute, sum(need.input_tokens for need in recent)),
        (limits.output_tokens_per_minute, sum(need.output_tokens for need in recent)),
    ):
        assert limit is None or used <= limit * share


def clock() -> ManualClock:
    """A stopped clock."""
    return ManualClock(now=NOW)
