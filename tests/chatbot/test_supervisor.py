"""Whatever happens to an accepted question, it ends in exactly one terminal state."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from supervised import COURIER, NO_ARTICLE, Blocked, asked, ended, seen, settle, terminal_frames

from chatbot.models import Question
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator


async def test_unforeseen_failure_becomes_internal(runtime: Runtime) -> None:
    """An exception that nobody catches ends the question with an error, live and durable."""
    routing = replace(runtime.configuration.routing, chains={})
    broken = replace(runtime.configuration, routing=routing)
    question = await asked(runtime, configuration=broken)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    frame = (await seen(viewer, "answer", "error"))[-1]
    row = await ended(runtime, question)
    assert (frame["code"], frame["id"], frame["seq"]) == ("internal", "q1", 2)
    assert "help@harbourlane.example" in frame["message"]
    assert (row.state, row.error_code) == ("failed", "internal")


@pytest.mark.parametrize(
    ("text", "shown", "state", "error_code"),
    [(COURIER, "article", "answered", ""), (NO_ARTICLE, "deadline", "failed", "deadline")],
)
async def test_deadline_ends_a_question(
    runtime: Runtime,
    vendors_at_simulator: RunningSimulator,
    text: str,
    shown: str,
    state: str,
    error_code: str,
) -> None:
    """When the time is over the shopper gets the shop's article, or is told so; no model is called."""
    now_s = runtime.clock.monotonic_s()
    question = await asked(runtime, text, started_s=now_s - 100, deadline_s=now_s - 70)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    frame = (await seen(viewer, "answer", "error"))[-1]
    row = await ended(runtime, question)
    assert frame.get("origin", frame.get("code")) == shown
    assert (row.state, row.error_code) == (state, error_code)
    assert row.total_ms >= 100_000
    assert vendors_at_simulator.bill()["totals"]["requests"] == 0


async def test_question_started_twice_runs_once(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A second start of the same question is left alone."""
    question = await asked(runtime)
    runtime.supervisor.start(question)
    runtime.supervisor.start(question)
    assert len(runtime.supervisor) == 1
    row = await ended(runtime, question)
    assert row.state == "answered"
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


async def test_finished_tasks_are_forgotten(runtime: Runtime) -> None:
    """Nothing is held of questions that have ended."""
    question = await asked(runtime, "hello")
    runtime.supervisor.start(question)
    await ended(runtime, question)
    await settle()
    assert (len(runtime.supervisor), len(runtime.desk.flights)) == (0, 0)
    assert not runtime.supervisor.stop(question.question_id)


async def test_question_ended_elsewhere_is_not_ended_again(runtime: Runtime) -> None:
    """If something else has ended it first, no second frame is written or shown."""
    question = await asked(runtime, "hello")
    await runtime.writer.run(
        lambda: Question.objects.filter(id=question.question_id).update(state="stopped")
    )
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    row = await ended(runtime, question)
    assert (row.state, viewer.queue.qsize()) == ("stopped", 0)
    assert await runtime.reader.run(terminal_frames) == []


async def test_failure_of_the_leader_frees_who_waits(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Two ask the same; the first is stopped in the middle; the second is answered all the same."""
    vendors_at_simulator.fault("stall", count=1, options={"after_pieces": 5})
    first, second = await asked(runtime), await asked(runtime)
    viewer = runtime.watchers.join(first.conversation_id)
    runtime.supervisor.start(first)
    await seen(viewer, "delta")
    runtime.supervisor.start(second)
    await settle()
    runtime.supervisor.stop(first.question_id)
    assert (await ended(runtime, second)).state == "answered"
    assert (await ended(runtime, first)).state == "stopped"


async def test_stopped_twice_ends_once(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A second stop while the first is being written down takes nothing back."""
    vendors_at_simulator.fault("stall", options={"after_pieces": 5})
    question = await asked(runtime)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    await seen(viewer, "delta")
    blocked = Blocked(runtime)
    await blocked.reached()
    runtime.supervisor.stop(question.question_id)
    await settle()
    runtime.supervisor.stop(question.question_id)
    await settle()
    await blocked.release()
    row = await ended(runtime, question)
    assert row.state == "stopped"
    assert await runtime.reader.run(terminal_frames) == ["answer"]


async def test_stop_that_comes_too_late_does_not_hide_the_answer(runtime: Runtime) -> None:
    """The shopper taps stop while the answer is being committed: it is shown nevertheless."""
    runtime.writer._max_batch = 2  # so that the test knows which jobs are committed together
    question = await asked(runtime, "hello")
    viewer = runtime.watchers.join(question.conversation_id)
    alone = Blocked(runtime)
    await alone.reached()
    runtime.supervisor.start(question)
    await settle()
    with_the_lease = Blocked(runtime)
    await alone.release()
    await with_the_lease.reached()
    between = [Blocked(runtime), Blocked(runtime)]
    await with_the_lease.release()
    await settle()
    with_the_record = Blocked(runtime)
    for blocked in between:
        blocked.go_on()
    await with_the_record.reached()
    runtime.supervisor.stop(question.question_id)
    await settle()
    await with_the_record.release()
    row = await ended(runtime, question)
    shown = [viewer.queue.get_nowait() for _ in range(viewer.queue.qsize())]
    assert row.state == "answered"
    assert [frame["type"] for frame in shown if frame] == ["answer"]


async def test_drain_waits_for_running_answers(runtime: Runtime) -> None:
    """An orderly end lets answers finish; it says how many did not."""
    question = await asked(runtime)
    runtime.supervisor.start(question)
    assert await runtime.supervisor.drain(timeout_s=30) == 0
    assert runtime.supervisor.draining
    assert (await ended(runtime, question)).state == "answered"


async def test_drain_does_not_wait_for_ever(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """An answer that hangs is left open for the next start."""
    vendors_at_simulator.fault("hang")
    question = await asked(runtime)
    runtime.supervisor.start(question)
    assert await runtime.supervisor.drain(timeout_s=0) == 1
    runtime.supervisor.stop(question.question_id)
    assert (await ended(runtime, question)).state == "stopped"


async def test_shutdown_leaves_the_question_open(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Cancelling a task from outside is no stop by the shopper: no terminal state is written."""
    vendors_at_simulator.fault("stall", options={"after_pieces": 5})
    question = await asked(runtime)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    await seen(viewer, "delta")
    (task,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("question-")]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await ended(runtime, question)).state == "working"
