"""A vendor asks to wait, in every form there is: no process calls that model before the time is over.

Several processes share Redis and ask nine models steadily. One 429 strikes each model, each with another form
of the wait. Counted are the calls that reached the model between 50 ms after that answer and the time it named.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from benchmarks.faults.fleet import running_callers
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.redis_server import running_redis
from benchmarks.site import running_simulator
from simulator.remote import Remote

FORMS = {
    "openai/gpt-4.1": "seconds",
    "deepseek/deepseek-flash": "float",
    "deepseek/deepseek-v4-pro": "duration",
    "holysheep/deepseek-v3.2": "prefixed",
    "holysheep/gpt-4.1": "ms",
    "holysheep/gemini-3.5-flash-lite": "rate_limit",
    "anthropic/claude-sonnet-5-5": "date",
    "holysheep/claude-sonnet-5-5": "anthropic_rate_limit",
    "gemini/gemini-3.5-flash-lite": "retry_info",
}
WAIT_S = {Scale.SHORT: 3.0, Scale.FULL: 7.0}
PROCESSES = {Scale.SHORT: 2, Scale.FULL: 4}
RATE_PER_MODEL_PER_S = {Scale.SHORT: 3.0, Scale.FULL: 6.0}
WARM_UP_S, AFTER_S = 4.0, 3.0
# In the suite the machine may be busy with other tests; the promise itself is 50 ms.
NOTICE_S = {Scale.SHORT: 1.0, Scale.FULL: 0.05}


def run(scale: Scale) -> list[Row]:
    """One 429 per model; a row per form, and one that the models are called again afterwards."""
    wait_s = WAIT_S[scale]
    with ExitStack() as stack:
        vendor = Remote(
            stack.enter_context(running_simulator("--first-ms", "20", "--chunk-ms", "1"))
        )
        order: dict[str, Any] = {
            "vendor": vendor.url,
            "redis": stack.enter_context(running_redis()).url,
            "models": list(FORMS),
            "rate_per_s": RATE_PER_MODEL_PER_S[scale] * len(FORMS),
            "seconds": 2 * WARM_UP_S + wait_s + AFTER_S,
            "deadline_s": 30.0,
            "limits": {"requests_per_minute": 3_000},
        }
        fleet = stack.enter_context(running_callers(PROCESSES[scale], order))
        _await_calls(vendor)
        for name, form in FORMS.items():
            at, model = name.split("/")
            options = {"wait_form": form, "wait_s": wait_s}
            vendor.fault("429", vendor=at, model=model, count=1, options=options)
        fleet.rows(within_s=order["seconds"] + 90.0)
        calls = vendor.arrivals()
    return [
        row
        for name, form in FORMS.items()
        for row in _rows(name, form, calls=calls, wait_s=wait_s, notice_s=NOTICE_S[scale])
    ]


def _await_calls(vendor: Remote) -> None:
    """Until every model was called and the fleet runs evenly."""
    while {f"{call['vendor']}/{call['model']}" for call in vendor.arrivals()} < set(FORMS):
        time.sleep(0.1)
    time.sleep(WARM_UP_S / 2)


def _rows(
    name: str, form: str, *, calls: list[dict[str, Any]], wait_s: float, notice_s: float
) -> list[Row]:
    at, model = name.split("/")
    mine = [call for call in calls if (call["vendor"], call["model"]) == (at, model)]
    struck = next(call for call in mine if call["http_status"] == 429)
    # A date has whole seconds; the time that it names may be up to a second later, never earlier.
    until_s = struck["ended_s"] + wait_s - (0.02 if form != "date" else 0.0)
    early = [c for c in mine if struck["ended_s"] + notice_s < c["arrived_s"] < until_s]
    later = [c for c in mine if c["arrived_s"] >= until_s]
    return [
        Row(f"retry_after.{form}.calls_too_early", len(early), "== 0", f"{name}, {wait_s:g} s"),
        Row(f"retry_after.{form}.calls_afterwards", len(later), ">= 1"),
    ]
