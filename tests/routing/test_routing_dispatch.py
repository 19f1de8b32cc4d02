"""Claims about the whole way of a question: chain, failures, money, and leaving early."""

from __future__ import annotations

import asyncio
import logging

import pytest

from base.writer import Writer
from routing.breaker import State
from routing.client import Timeouts
from routing.dispatch import Prospect
from routing.errors import Exhausted
from routing.models import Call
from routing.pricing import typical_nanousd
from routing.specs import FinishReason, Limits, Message, Prompt, Tier
from simulator.running import RunningSimulator
from tests.routing.helpers import KEY
from tests.routing.world import KINDS, RATE, World, calls, outcomes

SHORT = Timeouts(first_content_s=1.0)


@pytest.mark.parametrize("vendor_name", KINDS)
async def test_every_vendor_answers_and_is_booked_to_the_last_unit(
    vendor_name: str, world: World
) -> None:
    """Text, tokens and cost agree with the vendor's own bill, in its own currency."""
    answered = await world.ask(world.model(vendor_name))
    row, billed = (await calls())[0], world.requests()[0]
    assert world.shown == answered.reply.text != ""
    assert (row.input_tokens, row.output_tokens, row.amount_nano, row.currency) == (
        billed["input_tokens"],
        billed["output_tokens"],
        billed["cost_nano"],
        billed["currency"],
    )
    rate = float(RATE) if vendor_name == "holysheep" else 1.0
    assert answered.cost_nanousd == row.cost_nanousd == round(billed["cost_nano"] * rate)
    assert billed["client_request_id"] == row.attempt_id


async def test_prospect_tells_cost_and_wait_without_a_call(world: World) -> None:
    """What a call would cost and how long it would wait is known before it, and asking makes none."""
    spec = world.model("openai", limits=Limits(requests_per_minute=1))
    ends_s = world.clock.monotonic_s() + 60
    idle = world.dispatcher.prospect([spec], tier=Tier.REGULAR, deadline_s=ends_s)
    await world.ask(spec)
    busy = world.dispatcher.prospect([spec], tier=Tier.REGULAR, deadline_s=ends_s)
    cost = typical_nanousd(world.snapshot, spec, day=world.clock.now().date())

    assert idle == Prospect(cost_nanousd=cost, wait_s=0.0)
    assert cost is not None and cost > 0
    assert busy is not None and busy.wait_s > 1
    assert world.dispatcher.prospect([], tier=Tier.REGULAR, deadline_s=ends_s) is None
    assert len(world.requests()) == 1


@pytest.mark.parametrize(
    ("fault", "failure", "outcome"),
    [
        ("400", "invalid", Call.FAILED),
        ("500", "server", Call.FAILED),
        ("502_html", "server", Call.FAILED),
        ("503", "server", Call.FAILED),
        ("529", "overloaded", Call.FAILED),
        ("401", "auth", Call.FAILED),
        ("402", "payment", Call.FAILED),
        ("404", "model_gone", Call.FAILED),
        ("504", "upstream_timeout", Call.UNKNOWN),
        ("truncate", "truncated", Call.UNKNOWN),
        ("cut", "truncated", Call.UNKNOWN),
        ("error_mid_stream", "server", Call.UNKNOWN),
        ("bad_json", "bad_body", Call.UNKNOWN),
        ("empty", "bad_body", Call.COMPLETED),
    ],
)
async def test_the_next_model_answers_when_one_fails(
    fault: str, failure: str, outcome: str, world: World
) -> None:
    """Each failure leads on to the next model, and both attempts have their row."""
    world.vendor.fault(fault, vendor="openai")
    chain = [world.model("openai"), world.model("deepseek"), world.model("gemini")]
    answered = await world.ask(*chain)
    rows = await calls()
    assert outcomes(rows) == [
        ("gpt-4.1", outcome, failure),
        ("deepseek-flash", Call.COMPLETED, ""),
    ]
    assert (answered.model, world.shown) == (chain[1], answered.reply.text)
    assert answered.cost_nanousd == sum(row.cost_nanousd for row in rows)


@pytest.mark.parametrize("fault", ["truncate", "cut", "error_mid_stream"])
async def test_text_of_a_broken_answer_is_taken_back(fault: str, world: World) -> None:
    """Before another model speaks the shopper is told to forget what was shown, once."""
    world.vendor.fault(fault, vendor="openai")
    answered = await world.ask(world.model("openai"), world.model("deepseek"))
    assert (world.restarts, world.shown) == (1, answered.reply.text)


async def test_a_failure_without_text_restarts_nothing(world: World) -> None:
    """Nothing is taken back where nothing was shown."""
    world.vendor.fault("503", vendor="openai")
    await world.ask(world.model("openai"), world.model("deepseek"))
    assert world.restarts == 0


async def test_a_broken_answer_is_booked_with_what_was_sent_and_shown(world: World) -> None:
    """Prompt and shown text are estimated, flagged, and at least what the vendor bills."""
    world.vendor.fault("truncate", vendor="openai", options={"after_pieces": 4})
    await world.ask(world.model("openai"), world.model("deepseek"))
    row, billed = (await calls())[0], world.requests()[0]
    assert row.tokens_estimated
    assert row.input_tokens >= billed["input_tokens"]
    assert row.output_tokens >= billed["output_tokens"] > 0


async def test_one_model_alone_is_asked_twice(world: World) -> None:
    """With nobody to fall back to a passing failure is repeated after a pause."""
    world.vendor.fault("503", vendor="openai", count=1)
    before_s = world.clock.monotonic_s()
    answered = await world.ask(world.model("openai"))
    assert [outcome for _, outcome in answered.attempts][-1] == "answered"
    assert len(await calls()) == 2
    assert 0.25 <= world.clock.monotonic_s() - before_s <= 2.0


async def test_failures_are_bounded_when_everything_fails(world: World) -> None:
    """Four broken models cost four calls, one each, and every one is named with its reason."""
    world.vendor.fault("503")
    names = ("openai", "deepseek", "anthropic", "gemini")
    with pytest.raises(Exhausted) as caught:
        await world.ask(*[world.model(name) for name in names])
    assert len(world.requests()) == 4
    assert [label for label, _ in caught.value.attempts] == [
        world.model(name).label for name in names
    ]


@pytest.mark.parametrize(("models", "requests"), [(1, 2), (2, 3)])
async def test_a_short_chain_makes_three_calls_at_most(
    models: int, requests: int, world: World
) -> None:
    """Two attempts at a model, three at a question."""
    world.vendor.fault("503")
    chain = [world.model("openai"), world.model("deepseek")][:models]
    with pytest.raises(Exhausted):
        await world.ask(*chain)
    assert len(world.requests()) == requests


async def test_a_refused_answer_goes_no_further(world: World) -> None:
    """A refusal is an answer: no other model is tried until one obeys."""
    world.vendor.fault("refusal", vendor="openai")
    answered = await world.ask(world.model("openai"), world.model("deepseek"))
    assert answered.reply.finish_reason in (FinishReason.REFUSAL, FinishReason.FILTER)
    assert len(world.requests()) == 1


@pytest.mark.parametrize(("fault", "kept"), [("truncate", True), ("500", False)])
async def test_tokens_that_may_have_been_used_stay_charged(
    fault: str, kept: bool, world: World
) -> None:
    """A broken answer keeps its reservation in the limiter; a refused request gives it back."""
    spec = world.model("openai", limits=Limits(tokens_per_minute=6_000))
    world.vendor.fault(fault, vendor="openai")
    await world.ask(spec, world.model("deepseek"), world.model("gemini"), max_output_tokens=2_000)
    assert (world.gate.eta_s(spec, tokens=10) > 10.0) is kept


async def test_a_hanging_vendor_is_left_for_the_next(
    vendor: RunningSimulator, writer: Writer
) -> None:
    """Silence ends in time, is booked as perhaps billed, and the next model answers."""
    world = World(vendor, writer=writer, timeouts=SHORT)
    vendor.fault("hang", vendor="openai", options={"max_s": 5})
    chain = [world.model("openai"), world.model("deepseek"), world.model("gemini")]
    answered = await world.ask(*chain)
    await world.close()
    assert answered.model.endpoint.key == "deepseek"
    row = (await calls())[0]
    assert (row.outcome, row.failure, row.tokens_estimated) == (Call.UNKNOWN, "timeout", True)


def _until_called(vendor: RunningSimulator) -> None:
    """Come back when a request has reached the vendor."""
    while not vendor.health()["in_flight"]:
        pass


@pytest.mark.parametrize("when", ["while hanging", "after the first text"])
async def test_whoever_stops_leaves_nothing_open(when: str, world: World) -> None:
    """A cancelled question frees its place and its row says aborted, with what was shown."""
    reached, shown = asyncio.Event(), []

    async def on_delta(text: str) -> None:
        shown.append(text)
        reached.set()
        await asyncio.Event().wait()

    if when == "while hanging":
        world.vendor.fault("hang", vendor="openai", options={"max_s": 5})
    asking = asyncio.create_task(world.ask(world.model("openai"), on_delta=on_delta))
    if when == "while hanging":
        await asyncio.to_thread(_until_called, world.vendor)
    else:
        await reached.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.to_thread(world.writer.stop)
    row = (await calls())[0]
    assert (row.outcome, row.output_tokens > 0) == (Call.ABORTED, bool(shown))
    assert row.input_tokens > 0
    assert world.gate.states()[0].in_flight == 0


async def test_an_error_of_the_viewer_is_not_the_vendor_s(world: World) -> None:
    """When showing text fails, the attempt is closed and booked and the error is passed on."""

    async def on_delta(text: str) -> None:
        raise LookupError(text)

    with pytest.raises(LookupError):
        await world.ask(world.model("openai"), on_delta=on_delta)
    await asyncio.to_thread(world.writer.stop)
    assert (await calls())[0].outcome == Call.ABORTED
    lane = world.gate.states()[0]
    assert (lane.in_flight, lane.state) == (0, State.CLOSED)


async def test_usage_that_was_not_told_is_estimated(world: World) -> None:
    """Without usage the row is completed with an estimate, flagged."""
    world.vendor.fault("no_usage", vendor="openai")
    await world.ask(world.model("openai"))
    row, billed = (await calls())[0], world.requests()[0]
    assert (row.outcome, row.tokens_estimated) == (Call.COMPLETED, True)
    assert row.input_tokens >= billed["input_tokens"]


async def test_reservations_follow_what_the_vendor_counts(world: World) -> None:
    """After a few answers the estimate of a prompt comes near the vendor's own figure."""
    spec = world.model("openai")
    for _ in range(12):
        await world.ask(spec)
    real = world.requests()[-1]["input_tokens"]
    target = world.dispatcher.target(spec, prompt_tokens=100, max_output_tokens=10)
    row = (await calls())[-1]
    assert row.input_tokens == real
    assert target.prompt_tokens < 100


async def test_keys_appear_in_no_log_and_no_row(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """At the most talkative level, with answers and failures, the key is nowhere to be read."""
    caplog.set_level(logging.DEBUG)
    for fault in ("401", "500", "truncate", "bad_json"):
        world.vendor.fault(fault, vendor="openai", count=1)
        await world.ask(world.model("openai"), world.model("gemini"), world.model("anthropic"))
    rows = await asyncio.to_thread(lambda: list(Call.objects.values()))
    assert KEY not in caplog.text + repr(rows) + repr(world.gate.states())


async def test_a_conversation_reaches_the_vendor_in_order(world: World) -> None:
    """Turns of both sides are sent in each protocol."""
    turns = (Message("user", "Hello"), Message("assistant", "Hi"), Message("user", "Shipping?"))
    for name in KINDS:
        answered = await world.ask(world.model(name), prompt=Prompt(QUESTION_SYSTEM, turns))
        assert answered.reply.finish_reason is FinishReason.STOP


QUESTION_SYSTEM = "Answer from the articles."
