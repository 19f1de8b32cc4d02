"""How many answers one simulator process gives: `python -m benchmarks.simulator_load`.

Prints short whole answers per second over kept connections, and how long a given number of
streams takes that are opened at once and planned to last about a second each. The load comes from
this process, the simulator runs in one of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.site import running_simulator
from simulator.direct import vendor_request
from simulator.remote import Remote

_SYSTEM = "\n".join(
    f'<article key="a{number}">\nTitle: Topic {number}\nParcels of kind {number} take {number} days. '
    f"They cost {number}.50 yuan. A tracking number is sent by text message. "
    "Refunds arrive within five working days after the goods have come back to us.\n</article>"
    for number in range(4)
)
_END = b"0\r\n\r\n"
_FIRST_MS, _CHUNK_MS = 200.0, 30.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One answer: seconds to its first byte of body and to its end."""

    first_s: float
    whole_s: float


def _payload(host: str, *, number: int, stream: bool) -> bytes:
    path, body, headers = vendor_request(
        "openai",
        model="gpt-4.1",
        question=f"How many days does a parcel of kind {number} take?",
        system=_SYSTEM,
        stream=stream,
    )
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(data)}"]
    lines += ["Content-Type: application/json", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def _whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head[:20], head
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    await reader.readexactly(length)


async def _short_answers(host: str, port: int, *, connections: int, for_s: float) -> float:
    """Whole answers per second over `connections` kept connections."""
    counts = [0] * connections
    until_s = time.monotonic() + for_s

    async def ask(place: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while time.monotonic() < until_s:
            await _whole(reader, writer, _payload(host, number=counts[place], stream=False))
            counts[place] += 1
        writer.close()

    started_s = time.monotonic()
    await asyncio.gather(*(ask(place) for place in range(connections)))
    return sum(counts) / (time.monotonic() - started_s)


async def _stream(host: str, port: int, *, number: int) -> Timing:
    started_s = time.monotonic()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(_payload(host, number=number, stream=True))
    await reader.readuntil(b"\r\n\r\n")
    await reader.readline()
    first_s = time.monotonic() - started_s
    tail = b""
    while not tail.endswith(_END):
        data = await reader.read(65_536)
        assert data, "the stream was cut"
        tail = (tail + data)[-16:]
    writer.close()
    return Timing(first_s, time.monotonic() - started_s)


async def _streams(host: str, port: int, *, streams: int) -> list[Timing]:
    return await asyncio.gather(*(_stream(host, port, number=n) for n in range(streams)))


class _Used:
    """Processor time of the simulator from now on: it tells a capacity even on a busy machine."""

    def __init__(self, url: str) -> None:
        self._vendor = Remote(url)
        self._before = self._vendor.health()

    def cpu_text(self) -> str:
        """Processor time per answer and what that means for one core."""
        after = self._vendor.health()
        calls = after["calls"] - self._before["calls"]
        cpu_ms = (after["process_cpu_s"] - self._before["process_cpu_s"]) / calls * 1000
        return f"{cpu_ms:.2f} ms of processor time each ({1000 / cpu_ms:.0f} per second and core)"


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--for-s", type=float, default=5.0)
    options = parser.parse_args()
    with running_simulator("--first-ms", "0", "--chunk-ms", "0") as url:
        host, port = str(urlsplit(url).hostname), int(urlsplit(url).port or 0)
        asyncio.run(_short_answers(host, port, connections=4, for_s=0.5))
        used = _Used(url)
        rate = asyncio.run(
            _short_answers(host, port, connections=options.connections, for_s=options.for_s)
        )
        _say(f"short whole answers: {rate:.0f} per second, {used.cpu_text()}")
    with running_simulator("--first-ms", str(_FIRST_MS), "--chunk-ms", str(_CHUNK_MS)) as url:
        host, port = str(urlsplit(url).hostname), int(urlsplit(url).port or 0)
        used = _Used(url)
        alone = [asyncio.run(_stream(host, port, number=n)).whole_s for n in range(12)]
        started_s = time.monotonic()
        timings = asyncio.run(_streams(host, port, streams=options.streams))
        elapsed_s = time.monotonic() - started_s
        cost = used.cpu_text()
    whole = [timing.whole_s for timing in timings]
    _say(f"one stream alone: median {statistics.median(alone):.2f} s")
    _say(
        f"{options.streams} streams at once: median {statistics.median(whole):.2f} s,"
        f" 95th percentile {_percentile(whole, 0.95):.2f} s, longest {max(whole):.2f} s,"
        f" all done after {elapsed_s:.2f} s, {cost}"
    )


if __name__ == "__main__":
    main()
