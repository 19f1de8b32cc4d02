"""A lean vendor for measuring clients: every request gets one stream of events over one second.

`python -m benchmarks.sse_vendor` listens on a free port and prints it. It parses no more HTTP than it
needs and wakes up 200 times a second for all streams together, so that the client is what is
measured. The events are chat completions as OpenAI sends them, in chunked encoding, kept alive. Below the path
`/at-once` the whole answer comes without any wait.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

ROOT = Path(__file__).resolve().parent.parent
EVENTS = 40
STREAM_S = 1.0
GROUPS = 5
TICK_S = STREAM_S / EVENTS / GROUPS
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(*values: object) -> bytes:
    data = b"".join(
        b"data: " + (v if isinstance(v, bytes) else json.dumps(v).encode()) + b"\n\n"
        for v in values
    )
    return b"%x\r\n%s\r\n" % (len(data), data)


def _completion(delta: dict[str, str], **more: object) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} | more
    return {
        "id": "chatcmpl-9f4e1c0b7a",
        "object": "chat.completion.chunk",
        "created": 1795435200,
        "model": "gpt-4.1-2025-04-14",
        "choices": [choice],
        "usage": None,
    }


_TEXT = _chunk(_completion({"content": " a few words"}))
_USAGE = {"prompt_tokens": 400, "completion_tokens": 120}
_LAST = (
    _chunk(
        _completion({}, finish_reason="stop"),
        _completion({}) | {"choices": [], "usage": _USAGE},
        b"[DONE]",
    )
    + b"0\r\n\r\n"
)


class _Ticker:
    """Streams in groups; each tick writes one event to every stream of one group."""

    def __init__(self) -> None:
        self.groups: list[dict[_Connection, int]] = [{} for _ in range(GROUPS)]
        self._tick = 0

    def join(self, connection: _Connection) -> None:
        self.groups[self._tick % GROUPS][connection] = EVENTS

    def leave(self, connection: _Connection) -> None:
        for group in self.groups:
            group.pop(connection, None)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s += TICK_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            self._tick += 1
            group = self.groups[self._tick % GROUPS]
            for connection, left in list(group.items()):
                if left > 1:
                    group[connection] = left - 1
                    connection.write(_TEXT)
                else:
                    del group[connection]
                    connection.write(_TEXT + _LAST)


class _Connection(asyncio.Protocol):
    def __init__(self, ticker: _Ticker) -> None:
        self._ticker = ticker
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._ticker.leave(self)

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lengths = (
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        if len(body) >= int(next(lengths, b":0").split(b":")[1]):
            self._received = b""
            if b"/at-once" in head[:80]:
                self.write(_HEAD + _TEXT * EVENTS + _LAST)
            else:
                self.write(_HEAD)
                self._ticker.join(self)


async def _serve() -> None:
    ticker = _Ticker()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(ticker), "127.0.0.1", 0, backlog=4_096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ticker.run()


@contextmanager
def running_vendor() -> Iterator[str]:
    """The vendor in a process of its own; yields its address."""
    command = [sys.executable, "-m", "benchmarks.sse_vendor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


if __name__ == "__main__":
    uvloop.run(_serve())
