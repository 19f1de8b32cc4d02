"""Bugs of the published design, calls and answers: each test fails where its bug is back.

The numbers are those of our own list of bugs in that design; 1 to 6 and 11 to 16 are in
`test_published_bugs.py`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from routing.breaker import State
from routing.client import Timeouts
from routing.dispatch import Answered
from routing.errors import Exhausted
from routing.models import Call
from routing.pricing import cost_of, price_of
from routing.specs import PriceSpec, Usage, VendorKind
from routing.vendors import vendor_for
from routing.vendors.rate_headers import rate_state
from simulator.running import RunningSimulator
from tests.routing.decision_bodies import openai
from tests.routing.helpers import NOW, chat_chunk, sse
from tests.routing.scripted import Exchange, Play, refusing, silent
from tests.routing.stage import Stage
from tests.routing.world import calls
from tests.test_story import ask

SEED = Path(__file__).parents[2] / "chatbot" / "demo" / "routing.json"
RATE = openai("requests", "rate_limit_exceeded")
IMPATIENT = Timeouts(first_content_s=0.4)


async def test_bug_7_two_layers_of_retries(stage: Stage) -> None:
    """The bug retried in the transport and in its caller: 4 calls where 2 were meant, three times the wait
    that was asked for, and an error that nobody caught. Here one layer makes two calls, 4 s apart.
    """
    stage.script.plays["openai"] = refusing(429, RATE, {"retry-after": "4"})
    assert isinstance(await stage.outcome(stage.model("openai")), Exhausted)
    [(_, first_s), (_, second_s)] = stage.script.calls
    assert 4.0 <= second_s - first_s <= 5.0


async def test_bug_8_retries_without_end(stage: Stage) -> None:
    """The bug called itself until Python gave up after 978 calls, and broke on a date in Retry-After.
    Here a date is a wait, and the end comes after the second call.
    """
    soon = {"retry-after": "Mon, 23 Nov 2026 12:00:03 GMT"}
    stage.script.plays["openai"] = refusing(429, RATE, soon)
    assert isinstance(await stage.outcome(stage.model("openai")), Exhausted)
    [(_, first_s), (_, second_s)] = stage.script.calls
    assert second_s - first_s >= 3.0


def _slowly(seconds_s: float, then: Play) -> Play:
    """The same, after a part of the question's time."""

    async def play(exchange: Exchange) -> None:
        exchange.clock.advance(seconds_s)
        await then(exchange)

    return play


async def test_bug_9_no_deadline_over_all_attempts(stage: Stage) -> None:
    """The bug gave each of 16 calls its full time: 480 s for one question. Here six models that take five
    seconds to fail get no call that begins after the twelve seconds of the question.
    """
    for vendor in ("openai", "anthropic", "gemini"):
        stage.script.plays[vendor] = _slowly(5.0, refusing(503))
    chain = [stage.model(vendor) for vendor in ("openai", "anthropic", "gemini")]
    chain += [replace(model, name=f"{model.name}-2") for model in chain]
    began_s = stage.clock.monotonic_s()
    assert isinstance(await stage.outcome(*chain), Exhausted)
    assert [at_s - began_s < 12.0 for _, at_s in stage.script.calls] == [True] * 3


async def test_bug_10_retries_that_the_breaker_does_not_see(stage: Stage) -> None:
    """The bug retried inside the breaker, so that 16 failed calls counted as none. Here every attempt
    counts: twenty failed calls of eighteen questions open it, and the next question makes no call.
    """
    stage.script.plays["openai"] = refusing(503)
    for _ in range(18):  # two of them repeat their call: what the retry budget has in reserve
        await stage.outcome(stage.model("openai"))
    assert len(stage.script.calls) == 20
    assert stage.gate.states()[0].state is State.OPEN
    await stage.outcome(stage.model("openai"))
    assert len(stage.script.calls) == 20


async def test_bug_17_a_chain_that_starts_at_its_second_model(stage: Stage) -> None:
    """The bug began ordinary questions at index 1, which was the dearest model. Here the first model of a
    chain is asked first, and ordinary questions begin at the one that was promised.
    """
    await stage.outcome(*[stage.model(vendor) for vendor in ("gemini", "openai", "anthropic")])
    assert stage.script.called() == ["gemini"]
    seed = json.loads(SEED.read_text(encoding="utf-8"))
    first, *others = [entry.partition("/")[2] for entry in seed["chains"]["REGULAR"]]
    prices = seed["list_prices_usd_per_million_tokens"]["prices"]
    assert first.startswith("deepseek")
    assert 5 * Decimal(prices[first][-1]) < max(Decimal(prices[name][-1]) for name in others)


def test_bug_18_a_parser_that_cuts_the_answer() -> None:
    """The bug parsed `[DONE]` as JSON, broke on comments and on `data:` without a blank, and deleted the
    text "data: " from answers. Here all of that is read, and the answer keeps its words.
    """
    text = "see data: 5G plan"
    stream = (
        b": keep-alive\n\n"
        + sse(chat_chunk(text)).replace(b"data: {", b"data:{")
        + sse(chat_chunk(finish="stop"), "[DONE]")
    )
    decoder = vendor_for(VendorKind.CHAT_COMPLETIONS).decoder()
    shown = "".join(delta.text for delta in decoder.feed(stream))
    assert shown == decoder.finish().text == text


async def test_bug_19_questions_that_vanish(stage: Stage) -> None:
    """The bug returned nothing for a failure and let one failure end all others. Here of twenty questions
    at once each ends in an answer or an error that names every model it tried.
    """
    stage.script.plays["openai"] = refusing(400)
    good, bad = stage.model("anthropic"), stage.model("openai")
    asked = [good if number % 2 else bad for number in range(20)]
    results = await asyncio.gather(*(stage.outcome(spec) for spec in asked))
    for spec, result in zip(asked, results, strict=True):
        assert isinstance(result, Answered if spec is good else Exhausted)
        assert [label for label, _ in result.attempts] == [spec.label]
    assert len(await calls()) == 20


@pytest.mark.parametrize(
    ("limit", "remaining", "expected"),
    [("1000", "800", (1000, 800)), ("0", "0", (None, 0)), ("0", "5", (None, 5))],
)
def test_bug_20_a_quota_read_the_wrong_way_round(
    limit: str, remaining: str, expected: tuple[int | None, int]
) -> None:
    """The bug warned when a fifth was used instead of left, and divided by a limit of 0. Here what remains
    is called what remains, and a limit of 0 is not known instead of a divisor.
    """
    headers = {"x-ratelimit-limit-tokens": limit, "x-ratelimit-remaining-tokens": remaining}
    state = rate_state(headers, now=NOW)
    assert state is not None
    assert (state.limit_tokens, state.remaining_tokens) == expected


async def test_bug_21_a_repeated_call_without_a_trace(stage: Stage) -> None:
    """The bug repeated a call that had timed out and booked neither, though both may be billed. Here each
    attempt has its row, marked as perhaps billed, with an estimate that costs something.
    """
    stage.script.plays["openai"] = silent()
    stage.renew(timeouts=IMPATIENT)
    await stage.outcome(stage.model("openai"))
    rows = await calls()
    assert len(rows) == len({row.attempt_id for row in rows}) == len(stage.script.calls) == 2
    for row in rows:
        assert (row.outcome, row.tokens_estimated) == (Call.UNKNOWN, True)
        assert row.cost_nanousd > 0


@pytest.mark.parametrize("key", ["AIzaSyCanary", "sk-ant-canary", "0123abcd", "x"])
async def test_bug_22_keys_of_one_shape_and_one_length_for_all(key: str, stage: Stage) -> None:
    """The bug refused every key that did not begin with "sk-" and let all models write 32,000 tokens. Here
    any vendor's key goes, and each model has its own limit.
    """
    stage.keys["openai"] = key
    spec = replace(stage.model("openai"), max_output_tokens=120)
    assert isinstance(await stage.outcome(spec), Answered)
    assert json.loads(stage.script.bodies[0])["max_tokens"] == 120


@pytest.mark.parametrize("text", ["Why was my order cancelled?", "我的订单为什么被取消了？"])
async def test_bug_23_personal_answers_for_everyone(
    text: str, runtime: object, vendors_at_simulator: RunningSimulator
) -> None:
    """The bug stored every answer, so the next shopper was told why another's order was cancelled. Here
    each shopper's question reaches a model, and nothing is stored.
    """
    frames = [await ask(runtime, text) for _ in range(2)]  # type: ignore[arg-type]
    assert [frame["cache"] for frame in frames] == ["bypass", "bypass"]
    assert len(runtime.store) == 0  # type: ignore[attr-defined]
    assert vendors_at_simulator.bill()["totals"]["completed"] == 2


def test_bug_24_prices_without_a_date_or_a_currency() -> None:
    """The bug had one price per model in a constant, for all times, tokens and currencies. Here the price
    of the day counts, cached tokens have their own, and the currency is kept, in whole numbers.
    """
    old = PriceSpec("shop", "m", date(2026, 1, 1), "CNY", 2_000, 200, 8_000)
    new = replace(old, valid_from=date(2026, 11, 11), input_nano_per_token=1_000)
    for day, expected in ((date(2026, 11, 10), old), (date(2026, 11, 11), new)):
        assert price_of([new, old], endpoint_key="shop", model_name="m", day=day) == expected
    usage = Usage(input_tokens=1_000, output_tokens=10, cached_input_tokens=900)
    cost = cost_of(usage, price=old, usd_per_unit=Decimal("0.14"), certain=True)
    assert (cost.amount_nano, cost.currency) == (100 * 2_000 + 900 * 200 + 10 * 8_000, "CNY")
    assert cost.cost_nanousd == 64_400
