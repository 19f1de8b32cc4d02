"""A client of the websocket protocol: asks questions as shoppers do and waits for their ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from base.ids import new_uuid

GIVE_UP_S = 90.0
TERMINAL = ("answer", "handoff", "error")
Option = dict[str, Any]
# Which of the offered questions was meant, by the text that was asked: an `option`, or None for none of them.
Choose = Callable[[str, Sequence[Option]], Any]


def none_of_them(text: str, options: Sequence[Option]) -> None:
    """A shopper who wants the question answered as it was written."""


def the_first(text: str, options: Sequence[Option]) -> Any:
    """A shopper who takes whatever is nearest."""
    return options[0]["option"]


CHOOSE: Mapping[str, Choose] = {"none": none_of_them, "first": the_first}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one question ended. `outcome` is the cache outcome of an answer, else the frame or `lost`."""

    i: int
    text: str
    accepted: bool
    outcome: str
    origin: str
    answer_id: int | None
    wording_id: int | None
    cosine: float | None
    tier: str | None
    model: str | None
    ms: int

    def as_row(self) -> dict[str, Any]:
        """The row that `--json` prints."""
        names = (
            "i",
            "text",
            "outcome",
            "origin",
            "answer_id",
            "wording_id",
            "cosine",
            "tier",
            "model",
            "ms",
        )
        return {name: getattr(self, name) for name in names}


async def play(
    texts: Sequence[str],
    *,
    url: str,
    sessions: int,
    rate_per_s: float,
    choose: Choose = none_of_them,
) -> list[Ended]:
    """Ask every text in order, `sessions` at once, each as a new shopper; results in order."""
    results: list[Ended | None] = [None] * len(texts)
    waiting = iter(enumerate(texts))
    started_s = asyncio.get_running_loop().time()

    async def worker() -> None:
        for i, text in waiting:
            if rate_per_s > 0:
                due_s = started_s + i / rate_per_s
                await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
            results[i] = await ask_once(i, text, url=url, choose=choose)

    await asyncio.gather(*(worker() for _ in range(sessions)))
    return [result for result in results if result is not None]


async def ask_once(i: int, text: str, *, url: str, choose: Choose = none_of_them) -> Ended:
    """One new shopper, one question. A broken connection counts as `lost`."""
    accepted, frame, ms = await ask_for_frame(text, url=url, choose=choose)
    return _ended(i, text, accepted=accepted, frame=frame, ms=ms)


async def ask_for_frame(
    text: str, *, url: str, choose: Choose = none_of_them
) -> tuple[bool, dict[str, Any], int]:
    """Ask as a new shopper: whether it was accepted, the terminal frame, and milliseconds in all."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    origin = Origin(f"{parts.scheme}://{parts.netloc}")
    begun_s = asyncio.get_running_loop().time()
    frame_id, accepted = new_uuid(), False
    frame: dict[str, Any] = {"type": "lost"}
    try:
        async with (
            asyncio.timeout(GIVE_UP_S),
            connect(f"{scheme}://{parts.netloc}/ws/chat/", origin=origin) as socket,
        ):
            await socket.send(json.dumps({"type": "ask", "id": frame_id, "text": text}))
            accepted, frame = await _until_end(socket, frame_id, text=text, choose=choose)
    except (WebSocketException, OSError, TimeoutError):
        frame = {"type": "lost"}
    return accepted, frame, round((asyncio.get_running_loop().time() - begun_s) * 1000)


async def _until_end(
    socket: ClientConnection, frame_id: str, *, text: str, choose: Choose
) -> tuple[bool, dict[str, Any]]:
    accepted = False
    async for message in socket:
        frame = json.loads(message)
        if frame.get("id") != frame_id:
            continue
        accepted = accepted or frame["type"] == "accepted"
        if frame["type"] == "confirm":
            option = choose(text, frame["options"])
            await socket.send(json.dumps({"type": "choose", "id": frame_id, "option": option}))
        if frame["type"] in TERMINAL:
            return accepted, frame
    return accepted, {"type": "lost"}


def _ended(i: int, text: str, *, accepted: bool, frame: dict[str, Any], ms: int) -> Ended:
    outcome = frame["cache"] if frame["type"] == "answer" else frame.get("code") or frame["type"]
    return Ended(
        i=i,
        text=text,
        accepted=accepted,
        outcome=str(outcome),
        origin=str(frame.get("origin", frame["type"])),
        answer_id=frame.get("answer_id"),
        wording_id=frame.get("wording_id"),
        cosine=frame.get("cosine"),
        tier=frame.get("tier"),
        model=frame.get("model"),
        ms=ms,
    )
