"""A vendor on a raw socket that does what a script says, byte by byte and fault by fault."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from base.clock import ManualClock
from routing.specs import VendorKind
from tests.routing.helpers import STREAMS, chat_chunk, sse

PATHS = {"openai": "/openai/v1", "anthropic": "/anthropic", "gemini": "/gemini"}
KIND_OF = {
    "openai": VendorKind.CHAT_COMPLETIONS,
    "anthropic": VendorKind.ANTHROPIC,
    "gemini": VendorKind.GEMINI,
}
TLS_HANDSHAKE = b"\x16"
NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Exchange:
    """One request that was read whole, and the way back."""

    vendor: str
    writer: asyncio.StreamWriter
    clock: ManualClock

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a status line and headers; the end of the body is the end of the connection."""
        lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
        await self.send("\r\n".join([*lines, "Connection: close", "", ""]).encode())

    def reset(self) -> None:
        """Drop the connection in the rudest way there is."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.writer.transport.abort()


Play = Callable[[Exchange], Awaitable[None]]


def refusing(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Play:
    """An answer with a status and a body: bytes go as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def play(exchange: Exchange) -> None:
        await exchange.head(status, {"Content-Length": str(len(data)), **(headers or {})})
        await exchange.send(data)

    return play


def streaming(data: bytes, *, then: str = "end") -> Play:
    """A stream that begins well; `then` it ends, is reset, or falls silent."""

    async def play(exchange: Exchange) -> None:
        await exchange.head(200, {"Content-Type": "text/event-stream"})
        await exchange.send(data)
        if then == "reset":
            await asyncio.sleep(0.05)  # a reset overtakes bytes that were not read yet
            exchange.reset()
        elif then == "silence":
            await asyncio.Event().wait()

    return play


def silent(*, gone_s: float = 0.0) -> Play:
    """Nothing comes; `gone_s` of the question's time pass."""

    async def play(exchange: Exchange) -> None:
        exchange.clock.advance(gone_s)
        await asyncio.Event().wait()

    return play


async def resetting(exchange: Exchange) -> None:
    """The connection is reset when the request is there."""
    exchange.reset()


async def answering_well(exchange: Exchange) -> None:
    """A complete answer."""
    await streaming(STREAMS[KIND_OF[exchange.vendor]]("All is well."))(exchange)


def opening(kind: VendorKind, *, text: str = "Half an") -> bytes:
    """The first events of an answer, without a finish reason; no text at all if it is empty."""
    if kind is VendorKind.CHAT_COMPLETIONS:
        return sse(chat_chunk(text))
    if kind is VendorKind.ANTHROPIC:
        usage = {"input_tokens": 9, "output_tokens": 1}
        start = {"type": "message_start", "message": {"id": "m", "model": "m", "usage": usage}}
        delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}
        return sse(start, delta)
    return sse({"candidates": [{"content": {"parts": [{"text": text}]}}]})


@dataclass(slots=True)
class ScriptedVendor:
    """Every vendor at one address. `calls` holds (vendor, clock reading), in order, `bodies` what was asked."""

    clock: ManualClock
    url: str = ""
    plays: dict[str, Play] = field(default_factory=dict)
    calls: list[tuple[str, float]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    bases: dict[str, str] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def base(self, vendor: str) -> str:
        """The address to configure for a vendor."""
        return self.bases.get(vendor) or self.url + PATHS[vendor]

    def called(self) -> list[str]:
        """Who was called, in order."""
        return [vendor for vendor, _ in self.calls]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and play its vendor's part."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if await reader.readexactly(1) == TLS_HANDSHAKE:
                return
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            self.bodies.append(await reader.readexactly(length))
            vendor = head.split("/")[1]
            self.calls.append((vendor, self.clock.monotonic_s()))
            await self.plays.get(vendor, answering_well)(Exchange(vendor, writer, self.clock))
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            ValueError,
        ):
            pass  # the caller left
        finally:
            self._tasks.discard(task)
            writer.close()

    async def stop(self) -> None:
        """End every exchange that is still held up, and see its connection closed."""
        held_up = list(self._tasks)
        for task in held_up:
            task.cancel()
        await asyncio.gather(*held_up, return_exceptions=True)
        for _ in range(5):  # a closed transport lets go of its socket in a later turn of the loop
            await asyncio.sleep(0)


@asynccontextmanager
async def scripted_vendor(clock: ManualClock) -> AsyncIterator[ScriptedVendor]:
    """A scripted vendor on a free port."""
    vendor = ScriptedVendor(clock)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    vendor.url = f"http://{host}:{port}"
    try:
        yield vendor
    finally:
        server.close()
        await vendor.stop()
