"""The limits of a fleet in a real Redis keep what every backend must keep, and hold across processes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from base.state import SharedState
from benchmarks.redis_server import RedisServer, has_redis, running_redis
from routing.breaker import Breaker, Outcome, State
from routing.lanes import FleetOpen, FleetParked, FleetProbing, Held, Wait
from routing.redis_limits import BATCH_S, RedisLimits
from routing.specs import Limits, Need
from tests.conftest import unavailable
from tests.routing.limits_suite import Bench, LimitsSuite, clock

_NUMBERS = itertools.count()
FAST = Limits(requests_per_minute=60_000)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    if not has_redis():
        unavailable("redis-server")
    with running_redis() as running:
        yield running


class FleetBench(Bench):
    """Processes with a connection each."""

    states: list[SharedState]

    async def flush(self) -> None:
        for state in self.states:
            await state.flush()


class TestRedisLimits(LimitsSuite):
    """Several processes: each has its own connection and its own breaker."""

    @pytest.fixture(autouse=True)
    def _server(self, server: RedisServer) -> None:
        self.server = server

    @asynccontextmanager
    async def bench(self, limits: Limits, *, processes: int = 1) -> AsyncIterator[FleetBench]:
        time, key = clock(), ("vendor", f"m-{next(_NUMBERS)}")
        states = [SharedState(self.server.url, timeout_s=5.0) for _ in range(processes)]
        for state in states:
            await state.start()
        lanes = [
            RedisLimits(key, state=state, clock=time, redis_time_s=time.monotonic_s)
            for state in states
        ]
        for lane in lanes:
            lane.apply(limits)
        bench = FleetBench(*lanes, clock=time)
        bench.states = states
        try:
            yield bench
        finally:
            for state in states:
                await state.stop()

    async def test_an_opened_breaker_is_open_for_the_fleet(self) -> None:
        """What one process found ill no process calls, until the time is over."""
        async with self.bench(Limits(), processes=2) as bench:
            bench.lanes[0].tell_open(until_s=bench.clock.monotonic_s() + 10.0)
            await bench.flush()
            answer = await bench.take(Need(1), process=1)
            assert isinstance(answer, FleetOpen)
            assert answer.open_for_s == pytest.approx(10.0, abs=0.01)

    async def test_three_probes_pass_in_the_whole_fleet(self) -> None:
        """Half-open permits are counted over all processes, and three successes close them all."""
        async with self.bench(Limits(), processes=3) as bench:
            until_s = bench.clock.monotonic_s() + 10.0
            bench.lanes[0].tell_open(until_s=until_s)
            await bench.flush()
            for breaker in bench.breakers:
                breaker.open_until(until_s)
            bench.clock.advance(10.0)
            taken = [await bench.take(Need(1), process=n % 3) for n in range(6)]
            probes = [answer for answer in taken if isinstance(answer, Held)]
            assert len(probes) == 3
            assert all(isinstance(a, Held | FleetProbing) for a in taken)
            for number, probe in enumerate(probes):
                bench.lanes[number].settle(probe, used=Need(1), outcome=Outcome.SUCCESS)
            await bench.flush()
            assert isinstance(await bench.take(Need(1), process=2), Held)
            assert bench.breakers[2].state(now_s=bench.clock.monotonic_s()) is State.CLOSED

    async def test_a_parked_model_is_parked_for_the_fleet(self) -> None:
        """Every process learns the reason; a reset lets all of them try again."""
        async with self.bench(Limits(), processes=2) as bench:
            bench.lanes[0].tell_parked("the key was refused", until_s=float("inf"))
            await bench.flush()
            assert await bench.take(Need(1), process=1) == FleetParked("the key was refused", None)
            bench.lanes[1].tell_reset()
            await bench.flush()
            assert isinstance(await bench.take(Need(1), process=0), Held)

    async def test_leases_above_a_hundred_a_second_are_short(self) -> None:
        """One word with Redis grants several calls, for 40 ms; the rest goes back."""
        async with self.bench(FAST) as bench:
            lane, breaker = bench.lanes[0], Breaker(random=lambda: 0.5)
            for _ in range(5):
                assert isinstance(await lane.take(Need(1), waiting=20, breaker=breaker), Held)
            assert lane.standing().in_flight == 20
            bench.clock.advance(BATCH_S)
            await lane.take(Need(1), waiting=0, breaker=breaker)
            await bench.flush()
            await lane.take(Need(1), waiting=0, breaker=breaker)
            assert lane.standing().in_flight == 7

    async def test_a_pause_voids_a_lease(self) -> None:
        """Calls granted in advance are not made once the vendor said to wait."""
        async with self.bench(FAST) as bench:
            lane, breaker = bench.lanes[0], Breaker(random=lambda: 0.5)
            await lane.take(Need(1), waiting=20, breaker=breaker)
            lane.pause(until_s=bench.clock.monotonic_s() + 7.0)
            await bench.flush()
            assert isinstance(await lane.take(Need(1), waiting=20, breaker=breaker), Wait)


async def test_a_process_keeps_to_its_part_while_redis_is_away(server: RedisServer) -> None:
    """Without Redis each of two processes uses half, from an empty bucket; with Redis back, the whole."""
    time = clock()
    states = [SharedState(server.url, away_s=0.0) for _ in range(2)]
    for state in reversed(states):
        await state.start()
    lane = RedisLimits(("vendor", "away"), state=states[0], clock=time)
    lane.apply(Limits(requests_per_minute=120))
    breaker = Breaker(random=lambda: 0.5)
    assert isinstance(await lane.take(Need(1), waiting=0, breaker=breaker), Held)
    server.kill()
    try:
        refused = await lane.take(Need(1), waiting=0, breaker=breaker)
        assert isinstance(refused, Wait)
        assert refused.wait_s == pytest.approx(1 / 0.95, rel=0.01)
        assert lane.standing().degraded
        time.advance(refused.wait_s)
        held = await lane.take(Need(1), waiting=0, breaker=breaker)
        assert isinstance(held, Held)
    finally:
        server.start()
    lane.settle(held, used=Need(1), outcome=Outcome.SUCCESS)
    assert isinstance(await lane.take(Need(1), waiting=0, breaker=breaker), Held)
    assert not lane.standing().degraded
    for state in states:
        await state.stop()
