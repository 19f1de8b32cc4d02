"""Claims about the gate: who may call, in which order, and who is told to go elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from routing.breaker import Outcome
from routing.errors import WouldMissDeadline
from routing.gate import Gate
from routing.specs import Limits
from simulator import windows
from tests.routing.crowd import Crowd
from tests.routing.helpers import SteppedClock, model, settle

FAST = model(limits=Limits(requests_per_minute=60))


NARROW = model(limits=Limits(in_flight=1))


async def test_callers_get_in_at_their_time_in_order() -> None:
    """At 60 per minute one caller gets in about every second, first come first served."""
    crowd = Crowd(FAST)
    for name in "abc":
        await crowd.come(name)
    orders = [list(crowd.inside)]
    for _ in range(2):
        await crowd.clock.advance(1.06)
        orders.append(list(crowd.inside))
    assert orders == [["a"], ["a", "b"], ["a", "b", "c"]]


async def test_a_small_call_does_not_overtake_a_large_one() -> None:
    """Whoever could go now still waits behind those who came first."""
    crowd = Crowd(model(limits=Limits(tokens_per_minute=6_000)))
    await crowd.come("first", tokens=95)
    await crowd.come("large", tokens=900)
    await crowd.come("small", tokens=1)
    await crowd.clock.advance(0.5)
    assert crowd.inside == ["first"]
    await crowd.clock.advance(60.0)
    assert crowd.inside == ["first", "large", "small"]


async def test_waiting_is_announced_with_time_and_place() -> None:
    """Whoever waits a second or more learns how long, with a fifth to spare, and behind how many."""
    crowd = Crowd(FAST)
    for name in "abc":
        await crowd.come(name)
    assert crowd.notices == [("b", 1.26, 0), ("c", 2.53, 1)]


async def test_nobody_polls() -> None:
    """Whoever waits sleeps once until the computed time, and once more when woken to look again."""
    crowd = Crowd(model(limits=Limits(requests_per_minute=1)))
    await crowd.come("a")
    await crowd.come("b", left_s=100.0)
    crowd.close("a")
    await crowd.clock.advance(64.0)
    assert crowd.inside == ["a", "b"]
    assert crowd.clock.sleeps <= 3


async def test_a_wait_beyond_the_deadline_is_refused_at_once() -> None:
    """Nobody joins a queue in which the time would run out."""
    crowd = Crowd(FAST)
    await crowd.come("a")
    await crowd.come("b", left_s=1.0)
    error = crowd.error_of("b")
    assert isinstance(error, WouldMissDeadline)
    assert error.retry_after_s == pytest.approx(1 / 0.95)


async def test_a_queue_has_an_end() -> None:
    """Beyond the bound callers are refused instead of kept."""
    crowd = Crowd(FAST, max_waiting=2)
    for name in "abcd":
        await crowd.come(name)
    assert isinstance(crowd.error_of("d"), WouldMissDeadline)


async def test_whoever_leaves_the_queue_gives_up_the_place() -> None:
    """A cancelled caller holds nothing and those behind move up."""
    crowd = Crowd(FAST)
    for name in "abc":
        await crowd.come(name)
    crowd.tasks["b"].cancel()
    await crowd.clock.advance(1.06)
    assert crowd.inside == ["a", "c"]
    assert crowd.gate.states()[0].waiting == 0


async def test_a_place_in_flight_passes_to_the_next() -> None:
    """With one call at a time the end of one lets in the next, without any clock."""
    crowd = Crowd(NARROW)
    for name in "abc":
        await crowd.come(name)
    crowd.close("a")
    await settle()
    assert crowd.inside == ["a", "b"]
    crowd.close("b")
    await settle()
    assert crowd.inside == ["a", "b", "c"]


async def test_whoever_waits_for_a_place_gives_up_at_the_deadline() -> None:
    """A place that nobody frees is not waited for beyond the time left."""
    crowd = Crowd(NARROW)
    await crowd.come("a")
    await crowd.come("b", left_s=5.0)
    await crowd.come("c", left_s=20.0)
    await crowd.clock.advance(6.0)
    assert isinstance(crowd.error_of("b"), WouldMissDeadline)
    crowd.close("a")
    await settle()
    assert crowd.inside == ["a", "c"]


async def test_a_permit_is_closed_once() -> None:
    """A second closing frees no second place; leaving the with-block closes what is open."""
    crowd = Crowd(NARROW)
    await crowd.come("a")
    crowd.close("a")
    await crowd.come("b")
    crowd.close("a")
    await crowd.come("c")
    assert crowd.inside == ["a", "b"]
    with crowd.permits["b"]:
        pass
    await settle()
    assert crowd.inside == ["a", "b", "c"]


async def test_unused_tokens_come_back() -> None:
    """A call that used less than it reserved lets the next one in sooner."""
    crowd = Crowd(model(limits=Limits(tokens_per_minute=6_000)))
    await crowd.come("a", tokens=3_000)
    await crowd.come("b", tokens=90)
    assert crowd.inside == ["a"]
    crowd.close("a", used_tokens=10)
    await crowd.clock.advance(0.1)
    assert crowd.inside == ["a", "b"]


async def test_new_limits_take_effect_for_those_who_wait() -> None:
    """A raised limit lets the queue move on; state from before the change is kept."""
    crowd = Crowd(NARROW)
    for name in "ab":
        await crowd.come(name)
    crowd.spec = replace(NARROW, limits=Limits(in_flight=5))
    await crowd.come("c")
    assert crowd.inside == ["a", "b", "c"]


async def test_nothing_is_held_after_everybody_left() -> None:
    """Entering, leaving, cancelling and refusing in any mix leaves no place taken."""
    crowd = Crowd(model(limits=Limits(in_flight=2, requests_per_minute=600)))
    for number in range(30):
        await crowd.come(f"c-{number}", left_s=float(number % 7))
        if number % 3 == 0:
            crowd.tasks[f"c-{number}"].cancel()
        for name in crowd.inside:
            crowd.close(name)
        await crowd.clock.advance(0.05)
    for _ in range(30):
        for name in crowd.inside:
            crowd.close(name)
        await crowd.clock.advance(1.0)
    await asyncio.gather(*crowd.tasks.values(), return_exceptions=True)
    state = crowd.gate.states()[0]
    assert (state.in_flight, state.waiting) == (0, 0)


@pytest.mark.parametrize("limits", [(120, None, None), (600, 60_000, None), (None, 30_000, 8)])
async def test_a_vendor_refuses_nobody_and_is_well_used(
    limits: tuple[int | None, int | None, int | None],
) -> None:
    """At three times the possible load for minutes the vendor's exact windows are never broken."""
    rpm, tpm, in_flight = limits
    crowd = Crowd(model(limits=Limits(rpm, tpm, in_flight)))
    vendor = windows.Gate()
    vendor_limits = windows.Limits(rpm=rpm, tpm=tpm, in_flight=in_flight)
    used = {"requests": 0, "tokens": 0}

    async def call(number: int) -> None:
        reserved, real, hold_s = 400 + number % 300, 300 + number % 200, 0.5 + number % 4
        deadline_s = crowd.clock.monotonic_s() + 12.0
        with await crowd.gate.enter(crowd.spec, tokens=reserved, deadline_s=deadline_s) as permit:
            ticket = vendor.admit(
                ("v", "k", "m"),
                amounts={windows.REQUESTS: 1, windows.TOKENS: reserved},
                limits=vendor_limits,
                now_ns=round(crowd.clock.monotonic_s() * 1e9),
            )
            assert isinstance(ticket, windows.Ticket), ticket
            used["requests"] += 1
            used["tokens"] += real
            await crowd.clock.sleep(hold_s)
            ticket.settle({windows.TOKENS: real}, now_ns=round(crowd.clock.monotonic_s() * 1e9))
            permit.close(outcome=Outcome.SUCCESS, used_tokens=real)

    tasks = []
    per_second = max(3 * (rpm or 0) / 60, 3 * (tpm or 0) / 60 / 400, 8)
    for second in range(150):
        tasks += [asyncio.create_task(call(second * 50 + n)) for n in range(round(per_second))]
        await crowd.clock.advance(1.0)
    await crowd.clock.advance(60.0)
    errors = [error for task in tasks if (error := task.exception()) is not None]
    assert {type(error) for error in errors} == {WouldMissDeadline}
    shares = [
        used["requests"] / (rpm * 2.6) if rpm else 0,
        used["tokens"] / (tpm * 2.6) if tpm else 0,
    ]
    assert max(shares) >= 0.9


async def test_one_of_two_processes_uses_half_of_the_limits() -> None:
    """With a share of one half the second caller waits twice as long."""
    clock = SteppedClock()
    gate = Gate(clock=clock, random=lambda: 0.5, share=0.5)
    await gate.enter(FAST, tokens=1, deadline_s=9e9)
    assert gate.eta_s(FAST, tokens=1) == pytest.approx(2 / 0.95)
