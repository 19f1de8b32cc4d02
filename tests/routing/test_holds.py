"""What staff decide by hand stands above the breakers, here and in every process of a fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from base.state import SharedState
from benchmarks.redis_server import RedisServer, has_redis, running_redis
from routing.breaker import Outcome, State
from routing.errors import BreakerOpen, Parked
from routing.gate import Gate
from routing.redis_limits import RedisLimits
from routing.specs import HoldSpec, Limits, ModelSpec, Need
from tests.conftest import unavailable
from tests.routing.crowd import Crowd
from tests.routing.helpers import NOW, SteppedClock, model

FAST = model(limits=Limits(requests_per_minute=6_000, requests_per_day=500))
NARROW = model(limits=Limits(in_flight=1))
SIZE = Need(100, 20)


def decided(spec: ModelSpec, kind: Any, **fields: Any) -> HoldSpec:
    """A decision about a model."""
    return HoldSpec(
        spec.endpoint.key, spec.name, kind, **{"at": NOW, "reason": "they are down", **fields}
    )


async def test_a_tripped_model_is_refused_until_it_is_reset() -> None:
    """Who waits and who comes is sent on at once, for good; a reset lets calls through again."""
    crowd = Crowd(NARROW)
    await crowd.come("inside")
    await crowd.come("waiting")
    crowd.gate.hold([decided(NARROW, "trip")])
    await crowd.come("late")
    await crowd.clock.advance(3_600.0)
    await crowd.come("later")
    for name in ("waiting", "late", "later"):
        error = crowd.error_of(name)
        assert isinstance(error, BreakerOpen)
        assert "they are down" in error.reason
    assert crowd.gate.states()[0].state is State.OPEN
    crowd.close("inside")
    crowd.gate.hold([decided(NARROW, "reset", at=NOW + timedelta(hours=1))])
    await crowd.come("again")
    assert crowd.inside == ["inside", "again"]


async def test_a_parked_model_comes_back_at_its_time() -> None:
    """Parked until a time: refused with the time left, and asked again afterwards by itself."""
    crowd = Crowd(NARROW)
    until = crowd.clock.now() + timedelta(minutes=10)
    crowd.gate.hold([decided(NARROW, "park", until=until)])
    await crowd.come("early")
    error = crowd.error_of("early")
    assert isinstance(error, Parked)
    assert error.retry_after_s == pytest.approx(600.0)
    await crowd.clock.advance(600.0)
    await crowd.come("after")
    assert crowd.inside == ["after"]


async def test_a_reset_closes_a_breaker_once() -> None:
    """Old failures no longer count; the same row read again resets nothing, nor does one from before."""
    crowd = Crowd(model())
    old = decided(crowd.spec, "reset")
    crowd.gate.hold([old])

    async def fail(number: int) -> State:
        for call in range(20):
            await crowd.come(f"bad-{number}-{call}")
            crowd.close(f"bad-{number}-{call}", outcome=Outcome.FAILURE)
        return crowd.gate.states()[0].state

    assert await fail(1) is State.OPEN
    crowd.gate.hold([old])
    assert crowd.gate.states()[0].state is State.OPEN
    new = decided(crowd.spec, "reset", at=NOW + timedelta(seconds=1))
    crowd.gate.hold([new])
    assert crowd.gate.states()[0].state is State.CLOSED
    assert await fail(2) is State.OPEN
    crowd.gate.hold([new])
    assert crowd.gate.states()[0].state is State.OPEN


async def test_the_view_of_a_lane_adds_up() -> None:
    """Used and left of every limit, calls in flight, who waits, and the wait to expect."""
    spec = model(
        limits=Limits(
            requests_per_minute=60, tokens_per_minute=6_000, in_flight=1, requests_per_day=500
        )
    )
    crowd = Crowd(spec)
    await crowd.come("inside", tokens=90)
    await crowd.come("waiting", tokens=90)
    (view,) = await crowd.gate.look([spec], need=SIZE)
    assert {bucket.name: (bucket.used, bucket.left) for bucket in view.sight.buckets} == {
        "requests": (1, 59),
        "tokens": (90, 5_910),
        "requests_per_day": (1, 499),
    }
    assert (view.sight.in_flight, view.state.waiting) == (1, 1)
    assert view.eta_s > 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    if not has_redis():
        unavailable("redis-server")
    with running_redis() as running:
        yield running


class Fleet:
    """Gates of two processes that share one Redis, in stepped time."""

    def __init__(self, url: str) -> None:
        self.clock = SteppedClock()
        self.states = [SharedState(url, timeout_s=5.0) for _ in range(2)]
        self.gates = [self._gate(state) for state in self.states]

    def _gate(self, state: SharedState) -> Gate:
        def limits_for(key: tuple[str, str]) -> RedisLimits:
            time = self.clock
            return RedisLimits(key, state=state, clock=time, redis_time_s=time.monotonic_s)

        return Gate(clock=self.clock, random=lambda: 0.5, limits_for=limits_for)

    async def hold(self, *decisions: HoldSpec) -> None:
        """Both processes read the same rows."""
        for gate in self.gates:
            gate.hold(decisions)
        await self.flush()

    async def call(self, gate: Gate, outcome: Outcome) -> None:
        """One call and its end."""
        permit = await gate.enter(FAST, tokens=10, deadline_s=self.clock.monotonic_s() + 60.0)
        permit.close(outcome=outcome, used_tokens=10)
        await self.flush()

    async def flush(self) -> None:
        """Let what was told arrive."""
        for state in self.states:
            await state.flush()


@asynccontextmanager
async def a_fleet(url: str) -> AsyncIterator[Fleet]:
    """Connected, with no decision yet."""
    fleet = Fleet(url)
    for state in fleet.states:
        await state.start()
    await fleet.hold()
    yield fleet
    for state in fleet.states:
        await state.stop()


async def test_a_reset_reaches_a_whole_fleet(server: RedisServer) -> None:
    """What one process found ill is closed in all; any of them sees the limits of all."""
    async with a_fleet(server.url) as fleet:
        first, second = fleet.gates
        for _ in range(20):
            await fleet.call(first, Outcome.FAILURE)
        with pytest.raises(BreakerOpen):
            await fleet.call(second, Outcome.SUCCESS)
        (view,) = await second.look([FAST], need=SIZE)
        assert (view.sight.fleet_state, view.state.state) == ("open", State.OPEN)
        used = {bucket.name: bucket.used for bucket in view.sight.buckets}
        assert used == {"requests": 20, "requests_per_day": 20}
        await fleet.hold(decided(FAST, "reset"))
        (view,) = await first.look([FAST], need=SIZE)
        assert (view.sight.fleet_state, view.state.state) == ("", State.CLOSED)
        for gate in fleet.gates:
            await fleet.call(gate, Outcome.SUCCESS)
        await fleet.hold(decided(FAST, "trip"))
        for gate in fleet.gates:
            with pytest.raises(BreakerOpen):
                await fleet.call(gate, Outcome.SUCCESS)
