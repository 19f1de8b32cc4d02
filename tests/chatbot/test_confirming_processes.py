"""An offer whose process died, or whose tap reaches another process: the row decides, one end is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from sockets import Frame, Socket, close_all, new_cookie, opened
from supervised import terminal_frames

from chatbot import confirmations
from chatbot.models import Confirmation, Question
from chatbot.recovery import recover
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator

STORED = "What does shipping cost?"
NEAR = "What is the price of delivery?"


@pytest.fixture
async def other(runtime: Runtime) -> AsyncIterator[Runtime]:
    """Another process on the same rows."""
    running = Runtime(embedder=runtime.embedder)
    await running.start(take_up_open_questions=False)
    yield running
    await running.stop()


async def asked_back(runtime: Runtime, cookie: str) -> Socket:
    """A socket whose question "q1" waits for a tap."""
    first = await opened(runtime)
    await first.ask(STORED)
    await first.close()
    socket = await opened(runtime, cookie=cookie)
    await socket.send("ask", id="q1", text=NEAR)
    await socket.until("confirm")
    return socket


def ends(frames: list[str]) -> int:
    """How many questions ended."""
    return sum(kind in ("answer", "error") for kind in frames)


def question() -> Question:
    """The row of the near question."""
    return Question.objects.select_related("confirmation").get(text=NEAR)


async def test_tap_in_another_process_is_answered_there(
    runtime: Runtime, other: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The shopper came back elsewhere and taps: the answer appears there, once, without a model."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    await other.catch_up()
    there = await opened(other, cookie=cookie)
    await there.send("choose", id="q1", option=1)
    end = await there.until("answer", "error")
    assert await runtime.supervisor.drain(timeout_s=30) == 0
    await close_all(here, there)

    assert (end[-1]["cache"], end[-1]["origin"]) == ("confirmed", "cache")
    assert ends(await runtime.reader.run(terminal_frames)) == 2
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


async def test_new_question_in_another_process_settles_the_offer(
    runtime: Runtime, other: Runtime
) -> None:
    """Who asks something new elsewhere gets both answers there."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    there = await opened(other, cookie=cookie)
    await there.send("ask", id="q2", text="Which courier do you use?")
    frames: list[Frame] = []
    while sum(frame["type"] == "answer" for frame in frames) < 2:
        frames.append(await there.receive())
    assert await runtime.supervisor.drain(timeout_s=30) == 0
    await close_all(here, there)

    assert {frame["id"] for frame in frames if frame["type"] == "answer"} == {"q1", "q2"}
    assert ends(await runtime.reader.run(terminal_frames)) == 3


async def test_settled_row_wakes_the_process_that_waits(runtime: Runtime) -> None:
    """A choice that only reached the rows is noticed by the process that holds the question."""
    socket = await asked_back(runtime, await new_cookie(runtime))
    row = await runtime.reader.run(question)
    await runtime.writer.run(
        partial(
            confirmations.settle,
            row.id,
            chosen=1,
            by=Confirmation.TAP,
            now=runtime.clock.now(),
        )
    )
    end = await socket.until("answer", "error")
    await socket.close()
    assert end[-1]["cache"] == "confirmed"


async def test_question_outlives_the_process_that_waits_for_the_tap(
    runtime: Runtime, other: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The process dies while the offer stands: the next one goes on as "none of these", with the whole time."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    waiting = await runtime.reader.run(question)
    await runtime.supervisor.hand_back()
    there = await opened(other, cookie=cookie)
    assert await recover(other) == 1
    end = await there.until("answer", "error")
    await there.send("choose", id="q1", option=1)
    late = await there.receive()
    await close_all(here, there)
    row = await runtime.reader.run(question)

    assert waiting.state == "confirming"
    assert (end[-1]["cache"], end[-1]["origin"]) == ("miss", "model")
    assert (late["type"], late["code"]) == ("error", "conflict")
    assert (row.state, row.confirmation.settled_by) == ("answered", "lost")
    assert row.deadline_at - row.confirmation.settled_at == timedelta(seconds=30)


async def test_stop_in_another_process_ends_the_waiting(
    runtime: Runtime, other: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A question stopped elsewhere is given up by the process that waits, and no model is called for it."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    there = await opened(other, cookie=cookie)
    await there.send("stop", id="q1")
    end = (await there.until("answer", "error"))[-1]
    assert await runtime.supervisor.drain(timeout_s=30) == 0
    await close_all(here, there)

    assert end["stopped"]
    assert ends(await runtime.reader.run(terminal_frames)) == 2
    assert vendors_at_simulator.bill()["totals"]["requests"] == 1


async def test_tap_reaches_a_question_without_a_process(runtime: Runtime, other: Runtime) -> None:
    """Between a process's death and its discovery a tap is answered at once."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    await runtime.supervisor.hand_back()
    await other.catch_up()
    there = await opened(other, cookie=cookie)
    await there.send("choose", id="q1", option=1)
    end = await there.until("answer", "error")
    await close_all(here, there)

    assert end[-1]["cache"] == "confirmed"
    assert await recover(other) == 0


async def test_choice_outlives_its_process(
    runtime: Runtime, other: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A process dies between the tap and the answer: whoever takes the question up serves what was tapped."""
    cookie = await new_cookie(runtime)
    here = await asked_back(runtime, cookie)
    await runtime.supervisor.hand_back()
    row = await runtime.reader.run(question)
    await runtime.writer.run(
        partial(
            confirmations.choose,
            row.conversation_id,
            client_id="q1",
            option=1,
            owner=None,
            now=runtime.clock.now(),
        )
    )
    await other.catch_up()
    there = await opened(other, cookie=cookie)
    taken_up = await asyncio.gather(recover(other), recover(runtime))
    await other.supervisor.drain(timeout_s=30)
    await runtime.supervisor.drain(timeout_s=30)
    await close_all(here, there)
    row = await runtime.reader.run(question)

    assert sorted(taken_up) == [0, 1]
    assert (row.state, row.cache) == ("answered", "confirmed")
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1
