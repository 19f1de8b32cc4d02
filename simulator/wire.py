"""One HTTP exchange over raw ASGI: the body read, the client's going away noticed, bytes sent."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import parse_qsl

from simulator.clock import Clock
from simulator.exchange import Headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CONNECTION = "simulator.connection"


class BodyTooLarge(Exception):
    """The request body is longer than allowed."""


class ClientGone(Exception):
    """The client went away before its request was read."""


class ConnectionCut(Exception):
    """Raised out of the application so that the server drops the connection mid-answer."""


class ConnectionReset(ConnectionCut):
    """The connection was reset, or is to be where the server cannot do so itself."""


class Connection:
    """What a server of ours tells the application about a connection: its end, and how to reset it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def mark_lost(self) -> None:
        """Say that the connection is gone."""
        if not self.lost.done():
            self.lost.set_result(None)

    def reset(self) -> None:
        """Drop the connection with an RST instead of an orderly end."""
        plug = self._transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class Wire:
    """Use as `async with Wire(...)` once the body is read: within, `gone` is kept up to date."""

    def __init__(self, scope: Scope, *, receive: Receive, send: Send, clock: Clock) -> None:
        self._receive, self._send, self._clock = receive, send, clock
        self._connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
        self._watcher: asyncio.Task[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        raw = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        self.headers = {name.lower(): value for name, value in raw}

    @property
    def gone(self) -> bool:
        """Whether the client has gone away."""
        return self._gone is not None and self._gone.done()

    async def body(self, *, limit_bytes: int) -> bytes:
        """The whole request body; raises BodyTooLarge or ClientGone."""
        chunks = bytearray()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks += message.get("body", b"")
            if len(chunks) > limit_bytes:
                raise BodyTooLarge
            if not message.get("more_body"):
                return bytes(chunks)

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            self._gone = self._connection.lost
        else:
            self._gone = asyncio.get_running_loop().create_future()
            self._watcher = asyncio.create_task(self._watch(self._gone))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait({self._watcher})

    async def _watch(self, gone: asyncio.Future[None]) -> None:
        while not gone.done():
            message = await self._receive()
            if message["type"] == "http.disconnect":
                gone.set_result(None)

    async def until_gone(self, *, max_s: float | None = None) -> None:
        """Wait for the client to go away, at most `max_s`."""
        if max_s is not None:
            await self.pause(max_s)
        elif self._gone is not None:
            await asyncio.wait({self._gone})

    async def pause(self, seconds_s: float) -> None:
        """Let time pass, less if the client goes away."""
        assert self._gone is not None, "pause is for use within the wire's context"
        await self._clock.sleep(seconds_s, until=self._gone)

    async def reset(self) -> NoReturn:
        """Reset the connection (RST); raises ConnectionReset out of the application."""
        if self._connection is not None:
            self._connection.reset()
            await asyncio.sleep(0)
        raise ConnectionReset

    async def start(self, status: int, *, headers: Headers) -> None:
        """Send status and headers."""
        raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Send a part of the body; `more=False` ends it."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def respond(self, status: int, *, headers: Headers, body: bytes) -> None:
        """Send a complete answer."""
        length = ("content-length", str(len(body)))
        await self.start(status, headers=[*headers, length])
        await self.write(body, more=False)
