"""Calls the application without a socket, so that every step of an exchange is repeatable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.arrivals import Filter
from simulator.catalog import VENDORS
from simulator.faults import parse
from simulator.server import App
from simulator.wire import Message


@dataclass(slots=True)
class Answer:
    """What came back: `blocks` are the body's parts as sent, `ended` says the body was closed."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    blocks: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.blocks)

    def json(self) -> Any:
        """The body as JSON; raises ValueError if it is none."""
        return json.loads(self.body)


async def call_async(
    app: App,
    path: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
    leave_after: int | None = None,
) -> Answer:
    """One request: POST if there is a body (bytes or a JSON value), else GET.

    With `leave_after` the client goes away once that many parts of the body have come.
    """
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    answer, left, asked = Answer(), asyncio.Event(), [data]
    if leave_after == 0:
        left.set()
    plain_path, _, query = path.partition("?")

    async def receive() -> Message:
        if asked:
            return {"type": "http.request", "body": asked.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        answer.blocks.append(message["body"])
        answer.ended = not message["more_body"]
        if leave_after is not None and len(answer.blocks) >= leave_after:
            left.set()
            await asyncio.sleep(0)

    scope = {
        "type": "http",
        "method": method or ("GET" if body is None else "POST"),
        "path": plain_path,
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
    }
    await app(scope, receive, send)
    return answer


def vendor_request(
    vendor: str,
    *,
    model: str,
    question: str,
    system: str = "",
    max_tokens: int = 400,
    stream: bool = False,
    key: str = "key-1",
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Path, body and headers of a plain question in the vendor's own protocol."""
    protocol = VENDORS[vendor].protocol
    turn = {"role": "user", "content": question}
    if protocol == "anthropic":
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
        body: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "messages": [turn]}
        body |= {"system": system, "stream": stream}
        return f"/{vendor}/v1/messages", body, headers
    if protocol == "gemini":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": question}]}]}
        body["systemInstruction"] = {"parts": [{"text": system}]}
        thinking = {"thinkingBudget": 0}
        body["generationConfig"] = {"maxOutputTokens": max_tokens, "thinkingConfig": thinking}
        return f"/{vendor}/v1beta/models/{model}:{verb}", body, {"x-goog-api-key": key}
    messages = [{"role": "system", "content": system}, turn]
    body = {"model": model, "messages": messages, "max_tokens": max_tokens, "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    return f"/{vendor}/v1/chat/completions", body, {"authorization": f"Bearer {key}"}


async def ask_async(
    app: App, vendor: str, *, leave_after: int | None = None, **request: Any
) -> Answer:
    """Ask a plain question (see `vendor_request`) without a socket."""
    path, body, headers = vendor_request(vendor, **request)
    return await call_async(app, path, body=body, headers=headers, leave_after=leave_after)


def ask(app: App, vendor: str, **request: Any) -> Answer:
    """`ask_async` from code without an event loop."""
    return asyncio.run(ask_async(app, vendor, **request))


def call(app: App, path: str, **request: Any) -> Answer:
    """`call_async` from code without an event loop."""
    return asyncio.run(call_async(app, path, **request))


def order(app: App, name: str, **fields: Any) -> None:
    """Put a fault in force from now on; fields as in `faults.parse`, raises FaultError."""
    clock = app.simulator.clock
    fault = parse({"name": name} | fields, now_ns=clock.monotonic_ns(), now=clock.now())
    app.simulator.faults.add(fault)


def heal(app: App, name: str | None = None) -> int:
    """Lift the faults of a name, or all; returns how many."""
    return app.simulator.faults.remove(name)


def arrivals(app: App, **wanted: Any) -> list[dict[str, Any]]:
    """Calls in the order they arrived; fields as in `arrivals.Filter`."""
    return list(app.simulator.arrivals.calls(Filter(**wanted))["calls"])
