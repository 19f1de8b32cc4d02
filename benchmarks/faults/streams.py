"""A thousand streams at once: none is lost, and more load never yields fewer answers.

What is offered: N workers each read one-second streams one after the other, which offers N streams a
second. What is counted: complete streams a second while all N are busy, by one process. A client
that keeps up completes what is offered; one that cannot has its capacity as its figure.

- `streams-at-1000-vs-300`: that figure at 1,000 over that at 300. A client that is saturated at both
  has 1 there; one whose work per stream grows with the streams that are open falls below it.
- `streams-vs-httpx`: the product's client at 1,000, with decoding and timeouts, over the best figure that
  httpx's own pool reaches at any concurrency, only reading.
- `streams-cpu-growth` and `streams-cpu-vs-httpx` say the same in CPU time per stream, which a busy machine
  distorts less than the clock; they alone are judged in the short form.
- `streams-incomplete`: streams that failed or lacked an event, of the product's client, everywhere.
- `streams-sockets-left`: sockets more than before, after calls one by one, side by side, and left early.

Every cell is a process of its own and is measured in turn with the others, round after round; the
best round counts, for every client, because whatever else runs only ever slows it down.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from base.clock import SystemClock
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.sse_vendor import running_vendor
from benchmarks.stream_clients import PATIENT, Cell, a_stream, cell
from routing.client import Client
from routing.errors import VendorError

CLOSING_TURNS = 500


@dataclass(frozen=True, slots=True)
class _Size:
    low: int
    high: int
    stock: tuple[int, ...]
    seconds: float
    rounds: int
    calls: int


_SIZES = {
    Scale.FULL: _Size(300, 1_000, (50, 100, 200, 300, 1_000), 6.0, 3, 10_000),
    Scale.SHORT: _Size(15, 60, (60,), 2.0, 1, 300),
}


def run(scale: Scale) -> list[Row]:
    """Measure, and return the rows."""
    size = _SIZES[scale]
    with running_vendor() as url:
        ours, stock = _cells(url, size)
        left = asyncio.run(_sockets_left(f"{url}/at-once", calls=size.calls))
    low, high = _fastest(ours, size.low), _fastest(ours, size.high)
    best = max(stock, key=lambda found: found.streams_per_s)
    cheapest = min(found.cpu_ms_per_stream for found in stock)
    incomplete = sum(found.failed for found in ours)
    rows = [
        Row("streams-incomplete", incomplete, "== 0", f"in {len(ours)} runs of up to {size.high}"),
        Row("streams-sockets-left", left, "<= 0", f"after {size.calls} calls and as many at once"),
        Row(
            "streams-cpu-growth",
            round(high.cpu_ms_per_stream / low.cpu_ms_per_stream, 2),
            "<= 2.5",
            f"{low.cpu_ms_per_stream:.2f} -> {high.cpu_ms_per_stream:.2f} ms per stream",
        ),
        Row(
            "streams-cpu-vs-httpx",
            round(cheapest / high.cpu_ms_per_stream, 2),
            ">= 1",
            f"httpx takes {cheapest:.2f} ms at its cheapest",
        ),
    ]
    return rows if scale is Scale.SHORT else [*_rates(low, high, best), *rows]


def _rates(low: Cell, high: Cell, best: Cell) -> list[Row]:
    return [
        Row(
            "streams-at-1000-vs-300",
            round(high.streams_per_s / low.streams_per_s, 2),
            ">= 0.95",
            f"{high.streams_per_s:.0f}/s ({high.share:.0%} of what is offered) over"
            f" {low.streams_per_s:.0f}/s ({low.share:.0%})",
        ),
        Row(
            "streams-vs-httpx",
            round(high.streams_per_s / best.streams_per_s, 2),
            ">= 2.5",
            f"httpx: {best.streams_per_s:.0f}/s at {best.concurrency}",
        ),
    ]


def _cells(url: str, size: _Size) -> tuple[list[Cell], list[Cell]]:
    """Every cell of the product's client and of httpx, in turn."""
    ours: list[Cell] = []
    stock: list[Cell] = []
    for _ in range(size.rounds):
        ours += [
            cell("client", url, concurrency=concurrency, seconds=size.seconds)
            for concurrency in (size.low, size.high)
        ]
        stock += [
            cell("httpx", url, concurrency=concurrency, seconds=size.seconds)
            for concurrency in size.stock
        ]
    return ours, stock


def _fastest(cells: Sequence[Cell], concurrency: int) -> Cell:
    of_it = [found for found in cells if found.concurrency == concurrency]
    return max(of_it, key=lambda found: found.streams_per_s)


async def _sockets_left(url: str, *, calls: int) -> int:
    """Open sockets after many calls over those before, once every connection had time to close."""
    before = _open_sockets()
    client, clock = Client(timeouts=PATIENT, allow_loopback=True), SystemClock()

    async def one(number: int) -> None:
        events = a_stream(client, url, clock=clock)
        async with aclosing(events) as stream:
            async for _ in stream:
                if number % 10 == 3:
                    break

    for number in range(calls):
        await one(number)
    for first in range(0, calls, 100):
        done = await asyncio.gather(
            *(one(number) for number in range(first, first + 100)), return_exceptions=True
        )
        assert all(item is None or isinstance(item, VendorError) for item in done)
    await client.close()
    for _ in range(CLOSING_TURNS):
        if _open_sockets() <= before:
            break
        await asyncio.sleep(0.01)
    return _open_sockets() - before


def _open_sockets() -> int:
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(entry).startswith("socket:")
        except FileNotFoundError:
            continue
    return found
