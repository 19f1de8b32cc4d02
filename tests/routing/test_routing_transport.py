"""Claims about calls over real sockets: what is no connection, and what is one that broke."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from routing.client import Client, Timeouts
from routing.errors import Kind
from tests.routing.calling import PATIENT, ask, failure_of
from tests.routing.helpers import TEXT, chat_stream
from tests.routing.raw_servers import (
    CHUNKED,
    SHOWN,
    Talk,
    answer,
    certificates,
    chunk,
    raw_server,
    resetting,
    saying,
)

SOON = Timeouts(connect_s=0.1, first_content_s=0.3, idle_s=0.3, ending_s=0.1)


async def _never(host: str, port: int) -> list[str]:
    await asyncio.Event().wait()
    raise AssertionError


async def _unknown(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("lookup", [_never, _unknown], ids=["name server hangs", "unknown name"])
async def test_a_name_that_leads_nowhere_is_no_connection(
    lookup: Callable[[str, int], Awaitable[list[str]]],
) -> None:
    """Neither a name server that hangs nor a name that does not exist reached the vendor."""
    client = Client(timeouts=SOON, lookup=lookup)
    error = await failure_of(client=client, base_url="https://vendor.invalid/v1")
    await client.close()
    assert (error.verdict.kind, error.verdict.maybe_billed) == (Kind.CONNECT, False)


async def test_a_connection_that_is_not_accepted_ends_at_the_connect_timeout() -> None:
    """With a full queue of connections the call ends long before the time for the first content."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        base_url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        patient = Timeouts(connect_s=0.1, first_content_s=600.0)
        error = await failure_of(base_url=base_url, timeouts=patient, left_s=600.0)
        for each in waiting:
            each.close()
    assert error.verdict.kind is Kind.CONNECT


async def test_a_tls_handshake_that_hangs_is_no_connection() -> None:
    """The connect timeout covers TLS too."""
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
    error = await failure_of(base_url=base_url, timeouts=SOON)
    listener.close()
    assert error.verdict.kind is Kind.CONNECT


async def test_a_server_that_speaks_no_tls_is_no_connection() -> None:
    """A plain server at an https address is told from one that broke off."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure_of(base_url=f"https://127.0.0.1:{port}/v1")
    assert error.verdict.kind is Kind.CONNECT


@pytest.mark.parametrize(
    ("certified", "passes"), [("vendor.example", True), ("other.example", False)]
)
async def test_tls_verifies_the_name_though_the_address_is_pinned(
    tmp_path: Path, certified: str, passes: bool
) -> None:
    """The certificate must be for the host's name, not for the address that was connected to."""
    made = certificates(tmp_path, name=certified)
    async with raw_server(saying(answer(chat_stream())), tls=made.server) as server:
        client = Client(timeouts=PATIENT, allow_loopback=True, tls=made.client, lookup=_loopback)
        base_url = f"https://vendor.example:{server.port}/v1"
        if passes:
            assert (await ask(base_url=base_url, client=client))[0] == TEXT
        else:
            error = await failure_of(base_url=base_url, client=client)
            assert error.verdict.kind is Kind.CONNECT
            assert not server.requests
        await client.close()


async def _loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def test_an_unknown_authority_is_no_connection(tmp_path: Path) -> None:
    """A certificate that nobody vouches for gets no request."""
    made = certificates(tmp_path, name="vendor.example")
    async with raw_server(saying(answer(chat_stream())), tls=made.server) as server:
        client = Client(timeouts=PATIENT, allow_loopback=True, lookup=_loopback)
        base_url = f"https://vendor.example:{server.port}/v1"
        error = await failure_of(base_url=base_url, client=client)
        await client.close()
    assert error.verdict.kind is Kind.CONNECT
    assert not server.requests


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (resetting(b""), Kind.RESET),
        (saying(b"", then_close=True), Kind.RESET),
        (saying(b"HTTP/1.1 200 O", then_close=True), Kind.RESET),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", then_close=True), Kind.RESET),
        (resetting(CHUNKED + chunk(SHOWN)), Kind.TRUNCATED),
        (resetting(CHUNKED + chunk(b": on\n\n")), Kind.RESET),
        (saying(CHUNKED + chunk(SHOWN), then_close=True), Kind.TRUNCATED),
        (saying(CHUNKED + chunk(SHOWN) + b"ff\r\nhalf", then_close=True), Kind.TRUNCATED),
        (saying(CHUNKED + chunk(b": on\n\n"), then_close=True), Kind.RESET),
        (saying(CHUNKED + b"no length\r\n", then_close=True), Kind.RESET),
    ],
    ids=[
        "reset before the answer",
        "end before the answer",
        "end within the head",
        "another protocol",
        "reset after text",
        "reset before text",
        "cut after text",
        "cut within a chunk",
        "cut before text",
        "bad chunk",
    ],
)
async def test_a_connection_that_breaks_may_have_been_billed(talk: Talk, kind: Kind) -> None:
    """Once the request is out, an end of the connection is told from a failure to connect."""
    async with raw_server(talk) as server:
        error = await failure_of(base_url=server.base_url)
    assert (error.verdict.kind, error.verdict.maybe_billed) == (kind, True)
    assert len(server.requests) == 1


async def test_nothing_is_sent_a_second_time() -> None:
    """A kept connection that breaks under the next request is an error, not a silent repetition."""
    told = iter([answer(chat_stream()), b""])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = next(told)
        writer.write(data)
        if not data:
            writer.close()

    client = Client(timeouts=PATIENT, allow_loopback=True)
    async with raw_server(talk) as server:
        await ask(base_url=server.base_url, client=client)
        error = await failure_of(base_url=server.base_url, client=client)
        await client.close()
    assert (error.verdict.kind, len(server.requests)) == (Kind.RESET, 2)
    assert server.connections == 1


async def test_a_connection_closed_between_calls_costs_nothing() -> None:
    """A kept connection that the vendor closed meanwhile is replaced, without an error."""
    client = Client(timeouts=PATIENT, allow_loopback=True)
    async with raw_server(saying(answer(chat_stream()), then_close=True)) as server:
        for _ in range(3):
            assert (await ask(base_url=server.base_url, client=client))[0] == TEXT
            await server.all_closed()
            await asyncio.sleep(0.01)
        await client.close()
    assert server.connections == 3
