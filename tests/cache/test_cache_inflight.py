"""Single-flight: the same question asked at once is answered once."""

from __future__ import annotations

import asyncio

import pytest

from cache.inflight import Flight, InFlight, Shared

CROWD = 1_000


async def settle() -> None:
    """Let every task that is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Askers of one key; whoever leads stays in the air until the test lands it."""

    def __init__(self, count: int = CROWD, *, key: str = "k") -> None:
        self.flights: InFlight[str] = InFlight()
        self.leaders: list[Flight[str]] = []
        self.shared: list[Shared[str]] = []
        self.tasks = [asyncio.create_task(self._ask(key)) for _ in range(count)]

    async def _ask(self, key: str) -> None:
        outcome = await self.flights.lead_or_wait(key)
        if isinstance(outcome, Flight):
            self.leaders.append(outcome)
        else:
            self.shared.append(outcome)


async def test_thousand_identical_askers_have_one_leader() -> None:
    """One leads, 999 wait, and the answer reaches all of them."""
    crowd = Crowd()
    await settle()
    waiting = len(crowd.shared)
    crowd.leaders[0].land("the answer")
    await asyncio.gather(*crowd.tasks)
    assert (len(crowd.leaders), waiting) == (1, 0)
    assert crowd.shared == [Shared("the answer")] * (CROWD - 1)
    assert len(crowd.flights) == 0


async def test_failed_leader_is_followed_by_exactly_one() -> None:
    """The leader fails: one of the waiters leads, the others go on waiting, for it."""
    crowd = Crowd()
    await settle()
    crowd.leaders[0].abandon()
    await settle()
    assert (len(crowd.leaders), len(crowd.shared)) == (2, 0)
    crowd.leaders[1].land("second try")
    await asyncio.gather(*crowd.tasks)
    assert crowd.shared == [Shared("second try")] * (CROWD - 2)


async def test_every_leader_may_fail() -> None:
    """When all fail in turn each asker has led once and nobody waits for ever."""
    crowd = Crowd(20)
    for turn in range(20):
        await settle()
        crowd.leaders[turn].abandon()
    await asyncio.gather(*crowd.tasks)
    assert (len(crowd.leaders), len(crowd.shared), len(crowd.flights)) == (20, 0, 0)


async def test_answer_that_may_not_be_shared_frees_all_at_once() -> None:
    """Nobody queues up behind the next: all get None in the same moment and go their own way."""
    crowd = Crowd()
    await settle()
    crowd.leaders[0].land(None)
    await settle()
    assert crowd.shared == [Shared(None)] * (CROWD - 1)
    assert len(crowd.leaders) == 1


async def test_keys_fly_separately() -> None:
    """Two questions have two leaders."""
    flights: InFlight[str] = InFlight()
    outcomes = [await flights.lead_or_wait(key) for key in ("a", "b")]
    assert all(isinstance(outcome, Flight) for outcome in outcomes)
    assert len(flights) == 2


async def test_waiter_that_leaves_takes_nobody_along() -> None:
    """Cancelling one waiter neither cancels the flight nor the other waiters."""
    crowd = Crowd(3)
    await settle()
    crowd.tasks[1].cancel()
    await settle()
    crowd.leaders[0].land("answer")
    done = await asyncio.gather(*crowd.tasks, return_exceptions=True)
    assert crowd.shared == [Shared("answer")]
    assert isinstance(done[1], asyncio.CancelledError)


async def test_abandon_after_land_changes_nothing() -> None:
    """The `finally` of a leader does not take back what it has landed."""
    crowd = Crowd(2)
    await settle()
    crowd.leaders[0].land("answer")
    crowd.leaders[0].abandon()
    await asyncio.gather(*crowd.tasks)
    assert crowd.shared == [Shared("answer")]


async def test_late_abandon_spares_the_next_flight() -> None:
    """A leader that ends twice never ends the flight that came after it."""
    flights: InFlight[str] = InFlight()
    first = await flights.lead_or_wait("k")
    assert isinstance(first, Flight)
    first.land("one")
    second = await flights.lead_or_wait("k")
    first.abandon()
    waiter = asyncio.create_task(flights.lead_or_wait("k"))
    await settle()
    assert isinstance(second, Flight)
    assert (second.outcome.done(), waiter.done()) == (False, False)
    second.land("two")
    assert await waiter == Shared("two")


async def test_asker_after_landing_leads_anew() -> None:
    """Nothing is remembered here: that is the store's business."""
    flights: InFlight[str] = InFlight()
    for _ in range(2):
        flight = await flights.lead_or_wait("k")
        assert isinstance(flight, Flight)
        flight.land("answer")


async def test_leader_that_raises_promotes_a_waiter() -> None:
    """The shape in which it is used: whatever ends the leader's block frees the key."""
    flights: InFlight[str] = InFlight()

    async def ask(*, fails: bool) -> str | None:
        outcome = await flights.lead_or_wait("k")
        if isinstance(outcome, Shared):
            return outcome.value
        try:
            await asyncio.sleep(0)
            if fails:
                raise LookupError
            outcome.land("answer")
            return "led"
        finally:
            outcome.abandon()

    doomed = asyncio.create_task(ask(fails=True))
    await asyncio.sleep(0)
    others = [asyncio.create_task(ask(fails=False)) for _ in range(3)]
    with pytest.raises(LookupError):
        await doomed
    assert sorted(map(str, await asyncio.gather(*others))) == ["answer", "answer", "led"]
