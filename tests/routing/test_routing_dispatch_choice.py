"""Claims about which model of a chain is asked, and which are not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from routing.breaker import State
from routing.errors import Exhausted
from routing.specs import Limits
from tests.routing.helpers import KEY
from tests.routing.world import World, calls


@pytest.mark.parametrize(("fault", "options"), [("401", {}), ("429", {"kind": "quota"})])
async def test_a_hopeless_model_is_not_asked_again(
    fault: str, options: dict[str, Any], world: World
) -> None:
    """After a refused key or a spent quota later questions go to the next model at once."""
    world.vendor.fault(fault, vendor="openai", options=options)
    chain = [world.model("openai"), world.model("deepseek")]
    for _ in range(3):
        await world.ask(*chain)
    asked = [request["vendor"] for request in world.requests()]
    assert asked == ["openai", "deepseek", "deepseek", "deepseek"]


async def test_a_new_key_is_tried_at_once(world: World) -> None:
    """A parked model comes back with the question after its key was changed."""
    world.keys["openai"] = "bad-key"
    chain = [world.model("openai"), world.model("deepseek")]
    await world.ask(*chain)
    world.keys["openai"] = KEY
    assert (await world.ask(*chain)).model == chain[0]


async def test_a_rate_refusal_makes_the_next_model_answer(world: World) -> None:
    """A refusal with a long wait is not waited for while another model is free."""
    world.vendor.fault("429", vendor="openai", options={"retry_after": 7}, count=1)
    chain = [world.model("openai"), world.model("deepseek")]
    assert (await world.ask(*chain)).model == chain[1]
    assert world.gate.eta_s(chain[0], tokens=1) == pytest.approx(7.0, abs=0.01)


async def test_a_rate_refusal_alone_is_waited_for(world: World) -> None:
    """With one model the named wait is kept to the second and announced with a fifth to spare."""
    world.vendor.fault("429", vendor="openai", options={"retry_after": 3}, count=1)
    before_s = world.clock.monotonic_s()
    await world.ask(world.model("openai"))
    assert world.clock.monotonic_s() - before_s == pytest.approx(3.0, abs=0.01)
    (eta_s, ahead), *more = world.waits
    assert (round(eta_s, 1), ahead, more) == (3.6, 0, [])


async def test_a_breaker_stops_asking_a_broken_model(world: World) -> None:
    """After twenty failures the broken model is left alone, and questions lose no time on it."""
    world.vendor.fault("500", vendor="openai")
    chain = [world.model("openai"), world.model("deepseek")]
    for _ in range(30):
        await world.ask(*chain)
    states = {lane.endpoint_key: lane.state for lane in world.gate.states()}
    assert states == {"openai": State.OPEN, "deepseek": State.CLOSED}
    asked = [request["vendor"] for request in world.requests()]
    assert 20 <= asked.count("openai") <= 22


@pytest.mark.parametrize("fault", ["400", "429", "refusal"])
async def test_what_is_not_ill_health_opens_no_breaker(fault: str, world: World) -> None:
    """Bad requests, rate refusals and refusals to answer leave the breaker closed."""
    world.vendor.fault(fault, vendor="openai", options={} if fault != "429" else {"retry_after": 0})
    for _ in range(25):
        await world.ask(world.model("openai"), world.model("deepseek"))
    states = {lane.endpoint_key: lane.state for lane in world.gate.states()}
    assert states["openai"] is State.CLOSED


async def test_a_long_queue_gives_way_to_a_free_model(world: World) -> None:
    """When the first model's turn would come late, the question goes to one that is free."""
    slow = world.model("openai", limits=Limits(requests_per_minute=6))
    free = world.model("deepseek")
    asked = [(await world.ask(slow, free)).model for _ in range(3)]
    assert asked == [slow, free, free]


async def test_a_short_queue_is_joined(world: World) -> None:
    """A wait of a small share of the time left does not drive anyone to the dearer model."""
    cheap = world.model("openai", limits=Limits(requests_per_minute=60))
    dear = world.model("anthropic")
    asked = [(await world.ask(cheap, dear)).model for _ in range(3)]
    assert asked == [cheap, cheap, cheap]


async def test_the_shortest_of_long_queues_is_joined(world: World) -> None:
    """When every model makes one wait, the one whose turn comes first is chosen."""
    slow = world.model("openai", limits=Limits(requests_per_minute=6))
    slower = world.model("deepseek", limits=Limits(requests_per_minute=4))
    asked = [(await world.ask(slow, slower)).model for _ in range(3)]
    assert asked == [slow, slower, slow]


async def test_a_turn_that_leaves_no_time_for_an_answer_is_not_waited_for(world: World) -> None:
    """A queue that would end within the last second of the deadline is refused."""
    spec = world.model("openai", limits=Limits(requests_per_minute=25))
    await world.ask(spec)
    with pytest.raises(Exhausted, match="too late"):
        await world.ask(spec, deadline_s=world.clock.monotonic_s() + 3.4)


async def test_empty_answers_are_ill_health(world: World) -> None:
    """A model that keeps answering nothing is left alone after twenty times."""
    world.vendor.fault("empty", vendor="openai")
    chain = [world.model("openai"), world.model("deepseek"), world.model("gemini")]
    for _ in range(21):
        await world.ask(*chain)
    states = {lane.endpoint_key: lane.state for lane in world.gate.states()}
    assert states["openai"] is State.OPEN


async def test_models_are_left_out_with_a_reason(world: World) -> None:
    """Retired, future and keyless models are not called, and the failure says why in words."""
    world.keys["gemini"] = ""
    ended = world.model("anthropic", "claude-sonnet-4-5", valid_until=date(2026, 11, 22))
    future = world.model("deepseek", valid_from=date(2026, 12, 1))
    with pytest.raises(Exhausted) as caught:
        await world.ask(ended, future, world.model("gemini"))
    assert [reason for _, reason in caught.value.attempts] == [
        "claude-sonnet-4-5 (Anthropic) is left out: its vendor ended it on 22 November 2026",
        "deepseek-flash (Deepseek) is left out: its vendor begins to serve it on 1 December 2026",
        "gemini-3.5-flash-lite (Gemini) is left out: GEMINI_API_KEY is not set",
    ]
    assert world.requests() == []


async def test_a_last_day_is_still_a_day(world: World) -> None:
    """A model answers on its last day."""
    spec = world.model("openai", valid_until=date(2026, 11, 23))
    assert (await world.ask(spec)).model == spec


async def test_a_prompt_beyond_a_window_goes_to_a_larger_one(world: World) -> None:
    """A model whose window is too small is passed over without a call."""
    small, large = world.model("openai", context_tokens=200), world.model("deepseek")
    assert (await world.ask(small, large)).model == large
    with pytest.raises(Exhausted, match="do not fit its window of 200"):
        await world.ask(small)


async def test_a_host_that_is_not_allowed_is_never_called(world: World) -> None:
    """Without the loopback switch this machine is refused, naming the setting's purpose."""
    world.dispatcher = world.make_dispatcher(allow_loopback=False)
    with pytest.raises(Exhausted, match="https"):
        await world.ask(world.model("openai"))
    assert world.requests() == []
    assert await calls() == []


async def test_an_empty_chain_is_exhausted(world: World) -> None:
    """No model at all is an ordinary failure."""
    with pytest.raises(Exhausted, match="the chain is empty"):
        await world.ask()


async def test_no_call_starts_when_the_time_is_over(world: World) -> None:
    """A question with less than a second left costs nothing any more."""
    with pytest.raises(Exhausted, match="no time was left"):
        await world.ask(world.model("openai"), deadline_s=world.clock.monotonic_s() + 0.9)
    assert world.requests() == []
