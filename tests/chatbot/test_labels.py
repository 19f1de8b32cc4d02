"""What taps, thumbs and "not my question" teach: labels, and words that two shoppers agree on."""

from __future__ import annotations

from typing import Any

import pytest
from offers import NEAR, STORED, asked_back, calls, labels, stored, tapped
from sockets import WAIT_S, new_cookie, opened

from cache.models import Wording
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator


async def test_second_shopper_who_agrees_teaches_the_words(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """One shopper's taps teach nothing; with a second one the words lead to the answer by themselves."""
    before = await stored(runtime)
    outcomes: list[Any] = []
    cookies = [await new_cookie(runtime) for _ in range(2)]
    for cookie in (cookies[0], cookies[0], cookies[1]):
        socket = await opened(runtime, cookie=cookie)
        await asked_back(socket, frame_id=f"q{len(outcomes)}")
        outcomes.append((await tapped(socket, 1, frame_id=f"q{len(outcomes)}"))[-1]["cache"])
        await socket.close()
    await runtime.catch_up()
    last = await opened(runtime)
    exact = (await last.ask(NEAR))[-1]
    await last.close()
    kinds = await runtime.reader.run(
        lambda: list(Wording.objects.order_by("id").values_list("text", "kind"))
    )

    assert outcomes == ["confirmed"] * 3
    assert (exact["cache"], exact["text"]) == ("exact", before["text"])
    assert kinds == [(STORED, "asked"), (NEAR, "confirmed")]
    assert calls(vendors_at_simulator) == 1


@pytest.mark.parametrize(("value", "right"), [("up", True), ("down", False)])
async def test_thumb_on_a_stored_answer_is_a_label(
    runtime: Runtime, value: str, right: bool
) -> None:
    """The newest thumb counts once; a thumb on a model's answer judges no wording."""
    await stored(runtime)
    socket = await opened(runtime)
    await socket.ask(STORED, frame_id="q1")
    await socket.ask("Which courier do you use?", frame_id="q2")
    for frame_id in ("q1", "q1", "q2"):
        await socket.send("feedback", id=frame_id, value=value)
    await socket.settled()
    await socket.close()

    assert await runtime.reader.run(labels) == [("thumb", right)]


async def test_asking_past_the_cache_is_a_label(runtime: Runtime) -> None:
    """Under a stored answer "not my question" says that it was wrong; it is never asked back."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    await tapped(socket, 1)
    await socket.send("retry", id="q2", of="q1")
    again = await socket.until("answer", frame_id="q2")
    await socket.close()

    assert "confirm" not in {frame["type"] for frame in again}
    assert await runtime.reader.run(labels) == [("confirm", True), ("retry", False)]
    assert await runtime.supervisor.drain(timeout_s=WAIT_S) == 0
