"""The server's end of the chat websocket, played by a test.

The peer greets (`ready`), answers `resume` and `history` from its own list of durable frames, and
leaves everything else to the test: `Talk.heard` waits for a frame of the browser, `Talk.push` and
`Talk.record` send frames, `Talk.drop` cuts the line."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Frame = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

WAIT_S = 10.0


class Talk:
    """One conversation and the remote control of its websocket. All methods may be called from the
    test's thread."""

    def __init__(self, name: str, *, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.mode = "live"
        self.page_size = 50
        self.latest_first = False
        self.closed_door = False
        self.frames: list[Frame] = []
        self.received: list[Frame] = []
        self._loop = loop
        self._news = threading.Condition()
        self._queues: set[asyncio.Queue[Frame]] = set()

    def heard(self, kind: str, count: int = 1) -> Frame:
        """The `count`-th frame of a kind from the browser, waited for; AssertionError if it does
        not come."""

        def found() -> list[Frame]:
            return [frame for frame in self.received if frame["type"] == kind]

        with self._news:
            assert self._news.wait_for(lambda: len(found()) >= count, WAIT_S), (kind, self.received)
            return found()[count - 1]

    def sent(self, kind: str) -> list[Frame]:
        """What the browser has sent of one kind so far."""
        with self._news:
            return [frame for frame in self.received if frame["type"] == kind]

    def push(self, kind: str, **fields: Any) -> None:
        """Sends one passing frame to every open socket."""
        self._put({"type": kind, **fields})

    def record(self, kind: str, *, send: bool = True, **fields: Any) -> int:
        """Gives a durable frame the next seq, keeps it, and sends it unless `send` is false;
        returns the seq."""
        frame = {"type": kind, "seq": len(self.frames) + 1, **fields}
        self.frames.append(frame)
        if send:
            self._put(frame)
        return int(frame["seq"])

    def accept(self, ask: Frame, *, send: bool = True) -> None:
        """Accepts a question as the server does: durable, with its text and time."""
        self.record(
            "accepted", send=send, id=ask["id"], text=ask["text"], at="2026-11-10T06:30:00+00:00"
        )

    def answer(self, ask: Frame, text: str, **fields: Any) -> int:
        """Ends a question with an answer; the fields default to a fresh answer of a model."""
        fresh: Frame = {
            "origin": "model",
            "cache": "miss",
            "model": "deepseek-chat",
            "cosine": None,
            "sources": [],
        }
        return self.record("answer", **{"id": ask["id"], "text": text, **fresh, **fields})

    def drop(self, code: int = 1006) -> None:
        """Closes every open socket with a code (1006 stands for a cut without one)."""
        self._put({"type": "#close", "code": code})

    def _put(self, frame: Frame) -> None:
        def put() -> None:
            for queue in self._queues:
                queue.put_nowait(frame)

        self._loop.call_soon_threadsafe(put)

    async def serve(self, receive: Receive, send: Send) -> None:
        """Plays the peer on one socket until either side closes it."""
        await receive()
        if self.closed_door:
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[Frame] = asyncio.Queue()
        self._queues.add(queue)
        queue.put_nowait(
            {"type": "ready", "conversation": self.name, "seq": len(self.frames), "mode": self.mode}
        )
        reader = asyncio.create_task(self._read(receive, queue))
        try:
            while (frame := await queue.get())["type"] != "#close":
                await send({"type": "websocket.send", "text": json.dumps(frame)})
            if not reader.done():
                await send(
                    {
                        "type": "websocket.close",
                        "code": 1011 if frame["code"] == 1006 else frame["code"],
                    }
                )
        finally:
            self._queues.discard(queue)
            reader.cancel()

    async def _read(self, receive: Receive, queue: asyncio.Queue[Frame]) -> None:
        while (event := await receive())["type"] == "websocket.receive":
            frame = json.loads(event["text"])
            if frame["type"] in ("resume", "history"):
                queue.put_nowait(self._page(frame))
            with self._news:
                self.received.append(frame)
                self._news.notify_all()
        queue.put_nowait({"type": "#close", "code": 1000})

    def _page(self, frame: Frame) -> Frame:
        if frame["type"] == "history":
            older = [old for old in self.frames if old["seq"] < frame["before"]]
            return {
                "type": "resumed",
                "frames": older[-self.page_size :],
                "more": len(older) > self.page_size,
            }
        newer = [new for new in self.frames if new["seq"] > frame["after"]]
        if self.latest_first and frame["after"] == 0:
            return {"type": "resumed", "frames": newer[-self.page_size :], "more": False}
        return {
            "type": "resumed",
            "frames": newer[: self.page_size],
            "more": len(newer) > self.page_size,
        }
