"""Claims about the gate: who may call, in which order, and who is told to go elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from routing.breaker import Outcome, State
from routing.errors import BreakerOpen, Kind, Parked, TooLarge, WouldMissDeadline
from routing.gate import Gate, Permit
from routing.specs import Limits, ModelSpec
from routing.vendors.classify import VERDICTS
from simulator import windows
from tests.routing.helpers import SteppedClock, model, settle

FAST = model(limits=Limits(requests_per_minute=60))
NARROW = model(limits=Limits(in_flight=1))


class Crowd:
    """Callers at one gate; remembers in which order they got in."""

    def __init__(self, spec: ModelSpec, *, max_waiting: int = 1_000) -> None:
        self.clock = SteppedClock()
        self.gate = Gate(clock=self.clock, random=lambda: 0.5, max_waiting=max_waiting)
        self.spec = spec
        self.inside: list[str] = []
        self.permits: dict[str, Permit] = {}
        self.notices: list[tuple[str, float, int]] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, *, tokens: int = 10, left_s: float = 60.0) -> None:
        """Let a caller enter, in a task of its own."""
        self.tasks[name] = asyncio.create_task(self._enter(name, tokens=tokens, left_s=left_s))
        await settle()

    async def _enter(self, name: str, *, tokens: int, left_s: float) -> None:
        async def notice(eta_s: float, ahead: int) -> None:
            self.notices.append((name, round(eta_s, 2), ahead))

        self.permits[name] = await self.gate.enter(
            self.spec,
            tokens=tokens,
            deadline_s=self.clock.monotonic_s() + left_s,
            on_wait=notice,
        )
        self.inside.append(name)

    def close(self, name: str, *, outcome: Outcome = Outcome.SUCCESS, **more: Any) -> None:
        """End a caller's call."""
        self.permits[name].close(outcome=outcome, **more)

    def error_of(self, name: str) -> BaseException | None:
        """What a caller was refused with."""
        return self.tasks[name].exception()


async def _refused(entering: Awaitable[Permit]) -> Exception:
    with pytest.raises((BreakerOpen, Parked, TooLarge, WouldMissDeadline)) as caught:
        await entering
    return caught.value


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
    """Whoever waits a second or more learns how long and behind how many."""
    crowd = Crowd(FAST)
    for name in "abc":
        await crowd.come(name)
    assert crowd.notices == [("b", 1.05, 0), ("c", 2.11, 1)]


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


async def test_what_cannot_fit_a_minute_is_too_large() -> None:
    """A call beyond the whole limit is refused before it waits."""
    crowd = Crowd(model(limits=Limits(tokens_per_minute=100)))
    entering = crowd.gate.enter(crowd.spec, tokens=101, deadline_s=9e9)
    assert isinstance(await _refused(entering), TooLarge)


async def _break(crowd: Crowd) -> None:
    for number in range(20):
        await crowd.come(f"bad-{number}")
        crowd.close(f"bad-{number}", outcome=Outcome.FAILURE)


async def test_an_open_breaker_refuses_at_once() -> None:
    """After twenty failures nothing gets in, and the refusal says for how long."""
    crowd = Crowd(model())
    await _break(crowd)
    error = await _refused(crowd.gate.enter(crowd.spec, tokens=1, deadline_s=9e9))
    assert isinstance(error, BreakerOpen)
    assert error.retry_after_s == pytest.approx(10.0)


async def test_three_probes_get_in_after_the_break() -> None:
    """When the break is over three callers get in and the rest are refused."""
    crowd = Crowd(model())
    await _break(crowd)
    await crowd.clock.advance(10.0)
    for number in range(10):
        await crowd.come(f"probe-{number}")
    inside = [name for name in crowd.inside if name.startswith("probe")]
    assert len(inside) == 3
    assert isinstance(crowd.error_of("probe-3"), BreakerOpen)


async def test_those_who_wait_are_sent_on_when_the_breaker_opens() -> None:
    """An opening breaker empties the queue instead of letting it find out one by one."""
    crowd = Crowd(model(limits=Limits(in_flight=20)))
    for number in range(23):
        await crowd.come(f"c-{number}")
    for number in range(20):
        crowd.close(f"c-{number}", outcome=Outcome.FAILURE)
    await settle()
    assert len(crowd.inside) == 20
    assert all(isinstance(crowd.error_of(f"c-{n}"), BreakerOpen) for n in (20, 21, 22))


async def test_models_do_not_share_a_breaker() -> None:
    """One model's failures leave another at the same endpoint alone."""
    crowd = Crowd(model())
    await _break(crowd)
    other = replace(crowd.spec, name="m-2")
    assert crowd.gate.eta_s(other, tokens=1) == 0.0


@pytest.mark.parametrize(
    ("kind", "told_s", "gone_s", "parked"),
    [
        (Kind.AUTH, None, 1e6, True),
        (Kind.MODEL_GONE, None, 1e6, True),
        (Kind.QUOTA, None, 599.0, True),
        (Kind.QUOTA, None, 600.0, False),
        (Kind.QUOTA, 36_000.0, 35_999.0, True),
        (Kind.QUOTA, 36_000.0, 36_000.0, False),
        (Kind.PAYMENT, None, 600.0, False),
        (Kind.RATE, None, 0.5, False),
    ],
)
async def test_a_model_is_parked_as_long_as_it_is_hopeless(
    kind: Kind, told_s: float | None, gone_s: float, parked: bool
) -> None:
    """Key and model need a person; quota and money are asked for again when they may be back."""
    crowd = Crowd(model())
    crowd.gate.eta_s(crowd.spec, tokens=1)
    verdict = replace(VERDICTS[kind], retry_after_s=told_s)
    crowd.gate.heed(crowd.spec, verdict, reason="because")
    await crowd.clock.advance(gone_s)
    assert (crowd.gate.states()[0].state is State.PARKED) is parked


@pytest.mark.parametrize("change", ["key", "row", "staff"])
async def test_a_change_brings_a_parked_model_back(change: str) -> None:
    """A new key, a changed row or staff's word end the parking."""
    crowd = Crowd(model())
    spec, stamp = crowd.spec, "key-1"
    crowd.gate.eta_s(spec, tokens=1, stamp=stamp)
    crowd.gate.heed(spec, VERDICTS[Kind.AUTH], reason="the key was refused")
    with pytest.raises(Parked, match="the key was refused"):
        crowd.gate.eta_s(spec, tokens=1, stamp=stamp)
    if change == "staff":
        crowd.gate.unpark()
    spec = replace(spec, max_output_tokens=99) if change == "row" else spec
    assert crowd.gate.eta_s(spec, tokens=1, stamp="key-2" if change == "key" else stamp) == 0.0


@pytest.mark.parametrize(("told_s", "wait_s"), [(7.0, 7.0), (None, 1.0), (0.0, 1.0)])
async def test_a_rate_refusal_pauses_the_model(told_s: float | None, wait_s: float) -> None:
    """Nobody calls before the time the vendor named, or a second when it named none."""
    crowd = Crowd(model())
    verdict = replace(VERDICTS[Kind.RATE], retry_after_s=told_s)
    crowd.gate.heed(crowd.spec, verdict, reason="rate")
    await crowd.come("a")
    await crowd.clock.advance(wait_s - 0.01)
    assert crowd.inside == []
    await crowd.clock.advance(0.01)
    assert crowd.inside == ["a"]


async def test_an_unhealthy_vendor_s_wait_is_obeyed_too() -> None:
    """Unavailable with Retry-After pauses the model as well."""
    crowd = Crowd(model())
    verdict = replace(VERDICTS[Kind.SERVER], retry_after_s=3.0)
    crowd.gate.heed(crowd.spec, verdict, reason="unavailable")
    assert crowd.gate.eta_s(crowd.spec, tokens=1) == pytest.approx(3.0)


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
