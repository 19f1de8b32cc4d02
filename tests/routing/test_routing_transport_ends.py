"""Claims about calls over real sockets: they end in time, and leave nothing open behind them."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from base.clock import ManualClock
from routing.client import Client, Timeouts
from routing.errors import Kind, VendorError
from routing.vendors.base import Completed, TextDelta
from tests.routing.calling import PATIENT, ask, failure_of
from tests.routing.helpers import KEY, NOW, PROMPT, TEXT, chat_chunk, chat_stream, model, sse
from tests.routing.raw_servers import (
    CHUNKED,
    SHOWN,
    Talk,
    answer,
    chunk,
    raw_server,
    repeating,
    reset,
    saying,
    until_left,
)

SOON = Timeouts(first_content_s=0.3, idle_s=0.3, ending_s=0.1)


@pytest.mark.parametrize(
    ("talk", "timeouts", "left_s", "kind"),
    [
        (repeating(b": on\n\n", b": on\n\n"), SOON, 60.0, Kind.TIMEOUT),
        (repeating(SHOWN, b""), SOON, 60.0, Kind.TRUNCATED),
        (repeating(SHOWN, b": on\n\n"), SOON, 60.0, Kind.TRUNCATED),
        (repeating(SHOWN, SHOWN), Timeouts(idle_s=600.0), 0.3, Kind.TRUNCATED),
    ],
    ids=["comments only", "silence", "comments after text", "text past the deadline"],
)
async def test_a_call_ends_when_content_or_time_runs_out(
    talk: Talk, timeouts: Timeouts, left_s: float, kind: Kind
) -> None:
    """Over a real socket too only content keeps a call alive, and nothing does past its deadline."""
    async with raw_server(talk) as server:
        error = await failure_of(base_url=server.base_url, timeouts=timeouts, left_s=left_s)
        await server.all_closed()
    assert error.verdict.kind is kind


async def test_silence_before_the_head_ends_in_time() -> None:
    """A vendor that takes the request and says nothing is given up, and its connection closed."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_left(reader)
        writer.close()

    async with raw_server(talk) as server:
        error = await failure_of(base_url=server.base_url, timeouts=SOON)
        await server.all_closed()
    assert (error.verdict.kind, error.verdict.maybe_billed) == (Kind.TIMEOUT, True)


@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
async def test_bodies_beyond_their_bound_are_not_read(status: str) -> None:
    """A small packed body stays small, and a plain one is left where the bound is reached."""
    bomb = gzip.compress(b"data: " + b"x" * (64 << 20))
    packed = answer(bomb, status=status, headers="Content-Encoding: gzip\r\n")
    async with raw_server(saying(packed)) as server:
        error = await failure_of(base_url=server.base_url)
        assert error.verdict.kind is (Kind.BAD_BODY if status == "200 OK" else Kind.SERVER)
        await server.all_closed()


async def test_a_redirect_into_the_house_is_not_followed() -> None:
    """The address that a vendor sends us to sees nothing."""
    async with raw_server(saying(answer(b""))) as inside:
        sent = answer(b"", status="302 Found", headers=f"Location: {inside.base_url}\r\n")
        async with raw_server(saying(sent)) as vendor:
            error = await failure_of(base_url=vendor.base_url)
    assert (error.verdict.kind, inside.connections) == (Kind.REDIRECT, 0)


async def test_no_cookie_is_kept() -> None:
    """What one question's answer sets is not sent with the next one's."""
    client = Client(timeouts=PATIENT, allow_loopback=True)
    told = answer(chat_stream(), headers="Set-Cookie: session=1; Path=/\r\n")
    async with raw_server(saying(told)) as server:
        for _ in range(2):
            await ask(base_url=server.base_url, client=client)
        await client.close()
    assert not any(b"\r\ncookie" in request.lower() for request in server.requests)


def open_sockets() -> int:
    """Sockets that this process holds."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += os.readlink(entry).startswith("socket:")
        except FileNotFoundError:
            continue
    return found


def _stream(client: Client, base_url: str) -> AsyncGenerator[TextDelta | Completed, None]:
    return client.stream(
        model(base_url=base_url),
        PROMPT,
        api_key=KEY,
        base_url=base_url,
        max_output_tokens=9,
        deadline_s=2_000.0,
        clock=ManualClock(now=NOW),
    )


async def test_text_in_one_piece_with_an_error_is_shown_before_it() -> None:
    """However the network cuts the stream, an error after text counts as one after text."""
    body = sse(chat_chunk("shown"), {"error": {"message": "ill", "type": "server_error"}})
    client = Client(timeouts=PATIENT, allow_loopback=True)
    async with raw_server(saying(answer(body))) as server:
        events = _stream(client, server.base_url)
        assert await anext(events) == TextDelta("shown")
        with pytest.raises(VendorError) as caught:
            await anext(events)
        await client.close()
    verdict = caught.value.verdict
    assert (verdict.kind, verdict.retry_same, verdict.maybe_billed) == (Kind.SERVER, False, True)


@pytest.mark.parametrize("how", ["left early", "cancelled in the stream", "cancelled before it"])
async def test_a_call_that_is_left_takes_its_connection_with_it(how: str) -> None:
    """Leaving or cancelling closes the connection; the pool's next call gets another."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until_left(reader)
        writer.close()

    talk = silent if how == "cancelled before it" else repeating(SHOWN, b"")
    client = Client(timeouts=PATIENT, allow_loopback=True)
    async with raw_server(talk) as server:
        for _ in range(20):
            if how == "left early":
                async with aclosing(_stream(client, server.base_url)) as events:
                    assert isinstance(await anext(events), TextDelta)
            else:
                task = asyncio.create_task(ask(base_url=server.base_url, client=client))
                while server.open == 0:
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.02)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await server.all_closed()
        await client.close()
    assert server.connections == 20


async def test_many_calls_hold_no_more_sockets_than_run_at_once() -> None:
    """After hundreds of calls, some broken, there are no more sockets than after the first few."""
    turn = iter(range(10_000))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if next(turn) % 7 == 3:
            writer.write(CHUNKED + chunk(SHOWN))
            await writer.drain()
            reset(writer)
        else:
            writer.write(answer(chat_stream()))

    async def one(client: Client, base_url: str) -> bool:
        try:
            return (await ask(base_url=base_url, client=client, left_s=600.0))[0] == TEXT
        except VendorError as error:
            return error.verdict.kind is Kind.TRUNCATED

    before = open_sockets()
    client = Client(timeouts=PATIENT, allow_loopback=True)
    async with raw_server(talk) as server:
        sequential = [await one(client, server.base_url) for _ in range(200)]
        after_one_by_one = open_sockets()
        for _ in range(8):
            assert all(await asyncio.gather(*(one(client, server.base_url) for _ in range(50))))
        await client.close()
        await server.all_closed()
    assert all(sequential)
    assert after_one_by_one - before <= 4
    for _ in range(500):  # both ends are in this process, and close in turns of the event loop
        if open_sockets() <= before:
            break
        await asyncio.sleep(0.01)
    assert open_sockets() <= before
