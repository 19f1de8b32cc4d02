"""Claims that hold for every fault of the catalog, on every protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from simulator.catalog import VENDORS
from simulator.direct import call_async, heal, order, vendor_request
from simulator.fault_catalog import ANSWER, CONNECTION, LIMIT, REFUSE, SPECS, WIRE
from simulator.server import App
from simulator.wire import ConnectionCut
from tests.simulator.vendors import MODELS, QUESTION, ask_vendor, is_finished, last_row

SMALL = {"giant": {"bytes": 100_000}, "gzip_bomb": {"bytes": 2_000_000}}
LEAVES = {"hang": 0, "hang_after_headers": 0, "stall": 2, "keep_alive": 5}
PER_REQUEST = [spec.name for spec in SPECS.values() if spec.kind in (REFUSE, ANSWER, WIRE)]
streams = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
every_vendor = pytest.mark.parametrize("vendor", VENDORS)


def _strike(app: App, vendor: str, *, stream: bool, system: str) -> bytes:
    """What comes of one request, whose client leaves when nothing more is to be expected."""
    ordered = {fault["name"] for fault in app.simulator.faults.as_json(now_ns=0)}
    leave_after = next((after for name, after in LEAVES.items() if name in ordered), None)
    try:
        return ask_vendor(app, vendor, stream=stream, system=system, leave_after=leave_after).body
    except ConnectionCut:
        return b""


@every_vendor
@streams
@pytest.mark.parametrize("name", PER_REQUEST)
def test_a_fault_strikes_once_and_its_request_is_billed_once(
    name: str, stream: bool, vendor: str, app: App, system: str
) -> None:
    """The request bears the fault's name, its row is closed once, and nothing stays in flight."""
    order(app, name, probability=1, options=SMALL.get(name, {}))
    _strike(app, vendor, stream=stream, system=system)
    bill = app.simulator.bill.as_json(with_rows=True)
    assert [row["faults"] for row in bill["requests"]] == [[name]]
    assert app.simulator.in_flight == 0
    assert app.simulator.faults.as_json(now_ns=0)[0]["struck"] == 1


@every_vendor
@streams
@pytest.mark.parametrize("name", PER_REQUEST)
def test_a_healed_fault_leaves_nothing_behind(
    name: str, stream: bool, vendor: str, app: App, system: str
) -> None:
    """After it is lifted the next answer is whole and orderly."""
    order(app, name, probability=1, options=SMALL.get(name, {}))
    _strike(app, vendor, stream=stream, system=system)
    assert heal(app, name) == 1
    assert is_finished(_strike(app, vendor, stream=stream, system=system))


@pytest.mark.parametrize("name", [n for n in PER_REQUEST if SPECS[n].kind == REFUSE])
def test_a_refused_request_costs_nothing(name: str, app: App) -> None:
    """An error answer is not billed; what hangs or is reset after it was read pays its prompt."""
    order(app, name, probability=1)
    _strike(app, "openai", stream=False, system="")
    row = last_row(app)
    assert (row["cost_nano"] > 0) == (name in ("hang", "reset"))
    assert row["output_tokens"] == 0


def test_every_fault_has_a_kind_and_says_what_it_does() -> None:
    """The catalog is complete: a known kind, a sentence, a probability that can strike."""
    kinds = {REFUSE, ANSWER, WIRE, LIMIT, CONNECTION}
    assert all(s.kind in kinds and s.does and 0 < s.probability <= 1 for s in SPECS.values())


COMPOSED: list[tuple[list[tuple[str, dict[str, Any]]], list[str]]] = [
    ([("slow", {}), ("duplicate_chunks", {}), ("lying_usage", {})], []),
    ([("latency_drift", {}), ("wrong_content_type", {}), ("truncate", {})], []),
    ([("length", {}), ("no_usage", {}), ("error_mid_stream", {})], []),
    ([("503", {}), ("limits_halve", {}), ("slow", {})], []),
    ([("truncate", {}), ("rst", {})], ["rst"]),
    ([("empty", {}), ("refusal", {}), ("length", {})], ["refusal", "length"]),
    ([("no_usage", {}), ("lying_usage", {})], ["lying_usage"]),
    ([("429", {}), ("503", {}), ("hang", {})], ["503", "hang"]),
]


@pytest.mark.parametrize(("orders", "left_out"), COMPOSED, ids=lambda v: "-".join(map(str, v))[:40])
def test_faults_strike_together_unless_they_exclude_each_other(
    orders: list[tuple[str, dict[str, Any]]], left_out: list[str], app: App, system: str
) -> None:
    """Of those that exclude each other the first ordered strikes; limits are not in the row."""
    for name, options in orders:
        order(app, name, options=options)
    ask_vendor(app, "openai", stream=True, system=system)
    names = [name for name, _ in orders if name not in left_out and SPECS[name].kind != LIMIT]
    assert last_row(app)["faults"] == names


def test_many_requests_under_many_faults_are_each_billed_once(app: App, system: str) -> None:
    """With a dozen faults at one in five, 200 requests at once leave 200 rows and nothing open."""
    for name in ("503", "429", "truncate", "cut", "slow", "no_usage", "duplicate_chunks", "empty"):
        order(app, name, probability=0.2)
    path, body, headers = vendor_request("openai", model=MODELS["openai"], question=QUESTION)

    async def play() -> None:
        calls = (call_async(app, path, body=body, headers=headers) for _ in range(200))
        await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(play())
    totals = app.simulator.bill.as_json()["totals"]
    assert (totals["requests"], app.simulator.in_flight) == (200, 0)
    assert totals["completed"] and totals["aborted"] and totals["errors"] and totals["refused_429"]
