"""Bugs of the published design, limiter and breaker: each test fails where its bug is back.

The numbers are those of our own list of bugs in that design; 7 to 10 and 17 to 24 are in
`test_published_bugs_calls.py`. Everything here goes in by `Gate.enter` and out by `Permit.close`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from routing.breaker import Outcome, State
from routing.errors import BreakerOpen, TooLarge
from routing.gate import Gate
from routing.specs import Limits, ModelSpec
from routing.tokens import estimate_tokens
from tests.routing.crowd import Crowd
from tests.routing.decision_bodies import anthropic, gemini, openai
from tests.routing.helpers import SteppedClock, model
from tests.routing.scripted import refusing
from tests.routing.stage import Stage


async def _in_a_minute(spec: ModelSpec, *, callers: int, tokens: int) -> int:
    """How many of many eager callers get in within one minute."""
    crowd = Crowd(spec)
    for number in range(callers):
        await crowd.come(str(number), tokens=tokens, left_s=59.9)
    await crowd.clock.advance(59.9)
    return len(crowd.inside)


async def test_bug_1_a_minute_s_limit_refilled_every_second() -> None:
    """The bug put the requests of a whole minute into the bucket each second: up to 30 times the limit.

    Here 200 callers at 60 requests a minute, and at 6,000 tokens a minute, get what a minute holds.
    """
    by_requests = model(limits=Limits(requests_per_minute=60))
    by_tokens = model(limits=Limits(tokens_per_minute=6_000))
    assert 45 <= await _in_a_minute(by_requests, callers=200, tokens=500) <= 60
    assert 9 <= await _in_a_minute(by_tokens, callers=200, tokens=500) <= 12


async def test_bug_2_requests_and_tokens_in_one_number() -> None:
    """The bug mixed both limits into one bucket, so that tiny calls passed the limit of requests and
    large ones that of tokens. Here each binds by itself, however much of the other is left.
    """
    many_tokens = model(limits=Limits(requests_per_minute=60, tokens_per_minute=10_000_000))
    many_requests = model(limits=Limits(requests_per_minute=60_000, tokens_per_minute=6_000))
    assert 45 <= await _in_a_minute(many_tokens, callers=150, tokens=1) <= 60
    assert 4 <= await _in_a_minute(many_requests, callers=150, tokens=1_000) <= 6


class _WallClockSteps(SteppedClock):
    """A clock whose wall time can be set while its monotonic time goes on."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


@pytest.mark.parametrize("hours", [-1, 1])
async def test_bug_3_the_wall_clock_as_the_limiter_s_time(hours: int) -> None:
    """The bug measured with the wall clock: set back an hour, it blocked for an hour, and set forward it
    gave an hour's calls away. Here the step changes nothing.
    """
    crowd = Crowd(model(limits=Limits(requests_per_minute=60)))
    crowd.clock = clock = _WallClockSteps()
    crowd.gate = Gate(clock=clock, random=lambda: 0.5)
    for name in "abc":
        await crowd.come(name)
    clock.shift = timedelta(hours=hours)
    await clock.advance(0.5)
    assert crowd.inside == ["a"]
    await clock.advance(0.6)
    assert crowd.inside == ["a", "b"]


async def test_bug_4_waiting_for_what_can_never_fit() -> None:
    """The bug polled ten times a second for a call larger than its bucket until the time was over, and
    let whoever polled first go first. Here it is refused at once, and others keep their order.
    """
    crowd = Crowd(model(limits=Limits(tokens_per_minute=6_000)))
    with pytest.raises(TooLarge):
        await crowd.gate.enter(crowd.spec, tokens=60_000, deadline_s=9e9)
    assert crowd.clock.sleeps == 0
    for name in ("large", "next", "small"):
        await crowd.come(name, tokens={"large": 900, "next": 900, "small": 1}[name])
    await crowd.clock.advance(60.0)
    assert crowd.inside == ["large", "next", "small"]
    assert crowd.clock.sleeps <= 6


async def test_bug_5_every_process_with_the_whole_limit() -> None:
    """The bug counted per process, so four workers called four times as often. Here four gates with a
    quarter each stay within the key's limit together.
    """
    clock, inside = SteppedClock(), [0]
    spec = model(limits=Limits(requests_per_minute=60))
    gates = [Gate(clock=clock, random=lambda: 0.5, share=0.25) for _ in range(4)]

    async def call(gate: Gate) -> None:
        await gate.enter(spec, tokens=1, deadline_s=clock.monotonic_s() + 59.9)
        inside[0] += 1

    tasks = [asyncio.create_task(call(gate)) for gate in gates for _ in range(60)]
    await clock.advance(59.9)
    assert 40 <= inside[0] <= 60
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_bug_6_estimates_that_are_never_settled() -> None:
    """The bug charged an estimate for good. Here a call that used less makes room for the next, and one
    that used more holds it back.
    """
    for used, expected in ((100, ["a", "b"]), (5_900, ["a"])):
        crowd = Crowd(model(limits=Limits(tokens_per_minute=6_000)))
        await crowd.come("a", tokens=5_000)
        crowd.close("a", used_tokens=used)
        await crowd.come("b", tokens=3_000, left_s=50.0)
        await crowd.clock.advance(45.0)
        assert crowd.inside == expected, used


@pytest.mark.parametrize(
    ("text", "real_tokens"),
    [("怎么开发票需要多久呢啊", 13), ("请问这个商品什么时候可以发货我已经等了一个星期了吗", 32)],
)
def test_bug_6_chinese_counted_as_four_letters_a_token(text: str, real_tokens: int) -> None:
    """The bug divided the length by four: a third to a sixth of what Chinese costs."""
    assert estimate_tokens(text) >= real_tokens > len(text) // 4


async def _broken(crowd: Crowd) -> None:
    for number in range(20):
        await crowd.come(f"bad-{number}")
        crowd.close(f"bad-{number}", outcome=Outcome.FAILURE)


async def test_bug_11_everyone_is_a_probe() -> None:
    """The bug let 113 of 200 callers through when the break was over. Here exactly three get in."""
    crowd = Crowd(model())
    await _broken(crowd)
    await crowd.clock.advance(12.1)
    entering = [
        crowd.gate.enter(crowd.spec, tokens=1, deadline_s=crowd.clock.monotonic_s() + 5.0)
        for _ in range(200)
    ]
    results = await asyncio.gather(*entering, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BreakerOpen)]
    assert (len(results), len(refused)) == (200, 197)


async def test_bug_12_five_failures_to_open_again() -> None:
    """The bug forgave four failures of probes after one success. Here the first failure ends it."""
    crowd = Crowd(model())
    await _broken(crowd)
    await crowd.clock.advance(12.1)
    await crowd.come("good")
    crowd.close("good", outcome=Outcome.SUCCESS)
    await crowd.come("bad")
    crowd.close("bad", outcome=Outcome.FAILURE)
    await crowd.come("next")
    assert isinstance(crowd.error_of("next"), BreakerOpen)
    assert crowd.gate.states()[0].state is State.OPEN


async def test_bug_13_only_failures_in_a_row_count() -> None:
    """The bug never opened for a vendor that fails four times out of five. Here its share counts."""
    crowd = Crowd(model())
    for number in range(25):
        await crowd.come(str(number))
        if str(number) in crowd.permits:
            good = number % 5 == 4
            crowd.close(str(number), outcome=Outcome.SUCCESS if good else Outcome.FAILURE)
    assert crowd.gate.states()[0].state is State.OPEN


@pytest.mark.parametrize(
    ("status", "bodies"),
    [
        (400, {"openai": openai("invalid_request_error")}),
        (422, {"anthropic": anthropic("invalid_request_error")}),
        (429, {"openai": openai("requests", "rate_limit_exceeded")}),
        (429, {"gemini": gemini(429, "RESOURCE_EXHAUSTED")}),
    ],
    ids=["invalid", "parameters", "rate", "rate at Gemini"],
)
async def test_bug_14_our_own_mistakes_count_as_ill_health(
    status: int, bodies: dict[str, object], stage: Stage
) -> None:
    """The bug opened the breaker for bad requests and rate limits. Here thirty of them leave it closed,
    and the next question is answered.
    """
    [(vendor, body)] = bodies.items()
    stage.script.plays[vendor] = refusing(status, body)
    for _ in range(30):
        await stage.outcome(stage.model(vendor))
    assert stage.gate.states()[0].state is State.CLOSED
    del stage.script.plays[vendor]
    assert (await stage.ask(stage.model(vendor))).reply.text == "All is well."


@pytest.mark.parametrize("late", [Outcome.FAILURE, Outcome.SUCCESS])
async def test_bug_15_late_results_of_an_older_state(late: Outcome) -> None:
    """The bug let a call from before the break decide about the time after it. Here it does not: a late
    failure does not open again what probes are closing, a late success closes nothing.
    """
    crowd = Crowd(model())
    await crowd.come("late")
    await _broken(crowd)
    await crowd.clock.advance(12.1)
    for name in ("one", "two"):
        await crowd.come(name)
        crowd.close(name, outcome=Outcome.SUCCESS)
    crowd.close("late", outcome=late)
    assert crowd.gate.states()[0].state is State.HALF_OPEN
    await crowd.come("three")
    crowd.close("three", outcome=Outcome.SUCCESS)
    assert crowd.gate.states()[0].state is State.CLOSED


async def test_bug_16_the_fallback_goes_around_the_limits(stage: Stage) -> None:
    """The bug sent the whole load on to the next model, past its limiter, until that fell too. Here the
    next model gets what its own limit allows and not a call more.
    """
    stage.script.plays["openai"] = refusing(503)
    narrow = replace(stage.model("anthropic"), limits=Limits(requests_per_minute=2))
    for _ in range(6):
        await stage.outcome(stage.model("openai"), narrow)
    assert 1 <= stage.script.called().count("anthropic") <= 2
