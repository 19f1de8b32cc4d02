"""Claims about keys: whatever a vendor does with one, nobody here gets to read it."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import pytest
from django.test import Client as Browser
from django.urls import reverse

from routing.errors import Exhausted
from routing.models import Call, Endpoint, Model
from routing.snapshot import Access
from routing.specs import VendorKind
from routing.vendors import vendor_for
from tests.routing.calling import ask, failure_of
from tests.routing.helpers import KEY, PROMPT, model
from tests.routing.raw_servers import CHUNKED, Talk, answer, chunk, raw_server, resetting, saying
from tests.routing.world import World, calls

ECHO = json.dumps(
    {"error": {"message": f"key {KEY} is wrong", "code": KEY, "type": KEY, "status": KEY}}
).encode()
ECHOED_HEADERS = f"X-Request-Id: {KEY}\r\nRequest-Id: {KEY}\r\nRetry-After: {KEY}\r\n"
IN_STREAM = CHUNKED + chunk(b"data: " + ECHO + b"\n\n") + b"0\r\n\r\n"
VENDORS: dict[str, Talk] = {
    "refuses and echoes": saying(
        answer(ECHO, status="401 Unauthorized", headers=ECHOED_HEADERS), then_close=True
    ),
    "misses a parameter": saying(answer(ECHO, status="400 Bad", headers=ECHOED_HEADERS)),
    "is overloaded": saying(answer(ECHO, status="503 Busy", headers=ECHOED_HEADERS)),
    "breaks off": resetting(b""),
    "talks nonsense": saying(KEY.encode() + b"\r\n\r\n", then_close=True),
    "redirects": saying(answer(ECHO, status="302 Found", headers=f"Location: /{KEY}\r\n")),
    "echoes in the stream": saying(IN_STREAM),
    "breaks off in the stream": resetting(CHUNKED + chunk(f"data: {KEY}".encode())),
}
Logs = pytest.LogCaptureFixture


@pytest.fixture(autouse=True)
def _every_logger_talks(caplog: Logs) -> None:
    """Also the HTTP libraries', at their most talkative."""
    for name in ("", "httpx", "aiohttp", "aiohttp.client", "asyncio", "routing"):
        caplog.set_level(logging.DEBUG, logger=name)
    # It logs a traceback for every variable that a template leaves out.
    caplog.set_level(logging.INFO, logger="django.template")


@pytest.mark.parametrize("kind", VendorKind)
@pytest.mark.parametrize("talk", VENDORS.values(), ids=VENDORS.keys())
async def test_no_error_and_no_log_line_shows_the_key(
    talk: Talk, kind: VendorKind, caplog: Logs
) -> None:
    """Whatever comes back, message, fields, exception chain and every logger are free of the key."""
    async with raw_server(talk) as server:
        error = await failure_of(base_url=server.base_url, kind=kind)
        assert any(KEY.encode() in request for request in server.requests)
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert KEY not in told
    assert KEY not in caplog.text


async def test_an_answer_logs_no_key(caplog: Logs) -> None:
    """A call that succeeds is logged without what authorised it."""
    body = {"choices": [{"message": {"content": "3 days"}, "finish_reason": "stop"}]}
    told = answer(json.dumps(body).encode(), headers=f"X-Request-Id: {KEY}\r\n")
    async with raw_server(saying(told)) as server:
        _, reply = await ask(base_url=server.base_url)
    assert (reply.text, reply.request_id) == ("3 days", "[key]")
    assert caplog.records
    assert KEY not in caplog.text


async def test_no_connection_tells_no_key(caplog: Logs) -> None:
    """A refused address and a port where nobody listens say where, not with what."""
    for base_url in ("http://127.0.0.1:9/v1", "http://10.0.0.1/v1"):
        error = await failure_of(base_url=base_url)
        assert KEY not in "".join(traceback.format_exception(error)) + caplog.text


@pytest.mark.parametrize("kind", VendorKind)
def test_what_holds_a_key_does_not_show_it(kind: VendorKind) -> None:
    """The repr of an access and of a built request are safe to log."""
    base_url = "https://api.openai.com/v1"
    request = vendor_for(kind).build(
        model(kind),
        PROMPT,
        api_key=KEY,
        base_url=base_url,
        max_output_tokens=9,
        stream=True,
        end_user="",
    )
    assert KEY in repr(dict(request.headers))
    assert KEY not in repr(request) + request.url + request.body.decode()
    assert KEY not in repr(Access(KEY, base_url))


def _endpoint_row() -> None:
    row = Endpoint.objects.create(
        key="openai",
        name="OpenAI",
        kind=VendorKind.CHAT_COMPLETIONS,
        base_url="https://api.openai.com/v1",
        base_url_env="OPENAI_BASE_URL",
        key_env="OPENAI_API_KEY",
    )
    Model.objects.create(endpoint=row, name="m-1")


def _pages(browser: Browser) -> str:
    names = ("routing_endpoint", "routing_call", "routing_model")
    pages = [browser.get(reverse(f"admin:{name}_changelist")) for name in names]
    for name, rows in (("routing_endpoint", Endpoint), ("routing_call", Call)):
        pages += [
            browser.get(reverse(f"admin:{name}_change", args=[row.pk]))
            for row in rows.objects.all()
        ]
    assert all(page.status_code == 200 for page in pages)
    return "".join(page.content.decode() for page in pages)


async def test_neither_ledger_nor_admin_shows_the_key(
    world: World,
    admin_client: Browser,
    caplog: Logs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After calls of every bad kind the rows, the admin's pages and the logs are free of the key."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for talk in VENDORS.values():
        async with raw_server(talk) as server:
            target = model(base_url=server.base_url, name=f"m-{server.port}")
            with pytest.raises(Exhausted) as caught:
                await world.ask(target)
        assert KEY not in str(caught.value)
    rows = [vars(row) for row in await calls()]
    await asyncio.to_thread(_endpoint_row)
    pages = await asyncio.to_thread(_pages, admin_client)
    assert len(rows) >= len(VENDORS)
    assert KEY not in repr(rows)
    assert "OPENAI_API_KEY" in pages
    assert KEY not in pages
    assert KEY not in caplog.text
