"""Claims about what the vendor says it saw."""

from __future__ import annotations

import asyncio
import threading
import time
import urllib.request
from typing import Any

import pytest

from simulator.arrivals import Arrivals, Filter
from simulator.bill import Row
from simulator.clock import ManualClock
from simulator.config import BURST, Config
from simulator.direct import arrivals, ask, ask_async, call, order
from simulator.remote import ControlError
from simulator.running import RunningSimulator
from simulator.server import App, create_app
from simulator.windows import MINUTE, Limits
from tests.simulator.vendors import MODELS, ask_vendor

START_S = 1_795_435_200.0  # 2026-11-23 12:00 UTC


def test_each_call_is_listed_with_its_time(clock: ManualClock) -> None:
    """Calls come in order with Unix and monotonic time, model, outcome and reason."""
    app = create_app(Config(limits={"openai": Limits(rpm=1)}), clock)
    for wait_s in (1, 2.5):
        clock.advance(wait_s)
        ask_vendor(app, "openai")
    seen = [
        (c["arrived_s"] - START_S, c["arrived_monotonic_s"], c["model"], c["outcome"], c["reason"])
        for c in arrivals(app)
    ]
    assert seen == [
        (1, 1, "gpt-4.1", "completed", None),
        (3.5, 3.5, "gpt-4.1", "refused_429", "requests/60s"),
    ]


def test_the_list_proves_that_nobody_called_for_seven_seconds(clock: ManualClock) -> None:
    """Asked for a span without calls it is empty; the ends are the first included, the last not."""
    app = create_app(Config(), clock)
    for wait_s in (0, 7, 0.5):
        clock.advance(wait_s)
        ask_vendor(app, "gemini")
    spans = [(0, 7), (0.001, 7), (0.001, 7.001), (7.5, 8)]
    counts = [
        len(arrivals(app, since_s=START_S + since_s, until_s=START_S + until_s))
        for since_s, until_s in spans
    ]
    assert counts == [1, 0, 1, 1]


def test_calls_are_chosen_by_vendor_and_model(app: App) -> None:
    """The filter takes a vendor, a model, or both."""
    for vendor in MODELS:
        ask_vendor(app, vendor)
    assert [c["vendor"] for c in arrivals(app, vendor="deepseek")] == ["deepseek"]
    assert {c["vendor"] for c in arrivals(app, model="gpt-4.1")} == {"openai", "holysheep"}
    answer = call(app, "/arrivals?vendor=holysheep&model=gpt-4.1").json()
    assert (len(answer["calls"]), answer["dropped"]) == (1, 0)


def test_an_open_call_is_seen_before_it_ends(vendor: RunningSimulator) -> None:
    """A hanging call is listed as open without an end, so that forgotten calls are found."""
    vendor.fault("hang")
    url = f"{vendor.url}/openai/v1/chat/completions"
    body = b'{"model":"gpt-4.1","messages":[{"role":"user","content":"hello"}]}'
    headers = {"authorization": "Bearer k", "x-client-request-id": "attempt-1"}
    request = urllib.request.Request(url, data=body, headers=headers)

    def hang() -> None:
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(request, timeout=1.0)

    caller = threading.Thread(target=hang)
    caller.start()
    until_s = time.monotonic() + 20
    while not (seen := vendor.arrivals()) and time.monotonic() < until_s:
        threading.Event().wait(0.01)
    caller.join()
    assert [(c["outcome"], c["ended_s"], c["client_request_id"]) for c in seen] == [
        ("open", None, "attempt-1")
    ]


def test_seconds_count_accepted_and_refused_by_reason(clock: ManualClock) -> None:
    """Own limits, ordered faults and wrong requests are told apart, per second and model."""
    config = Config(limits={"openai": Limits(rpm=60)}, windows=(MINUTE, BURST))
    app = create_app(config, clock)
    for _ in range(5):
        ask_vendor(app, "openai")
    clock.advance(1)
    order(app, "429", count=1)
    ask_vendor(app, "openai")
    ask_vendor(app, "openai", key="bad-key")
    ask_vendor(app, "anthropic")
    rows = call(app, "/arrivals/seconds").json()["seconds"]
    assert [
        (r["second"] - START_S, r["vendor"], r["model"], r["arrived"], r["accepted"], r["refused"])
        for r in rows
    ] == [
        (0, "openai", "gpt-4.1", 5, 4, {"requests/2s": 1}),
        (1, "openai", "gpt-4.1", 1, 0, {"fault:429": 1}),
        (1, "openai", "", 1, 0, {"bad_key": 1}),
        (1, "anthropic", "claude-sonnet-5-5", 1, 1, {}),
    ]


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"tpm": 410}, "tokens/60s"),
        ({"input_tpm": 20}, "input_tokens/60s"),
        ({"output_tpm": 405}, "output_tokens/60s"),
        ({"rpd": 1}, "requests_per_day"),
    ],
)
def test_a_refusal_names_its_window(
    figures: dict[str, int], reason: str, clock: ManualClock
) -> None:
    """Each limit has a reason of its own."""
    app = create_app(Config(limits={"*": Limits(**figures)}), clock)
    for _ in range(5):
        ask(app, "openai", model="gpt-4.1", question="a short question", max_tokens=400)
    assert arrivals(app)[-1]["reason"] == reason


def test_too_many_in_flight_is_named(app: App) -> None:
    """The second of two at once is refused for concurrency, and is listed so."""
    app.simulator.limits["*"] = Limits(in_flight=1)
    request: dict[str, Any] = {"model": "gpt-4.1", "question": "hello", "stream": True}

    async def both() -> None:
        await asyncio.gather(*(ask_async(app, "openai", **request) for _ in range(2)))

    asyncio.run(both())
    assert [c["reason"] for c in arrivals(app)] == [None, "concurrency"]


def test_a_followed_redirect_is_counted(app: App) -> None:
    """Whoever follows a redirect with the key in hand is noticed."""
    order(app, "302")
    place = ask_vendor(app, "openai").headers["location"]
    assert call(app, "/healthz").json()["redirects_followed"] == 0
    call(app, place)
    assert call(app, "/healthz").json()["redirects_followed"] == 1


def test_old_calls_are_dropped_and_counted() -> None:
    """The list is bounded, and says how many it lost."""
    seen = Arrivals(kept_calls=2)
    for number in range(5):
        seen.add(Row(str(number), None, "openai", "USD", "k", "now"))
    found = seen.calls(Filter())
    assert ([c["request_id"] for c in found["calls"]], found["dropped"]) == (["3", "4"], 3)


def test_a_wrong_filter_is_told(vendor: RunningSimulator) -> None:
    """A time that is no number is a 400."""
    with pytest.raises(ControlError, match="Unix seconds"):
        vendor.arrivals(since_s="soon")  # type: ignore[arg-type]


def test_reset_forgets_what_was_seen(vendor: RunningSimulator) -> None:
    """After a reset nothing was seen."""
    vendor.reset()
    assert vendor.arrivals() == [] and vendor.seconds() == []
