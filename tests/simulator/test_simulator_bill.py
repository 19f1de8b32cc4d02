"""Claims about the bill: exact prices, aborted answers, sums that add up, retirement by date."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from simulator.bill import Bill, Row, key_id
from simulator.catalog import MODELS, VENDORS, served, sold_by
from simulator.clock import ManualClock, SystemClock
from simulator.config import Config
from simulator.counting import count_tokens
from simulator.direct import ask, ask_async, call
from simulator.faults import parse
from simulator.server import App, create_app

# USD (the gateway: CNY) per million tokens: input, cached input, output
PRICES_PER_MILLION = {
    "gpt-4.1": ("2", "0.50", "8"),
    "claude-sonnet-4-5": ("3", None, "15"),
    "claude-sonnet-5-5": ("2", None, "10"),
    "gemini-2.5-flash": ("0.30", None, "2.50"),
    "gemini-3.5-flash-lite": ("0.30", None, "2.50"),
    "deepseek-flash": ("0.30", "0.006", "1.20"),
    "deepseek-v4-pro": ("1.32", None, "3.96"),
    "deepseek-v3.2": ("0.28", "0.028", "0.42"),
}
QUESTION = "How long do refunds take?"


def _list_cost_nano(row: dict[str, Any]) -> int:
    fresh, cached, output = (
        Decimal(p or 0) * 1000 for p in PRICES_PER_MILLION[row["model_served"]]
    )
    tokens = row["input_tokens"] - row["cached_tokens"]
    return int(tokens * fresh + row["cached_tokens"] * cached + row["output_tokens"] * output)


def _bill(app: App) -> dict[str, Any]:
    value: dict[str, Any] = call(app, "/bill?rows=1").json()
    return value


@pytest.mark.parametrize("model", MODELS)
def test_prices_are_the_list_prices(model: str) -> None:
    """A million tokens cost the list price to the nano-unit."""
    price = MODELS[model].price
    figures = (price.input_nano, price.cached_nano, price.output_nano)
    listed = PRICES_PER_MILLION[model]
    assert figures == tuple(None if p is None else round(float(p) * 1000) for p in listed)


@pytest.mark.parametrize(
    ("vendor", "currency", "cost_nano"),
    [("openai", "USD", 2_000), ("holysheep", "CNY", 2_000)],
    ids=["vendor", "gateway"],
)
def test_a_completed_request_costs_its_tokens(
    vendor: str, currency: str, cost_nano: int, app: App, system: str
) -> None:
    """Cost is input and output at their prices, at the gateway in its own currency."""
    usage = ask(app, vendor, model="gpt-4.1", question=QUESTION, system=system).json()["usage"]
    row = _bill(app)["requests"][0]
    tokens = (usage["prompt_tokens"], usage["completion_tokens"])
    assert (row["input_tokens"], row["output_tokens"]) == tokens
    assert row["cost_nano"] == tokens[0] * cost_nano + tokens[1] * 8_000
    assert (row["currency"], row["status"]) == (currency, "completed")


def test_a_repeated_prompt_is_billed_as_cached(app: App, system: str, clock: ManualClock) -> None:
    """The second request within the time pays the cached price for whole blocks of the prompt."""
    usages = []
    for wait_s in (0, 299, 300):
        clock.advance(wait_s)
        answer = ask(app, "deepseek", model="deepseek-flash", question=QUESTION, system=system)
        usages.append(answer.json()["usage"])
    hits = [u["prompt_cache_hit_tokens"] for u in usages]
    row, second = _bill(app)["requests"][1], usages[1]
    assert hits == [0, count_tokens(system) // 64 * 64, 0]
    assert row["cost_nano"] == (
        second["prompt_cache_miss_tokens"] * 300 + hits[1] * 6 + second["completion_tokens"] * 1200
    )


def test_an_aborted_stream_pays_for_prompt_and_what_was_sent(app: App, system: str) -> None:
    """When the client leaves after some pieces, exactly these pieces are billed."""
    answer = ask(
        app, "openai", model="gpt-4.1", question=QUESTION, system=system, stream=True, leave_after=4
    )
    chunks = [json.loads(block.removeprefix(b"data: ")) for block in answer.blocks]
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks)
    row = _bill(app)["requests"][0]
    assert (row["status"], row["output_tokens"]) == ("aborted", count_tokens(text))
    assert row["cost_nano"] == row["input_tokens"] * 2_000 + row["output_tokens"] * 8_000
    assert row["output_tokens"] > 0 and not answer.ended


def test_thoughts_are_billed_as_output(app: App) -> None:
    """A thinking model's thoughts are on the bill beside its text."""
    body = {"contents": [{"parts": [{"text": QUESTION}]}]}
    path = "/gemini/v1beta/models/gemini-2.5-flash:generateContent"
    usage = call(app, path, body=body, headers={"x-goog-api-key": "k"}).json()["usageMetadata"]
    output_tokens = usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    row = _bill(app)["requests"][0]
    assert row["output_tokens"] == output_tokens > usage["candidatesTokenCount"]


def test_the_bill_adds_up_over_a_mixed_day(app: App, system: str) -> None:
    """Over 300 requests with faults, aborts and bad keys, rows, lines and totals agree."""
    dice = random.Random(11)
    faults = app.simulator.faults
    for name in ("503", "429", "truncate", "length", "error_mid_stream", "no_usage"):
        faults.add(parse({"name": name, "probability": 0.08}, now_ns=0))
    pairs = [(v.name, m.id) for v in VENDORS.values() for m in sold_by(v, today=date(2026, 11, 23))]

    async def play() -> None:
        for _ in range(300):
            vendor, model = dice.choice(pairs)
            await ask_async(
                app,
                vendor,
                model=model,
                question=QUESTION,
                system=system,
                stream=dice.random() < 0.6,
                key=dice.choice(["key-1", "key-2", "bad-key"]),
                leave_after=dice.choice([None, None, 3]),
            )

    asyncio.run(play())
    bill = _bill(app)
    rows, lines, totals = bill["requests"], bill["rows"], bill["totals"]
    assert len(rows) == totals["requests"] == sum(line["requests"] for line in lines) == 300
    for column in ("input_tokens", "cached_tokens", "output_tokens"):
        assert totals[column] == sum(r[column] for r in rows) == sum(x[column] for x in lines) > 0
    for currency in ("USD", "CNY"):
        cost_nano = sum(r["cost_nano"] for r in rows if r["currency"] == currency)
        assert totals["cost_nano"][currency] == cost_nano > 0
    kinds = ("completed", "aborted", "refused_429", "errors")
    assert sum(totals[kind] for kind in kinds) == 300 and all(totals[kind] for kind in kinds)


def test_every_row_costs_its_tokens_by_the_model_served(app: App, system: str) -> None:
    """A row's cost is its own tokens at the list price of the model served, cached ones too."""
    for vendor in VENDORS.values():
        for spec in sold_by(vendor, today=date(2026, 11, 23)):
            for _ in range(2):
                ask(app, vendor.name, model=spec.id, question=QUESTION, system=system)
    rows = _bill(app)["requests"]
    assert [r["cost_nano"] for r in rows] == [_list_cost_nano(r) for r in rows]
    assert len({(r["vendor"], r["model_served"]) for r in rows}) == 15


def test_sums_stay_right_when_old_rows_are_dropped() -> None:
    """Totals do not rest on the rows that are kept."""
    bill = Bill(kept_rows=2)
    for number in range(5):
        row = Row(str(number), None, "openai", "USD", "k", "now", status="completed")
        row.cost_nano = 10
        bill.close(row)
    value = bill.as_json(with_rows=True)
    assert value["totals"]["cost_nano"] == {"USD": 50}
    assert (len(value["requests"]), value["requests_dropped"]) == (2, 3)


def test_the_bill_shows_no_key(app: App) -> None:
    """Keys appear only as a short hash; the caller's own request id is kept."""
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": "Bearer secret-canary", "x-client-request-id": "mine-1"}
    call(app, "/openai/v1/chat/completions", body=body, headers=headers)
    bill = _bill(app)
    assert "secret-canary" not in json.dumps(bill)
    row = bill["requests"][0]
    assert (row["key"], row["client_request_id"]) == (key_id("secret-canary"), "mine-1")


@pytest.mark.parametrize(
    ("today", "status"), [(date(2026, 11, 30), 200), (date(2026, 12, 1), 404)], ids=["last", "gone"]
)
def test_a_retired_model_is_gone_after_its_last_day(today: date, status: int) -> None:
    """Claude Sonnet 4.5 answers on 30 November and is a not_found_error from the next day."""
    app = create_app(
        Config(), ManualClock(datetime(today.year, today.month, today.day, tzinfo=UTC))
    )
    answer = ask(app, "anthropic", model="claude-sonnet-4-5", question="hello")
    kind = answer.json().get("error", {}).get("type")
    assert (answer.status, kind) == (status, None if status == 200 else "not_found_error")


@pytest.mark.parametrize(
    ("today", "name"),
    [(date(2026, 12, 1), "gemini-2.5-flash"), (date(2026, 12, 2), "gemini-3.5-flash-lite")],
    ids=["last", "replaced"],
)
def test_a_replaced_model_answers_under_its_successors_name(today: date, name: str) -> None:
    """After its last day Gemini 2.5 Flash is served and billed as its successor."""
    app = create_app(
        Config(), ManualClock(datetime(today.year, today.month, today.day, tzinfo=UTC))
    )
    answer = ask(app, "gemini", model="gemini-2.5-flash", question="hello")
    row = _bill(app)["requests"][0]
    assert answer.json()["modelVersion"] == row["model_served"] == name
    assert row["model_asked"] == "gemini-2.5-flash"


def test_the_simulated_date_can_be_set() -> None:
    """The system clock shifted to a date shows that date."""
    assert SystemClock(date(2026, 12, 24)).now().date() == date(2026, 12, 24)


def test_a_vendor_sells_only_its_own_models() -> None:
    """Only the gateway sells what others make, DeepSeek V3.2 it alone."""
    today = date(2026, 11, 23)
    sellers = [v.name for v in VENDORS.values() if served("deepseek-v3.2", vendor=v, today=today)]
    assert sellers == ["holysheep"]
    assert served("gpt-4.1", vendor=VENDORS["anthropic"], today=today) is None
