"""Shoppers over real websockets, as the page is one: they come back, catch up by `seq`, and go on.

What a shopper has not seen accepted goes out again with the same id after every reconnect. Everything
durable that a shopper is shown is kept, to be compared with the rows afterwards.
"""

from __future__ import annotations

import asyncio
import http.cookies
import json
import random
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from base.ids import new_uuid

TERMINAL = ("answer", "handoff", "error")
LONGEST_PAUSE_S = 2.0
GIVE_UP_S = 120.0
RESTARTING = 1012

Frame = dict[str, Any]


@dataclass(slots=True)
class Asked:
    """One question as its shopper saw it; times are the event loop's, in seconds."""

    client_id: str
    text: str
    gives_up_s: float
    sent: int = 0
    accepted_s: float | None = None
    ended_s: float | None = None
    end: Frame | None = None


@dataclass(slots=True)
class Shopper:
    """One page. `frames` are the durable frames by seq; `faults` names what must never happen."""

    url: str
    random: random.Random
    cookie: str = ""
    frames: dict[int, Frame] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    conversation: str = ""

    async def arrive(self) -> None:
        """Open the page: it gives the cookie that makes one shopper of all these connections."""
        self.cookie = await asyncio.to_thread(_cookie, self.url)

    async def ask_all(self, texts: Iterable[str], *, think_s: float = 0.0) -> None:
        """Ask one text after the other, each until it has ended, over as many connections as it takes.

        Raises TimeoutError when a question does not end within GIVE_UP_S.
        """
        waiting, attempt = iter(texts), 0
        asked = self._next(waiting)
        while asked is not None:
            try:
                async with self._connected() as socket:
                    attempt = 0
                    while asked is not None:
                        async with asyncio.timeout_at(asked.gives_up_s):
                            await self._settle(asked, socket)
                        await asyncio.sleep(think_s * self.random.random())
                        asked = self._next(waiting)
            except (WebSocketException, OSError) as error:
                if isinstance(error, TimeoutError):
                    raise
                pause_s = min(LONGEST_PAUSE_S, 0.2 * 2**attempt)
                await asyncio.sleep(pause_s * (0.5 + self.random.random() / 2))
                attempt += 1

    def _next(self, waiting: Iterator[str]) -> Asked | None:
        text = next(waiting, None)
        if text is None:
            return None
        gives_up_s = asyncio.get_running_loop().time() + GIVE_UP_S
        self.asked.append(Asked(client_id=new_uuid(), text=text, gives_up_s=gives_up_s))
        return self.asked[-1]

    async def catch_up(self) -> None:
        """Connect once more and fetch what was missed."""
        async with self._connected():
            pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        parts = urlsplit(self.url)
        async with connect(
            f"ws://{parts.netloc}/ws/chat/",
            origin=Origin(self.url),
            additional_headers={"Cookie": self.cookie},
            open_timeout=20,
            close_timeout=2,
        ) as socket:
            try:
                await self._catch_up(socket)
                yield socket
            finally:
                if socket.close_code is not None:
                    self.closed.append(socket.close_code)

    async def _catch_up(self, socket: ClientConnection) -> None:
        ready = json.loads(await socket.recv())
        if self.conversation not in ("", ready["conversation"]):
            self.faults.append("another conversation")
        self.conversation = ready["conversation"]
        more = True
        while more:
            await socket.send(json.dumps({"type": "resume", "after": len(self.frames)}))
            more = await self._resumed(socket)

    async def _resumed(self, socket: ClientConnection) -> bool:
        held = []
        while (frame := json.loads(await socket.recv()))["type"] != "resumed":
            if "seq" in frame and frame["type"] != "ready":
                held.append(frame)
        for durable in [*frame["frames"], *held]:
            self._note(durable)
        return bool(frame["more"])

    async def _settle(self, asked: Asked, socket: ClientConnection) -> None:
        """Send the question if it was not accepted, and see it to its end."""
        self._look_for(asked)
        if asked.accepted_s is None:
            await self._send(asked, socket)
        for known in list(self.frames.values()):
            if known["type"] == "confirm" and known["id"] == asked.client_id and asked.end is None:
                await self._none_of_these(known, socket)  # a repetition changes nothing
        while asked.end is None:
            frame = json.loads(await socket.recv())
            if "seq" in frame:
                self._note(frame)
                self._look_for(asked)
                if frame["type"] == "confirm":
                    await self._none_of_these(frame, socket)
            elif frame["type"] == "error" and frame["id"] in (asked.client_id, None):
                await asyncio.sleep(frame["retry_after_s"] or 0.5)
                await self._send(asked, socket)

    async def _send(self, asked: Asked, socket: ClientConnection) -> None:
        asked.sent += 1
        order = {"type": "ask", "id": asked.client_id, "text": asked.text}
        await socket.send(json.dumps(order))

    async def _none_of_these(self, frame: Frame, socket: ClientConnection) -> None:
        order = {"type": "choose", "id": frame["id"], "option": None}
        await socket.send(json.dumps(order))

    def _note(self, frame: Frame) -> None:
        """Keep a durable frame; one that does not fit what was seen is a fault."""
        seq = frame["seq"]
        if seq in self.frames and self.frames[seq] != frame:
            self.faults.append(f"seq {seq} came with two contents")
        elif seq > len(self.frames) + 1:
            self.faults.append(f"seq {seq} came after {len(self.frames)}")
        self.frames[seq] = frame

    def _look_for(self, asked: Asked) -> None:
        """Take over from the frames what they say about a question."""
        now_s = asyncio.get_running_loop().time()
        for frame in self.frames.values():
            if frame.get("id") != asked.client_id:
                continue
            if frame["type"] == "accepted" and asked.accepted_s is None:
                asked.accepted_s = now_s
            elif frame["type"] in TERMINAL and asked.end is None:
                asked.end, asked.ended_s = frame, now_s


def _cookie(url: str) -> str:
    with urllib.request.urlopen(f"{url}/", timeout=30) as answer:
        jar = http.cookies.SimpleCookie(answer.headers["Set-Cookie"])
    return f"shopper={jar['shopper'].value}"
