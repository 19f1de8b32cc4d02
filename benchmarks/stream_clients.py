"""HTTP clients reading one-second streams in a closed loop; one cell of a measurement per process.

`python -m benchmarks.stream_clients NAME URL --concurrency N --seconds S` keeps N streams open for S
seconds after a warm-up and prints a JSON object: completed streams per second, the process's CPU time
per completed stream, the median duration, and how many streams failed or lacked events. A process of
its own gives each cell clean connections and CPU time that is the client's alone. All libraries read
raw bytes, cut them at blank lines and parse each event as JSON; `client` is the product's own client
with everything it does.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from base.clock import Clock, SystemClock
from benchmarks.sse_vendor import EVENTS
from routing.client import Client, Timeouts
from routing.specs import EndpointSpec, Message, ModelSpec, Prompt, VendorKind
from routing.transport import build_http
from routing.vendors.base import Completed, TextDelta

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_S = 3.0
ALL_EVENTS = EVENTS + 3  # the finish, the usage and [DONE] come after the text
BODY = b'{"model":"gpt-4.1","stream":true,"messages":[{"role":"user","content":"Do you ship?"}]}'
CONNECTIONS = 2_000
# A measuring machine may be busy; the product's two seconds would count that as failures.
PATIENT = Timeouts(connect_s=30.0, first_content_s=30.0, idle_s=30.0, ending_s=30.0)

ReadOne = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one client did at one concurrency."""

    client: str
    concurrency: int
    streams_per_s: float
    cpu_ms_per_stream: float
    median_s: float
    failed: int

    @property
    def share(self) -> float:
        """Of what was offered: `concurrency` one-second streams are that many a second."""
        return self.streams_per_s / self.concurrency


def _count(pieces: bytes, rest: bytes) -> tuple[int, bytes]:
    *events, rest = (rest + pieces).split(b"\n\n")
    for event in events:
        if event != b"data: [DONE]":
            json.loads(event[6:])
    return len(events), rest


def _over_httpx(client: Any) -> ReadOne:
    """A reader over anything with httpx's interface."""

    async def read_one(url: str) -> bool:
        events, rest = 0, b""
        async with client.stream("POST", url, content=BODY) as response:
            async for data in response.aiter_raw():
                found, rest = _count(data, rest)
                events += found
        return events == ALL_EVENTS

    return read_one


def _stock(library_name: str) -> ReadOne:
    library = importlib.import_module(library_name)
    limits = library.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    return _over_httpx(
        library.AsyncClient(trust_env=False, timeout=library.Timeout(None), limits=limits)
    )


def _httpx_aiohttp() -> ReadOne:
    httpx, bridge = importlib.import_module("httpx"), importlib.import_module("httpx_aiohttp")
    limits = httpx.Limits(max_connections=CONNECTIONS)
    transport = bridge.AiohttpTransport(trust_env=False, limits=limits)
    return _over_httpx(
        httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(None), transport=transport)
    )


def _aiohttp() -> ReadOne:
    aiohttp = importlib.import_module("aiohttp")
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
    )

    async def read_one(url: str) -> bool:
        events, rest = 0, b""
        async with session.post(url, data=BODY) as response:
            while data := await response.content.readany():
                found, rest = _count(data, rest)
                events += found
        return events == ALL_EVENTS

    return read_one


def _transport() -> ReadOne:
    return _over_httpx(build_http(connect_s=PATIENT.connect_s, allow_loopback=True))


def a_stream(
    client: Client, url: str, *, clock: Clock
) -> AsyncGenerator[TextDelta | Completed, None]:
    """One answer by the product's client."""
    endpoint = EndpointSpec(
        1, "v", "V", VendorKind.CHAT_COMPLETIONS, url, "OPENAI_API_KEY", simulated=True
    )
    return client.stream(
        ModelSpec(1, "gpt-4.1", endpoint),
        Prompt("Answer from the articles.", (Message("user", "Do you ship?"),)),
        api_key="key",
        base_url=url,
        max_output_tokens=300,
        deadline_s=clock.monotonic_s() + 120.0,
        clock=clock,
    )


def _product() -> ReadOne:
    client, clock = Client(timeouts=PATIENT, allow_loopback=True), SystemClock()

    async def read_one(url: str) -> bool:
        pieces = 0
        async with aclosing(a_stream(client, url, clock=clock)) as stream:
            async for event in stream:
                pieces += isinstance(event, TextDelta)
        return pieces == EVENTS

    return read_one


CLIENTS: dict[str, tuple[str, Callable[[], ReadOne]]] = {
    # name -> (the module that must be installed, what builds it)
    "httpx": ("httpx", lambda: _stock("httpx")),
    "httpx2": ("httpx2", lambda: _stock("httpx2")),
    "httpx-aiohttp": ("httpx_aiohttp", _httpx_aiohttp),
    "aiohttp": ("aiohttp", _aiohttp),
    "transport": ("aiohttp", _transport),
    "client": ("aiohttp", _product),
}


def missing(names: Iterable[str]) -> list[str]:
    """The clients whose library is not installed."""
    return [name for name in names if importlib.util.find_spec(CLIENTS[name][0]) is None]


@dataclass(slots=True)
class _Tally:
    durations_s: list[float] = field(default_factory=list)
    failed: int = 0


async def _measure(name: str, url: str, *, concurrency: int, seconds: float) -> Cell:
    read_one, tally = CLIENTS[name][1](), _Tally()

    async def worker(number: int) -> None:
        await asyncio.sleep(number / concurrency)
        while True:
            began_s = time.monotonic()
            try:
                tally.failed += not await read_one(url)
            except Exception as error:  # noqa: BLE001  every library has its own errors
                tally.failed += 1
                sys.stderr.write(f"{name}: {error!r}\n")
                await asyncio.sleep(0.1)
            else:
                tally.durations_s.append(time.monotonic() - began_s)

    workers = [asyncio.create_task(worker(number)) for number in range(concurrency)]
    await asyncio.sleep(WARM_UP_S)
    before, cpu_s, began_s = len(tally.durations_s), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    done = tally.durations_s[before:]
    cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - began_s
    for task in workers:
        task.cancel()
    return Cell(
        client=name,
        concurrency=concurrency,
        streams_per_s=len(done) / took_s,
        cpu_ms_per_stream=cpu_s * 1000 / max(len(done), 1),
        median_s=statistics.median(done or [took_s]),
        failed=tally.failed,
    )


def cell(name: str, url: str, *, concurrency: int, seconds: float) -> Cell:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.stream_clients", name, url]
    options = ["--concurrency", str(concurrency), "--seconds", str(seconds)]
    out = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if out.returncode != 0:
        message = f"{name} at {concurrency} did not end well:\n{out.stderr[-2_000:]}"
        raise RuntimeError(message)
    return Cell(**json.loads(out.stdout))


def main() -> None:
    """Measure one cell and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CLIENTS)
    parser.add_argument("url")
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    found = uvloop.run(
        _measure(
            options.name, options.url, concurrency=options.concurrency, seconds=options.seconds
        )
    )
    sys.stdout.write(json.dumps(asdict(found)))
    sys.stdout.flush()
    os._exit(0)  # a thousand open streams are not worth an orderly end


if __name__ == "__main__":
    main()
