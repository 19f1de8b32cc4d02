"""Claims about one call over real sockets, and about the secrecy of its key."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from routing.errors import ConfigurationError, Kind
from routing.specs import VendorKind
from tests.routing.calling import Handler, answering, ask, failure_of
from tests.routing.helpers import (
    KEY,
    TEXT,
    chat_chunk,
    chat_stream,
    sse,
)

KINDS = list(VendorKind)


async def _echo_key(request: httpx.Request) -> httpx.Response:
    body = json.dumps({"error": {"message": f"bad key {KEY}", "code": "x"}}).encode()
    return await answering(401, body)(request)


async def _refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("handler", [_echo_key, _refuse_connection])
async def test_no_error_holds_the_key(kind: VendorKind, handler: Handler) -> None:
    """Neither message, repr nor the whole chain of exceptions shows the key, even if echoed."""
    error = await failure_of(handler, kind=kind)
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)
    assert KEY not in told
    assert error.__context__ is None


@pytest.mark.parametrize("api_key", ["", "sk-canary\n", "sk canary", "ключ"])
async def test_a_key_that_cannot_be_sent_is_refused_unseen(api_key: str) -> None:
    """A key with line ends or foreign signs is a configuration error that does not show it."""
    with pytest.raises(ConfigurationError) as caught:
        await ask(answering(200, b""), api_key=api_key)
    assert "OPENAI_API_KEY" in str(caught.value)
    assert not api_key or api_key not in str(caught.value)


@asynccontextmanager
async def _raw_server(
    talk: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server that reads one request and lets `talk` write the answer, byte for byte."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        await talk(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def test_a_real_answer_cut_into_single_bytes_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over a real socket, chunk by chunk of one byte, past a proxy that the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in chat_stream():
            writer.write(b"1\r\n" + bytes([byte]) + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async with _raw_server(talk) as base_url:
        assert (await ask(None, base_url=base_url))[0] == TEXT


@pytest.mark.parametrize("shown", [True, False])
async def test_a_real_reset_is_a_broken_answer(shown: bool) -> None:
    """A peer that resets the connection half-way gives the verdict of what was shown."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        data = sse(chat_chunk("shown")) if shown else b": on\n\n"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + data)
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async with _raw_server(talk) as base_url:
        error = await failure_of(None, base_url=base_url)
    assert error.verdict.kind is (Kind.TRUNCATED if shown else Kind.RESET)


async def test_a_closed_port_is_a_failed_connection() -> None:
    """Nothing listening means that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        assert (await failure_of(None, base_url=base_url)).verdict.kind is Kind.CONNECT
