"""One call of the client to a played transport or to a real address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from base.clock import ManualClock
from routing.client import DEFAULT_TIMEOUTS, Client, Timeouts
from routing.errors import VendorError
from routing.specs import Reply, VendorKind
from routing.vendors.base import TextDelta
from tests.routing.helpers import (
    KEY,
    NOW,
    PROMPT,
    model,
)

# For real sockets: however slow the machine is, nothing but what the test does ends a call.
PATIENT = Timeouts(connect_s=60.0, first_content_s=60.0, idle_s=60.0, ending_s=60.0)
Handler = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class Pieces(httpx.AsyncByteStream):
    """A body that comes in pieces; counts what was read of it."""

    def __init__(self, data: bytes, *, size: int = 7, then: BaseException | None = None) -> None:
        self.data, self.size, self.then = data, size, then
        self.read_bytes = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.data), self.size):
            piece = self.data[start : start + self.size]
            self.read_bytes += len(piece)
            yield piece
        if self.then is not None:
            raise self.then

    async def aclose(self) -> None:
        self.closed = True


class Endless(httpx.AsyncByteStream):
    """A body that sends `first`, then `again` for ever, then nothing more if `again` is empty."""

    def __init__(self, first: bytes, *, again: bytes) -> None:
        self.first, self.again = first, again

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.first
        while self.again:
            await asyncio.sleep(0.001)
            yield self.again
        await asyncio.Event().wait()


def answering(
    status: int, body: bytes | httpx.AsyncByteStream, headers: dict[str, str] | None = None
) -> Handler:
    async def handler(request: httpx.Request) -> httpx.Response:
        if isinstance(body, bytes):
            return httpx.Response(status, headers=headers, stream=Pieces(body))
        return httpx.Response(status, headers=headers, stream=body)

    return handler


async def ask(
    handler: Handler | None = None,
    *,
    kind: VendorKind = VendorKind.CHAT_COMPLETIONS,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    base_url: str = "https://api.openai.com/v1",
    api_key: str = KEY,
    left_s: float = 10.0,
    client: Client | None = None,
) -> tuple[str, Reply]:
    transport = httpx.MockTransport(handler) if handler is not None else None
    clock, owned = ManualClock(now=NOW), client is None
    client = client or Client(timeouts=timeouts, transport=transport, allow_loopback=True)
    events = client.stream(
        model(kind, base_url=base_url),
        PROMPT,
        api_key=api_key,
        base_url=base_url,
        max_output_tokens=100,
        deadline_s=clock.monotonic_s() + left_s,
        clock=clock,
        attempt_id="attempt-1",
    )
    shown = ""
    try:
        async with aclosing(events) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    shown += event.text
                else:
                    return shown, event.reply
    finally:
        if owned:
            await client.close()
    raise AssertionError("no reply came")


async def failure_of(handler: Handler | None = None, **more: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await ask(handler, **more)
    return caught.value
