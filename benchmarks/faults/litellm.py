"""Our client against a LiteLLM proxy: every answer read, every failure classified, every wait seen.

The full form starts the proxy itself. The short form plays its recorded answers from a plain
socket: installing the proxy takes longer than a suite may. `python -m benchmarks.faults.litellm`
records them anew after a change of version or of the cases.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from benchmarks.faults.litellm_cases import CASES, Case, Judged, judge
from benchmarks.faults.litellm_proxy import ROOT, VERSION, Proxy, running_proxy
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from routing.client import Client, Timeouts
from simulator.config import Config
from simulator.running import RunningSimulator

RECORDS = ROOT / "tests" / "data" / "litellm" / "answers.json"
_PATIENT = Timeouts(connect_s=10.0, first_content_s=60.0, idle_s=60.0, ending_s=5.0)
_KEPT_HEADERS = ("content-type", "retry-after", "ratelimit", "x-should-retry", "call-id")
_HANG_S = 6.0


def run(scale: Scale) -> list[Row]:
    """The rows of the scenario."""
    if scale is Scale.SHORT:
        return _rows(asyncio.run(_replayed()), note=f"recorded answers of litellm {VERSION}")
    with _simulator() as simulator, running_proxy(simulator) as proxy:
        judged = asyncio.run(_live(simulator, proxy))
        note = f"litellm {VERSION}, ready after {proxy.ready_s:.0f} s, {proxy.memory_mb():.0f} MB resident"
    return _rows(judged, note=note)


def _rows(judged: list[Judged], *, note: str) -> list[Row]:
    for one in judged:
        if not (one.is_right and one.waits_right):
            wanted = f"{one.case.expected}, wait {one.case.wait_s}"
            print(f"   {one.case.name}: {one.outcome}, wait {one.wait_s}; expected {wanted}")
    failures = [one for one in judged if one.case.expected != "answered"]
    answers = [one for one in judged if one.case.expected == "answered"]
    return [
        Row("litellm.answers_read", _share(one.is_right for one in answers), ">= 1.0", note),
        Row("litellm.classified_right", _share(one.is_right for one in failures), ">= 1.0"),
        Row("litellm.waits_read", _share(one.waits_right for one in failures), ">= 1.0"),
    ]


def _share(values: Any) -> float:
    found = list(values)
    return sum(found) / len(found)


def _simulator() -> RunningSimulator:
    return RunningSimulator(Config(first_ms=0, chunk_ms=0))


def _order(simulator: RunningSimulator, case: Case) -> None:
    """Put the fault of a case in force behind the proxy, and no other."""
    simulator.heal()
    if case.fault:
        options = case.options | ({"max_s": _HANG_S} if case.fault == "hang" else {})
        if case.name.endswith("quota"):
            options["kind"] = "quota"
        simulator.fault(case.fault, options=options)


async def _live(simulator: RunningSimulator, proxy: Proxy) -> list[Judged]:
    client, judged = Client(timeouts=_PATIENT, allow_loopback=True), []
    for case in CASES:
        _order(simulator, case)
        judged.append(await judge(case, url=proxy.url, client=client))
    await client.close()
    return judged


async def _replayed() -> list[Judged]:
    """The recorded answers, each played to our client from a socket."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    client, judged = Client(timeouts=_PATIENT, allow_loopback=True), []
    for case in CASES:
        async with _socket_that_says(records[case.name]) as url:
            judged.append(await judge(case, url=url, client=client))
    await client.close()
    return judged


@asynccontextmanager
async def _socket_that_says(record: dict[str, Any]) -> AsyncIterator[str]:
    """An address that gives one recorded answer to whatever it is asked."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in record["headers"].items())
    body = record["body"].encode()
    head = f"HTTP/1.1 {record['status']} -\r\n{headers}content-length: {len(body)}\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(asked.partition("content-length:")[2].split("\r\n")[0]))
        writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = answer
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def record() -> None:
    """Ask the proxy every case once and keep what it says."""
    records = {}
    with _simulator() as simulator, running_proxy(simulator) as proxy:
        for case in CASES:
            _order(simulator, case)
            request = case.request(proxy.url)
            answer = httpx.post(
                request.url,
                headers=dict(request.headers),
                content=request.body,
                timeout=60.0,
                trust_env=False,
            )
            headers = {
                name: value
                for name, value in answer.headers.items()
                if any(part in name for part in _KEPT_HEADERS)
            }
            body = answer.text.replace(proxy.url, "http://proxy")
            records[case.name] = {"status": answer.status_code, "headers": headers, "body": body}
    RECORDS.parent.mkdir(parents=True, exist_ok=True)
    RECORDS.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
