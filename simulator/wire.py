"""One HTTP exchange over raw ASGI: the body read, the client's going away noticed, bytes sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from simulator.clock import Clock
from simulator.exchange import Headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_SLICE_S = 0.05


class BodyTooLarge(Exception):
    """The request body is longer than allowed."""


class ClientGone(Exception):
    """The client went away before its request was read."""


class ConnectionCut(Exception):
    """Raised out of the application so that the server drops the connection mid-answer."""


class Wire:
    """Use as `async with Wire(...)` once the body is read: within, `gone` is kept up to date."""

    def __init__(self, scope: Scope, *, receive: Receive, send: Send, clock: Clock) -> None:
        self._receive, self._send, self._clock = receive, send, clock
        self._watcher: asyncio.Task[None] | None = None
        self.gone = False
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        raw = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]]
        self.headers = {name.lower(): value for name, value in raw}

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
        self._watcher = asyncio.create_task(self._watch())
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

    async def _watch(self) -> None:
        while not self.gone:
            message = await self._receive()
            self.gone = message["type"] == "http.disconnect"

    async def until_gone(self, *, max_s: float | None = None) -> None:
        """Wait for the client to go away, at most `max_s`."""
        if self._watcher is not None and max_s is None:
            await asyncio.wait({self._watcher})
        elif max_s is not None:
            await self.pause(max_s)

    async def pause(self, seconds_s: float) -> None:
        """Let time pass, less if the client goes away."""
        left_s = seconds_s
        while True:
            await self._clock.sleep(max(0.0, min(left_s, _SLICE_S)))
            left_s -= _SLICE_S
            if self.gone or left_s <= 0:
                return

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
