"""Calls the application without a socket, so that every step of an exchange is repeatable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


def call(app: App, path: str, **request: Any) -> Answer:
    """`call_async` from code without an event loop."""
    return asyncio.run(call_async(app, path, **request))
