"""Questions that lost their process are taken up, answered with the time left, and end once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from supervised import (
    COURIER,
    NO_ARTICLE,
    accepted,
    asked,
    ended,
    opened,
    seen,
    terminal_frames,
)

from chatbot import leases
from chatbot.models import Question
from chatbot.recovery import recover
from chatbot.runtime import Runtime
from routing.models import Call
from simulator.running import RunningSimulator


def update(question_id: int, **fields: Any) -> None:
    """Change a question's row."""
    Question.objects.filter(id=question_id).update(**fields)


async def abandoned(
    runtime: Runtime, text: str = COURIER, *, age_s: float = 11.0, client_id: str = "q1"
) -> tuple[int, int]:
    """A question whose process died: (its id, its conversation's id)."""
    conversation = await opened(runtime)
    question = await accepted(runtime, conversation, text, client_id=client_id)
    now = runtime.clock.now()
    accepted_at = now - timedelta(seconds=age_s)
    await runtime.writer.run(
        partial(
            update,
            question.question_id,
            state=Question.WORKING,
            lease_owner="a dead process",
            lease_until=now - timedelta(milliseconds=1),
            accepted_at=accepted_at,
            deadline_at=accepted_at + timedelta(seconds=30),
        )
    )
    return question.question_id, conversation.conversation_id


async def end_of(runtime: Runtime, question_id: int) -> Question:
    """The row once nothing runs any more."""
    await runtime.supervisor.drain(timeout_s=30)
    return await runtime.reader.run(partial(Question.objects.get, id=question_id))


async def test_abandoned_question_is_answered_with_the_time_left(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Before its deadline a question is answered as any other; its time counts from its acceptance."""
    question_id, conversation_id = await abandoned(runtime)
    viewer = runtime.watchers.join(conversation_id)
    assert await recover(runtime) == 1
    frames = await seen(viewer, "answer", "error")
    row = await end_of(runtime, question_id)
    assert (frames[0]["type"], frames[-1]["origin"], frames[-1]["seq"]) == ("restart", "model", 2)
    assert row.state == "answered"
    assert row.total_ms >= 11_000
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


@pytest.mark.parametrize(
    ("text", "state", "origin", "error_code"),
    [
        (COURIER, "answered", "article", ""),
        ("hello", "answered", "template", ""),
        (NO_ARTICLE, "failed", "", "deadline"),
    ],
)
async def test_after_its_deadline_no_model_is_called(
    runtime: Runtime,
    vendors_at_simulator: RunningSimulator,
    text: str,
    state: str,
    origin: str,
    error_code: str,
) -> None:
    """When its time is over a question gets the shop's article or fixed text, else it ends with an error."""
    question_id, _ = await abandoned(runtime, text, age_s=31.0)
    await recover(runtime)
    row = await end_of(runtime, question_id)
    assert (row.state, row.origin, row.error_code) == (state, origin, error_code)
    assert vendors_at_simulator.bill()["totals"]["requests"] == 0
    assert await runtime.reader.run(Call.objects.count) == 0


async def test_error_is_in_the_shoppers_language(runtime: Runtime) -> None:
    """The word that there is no answer comes in the language of the question."""
    question_id, conversation_id = await abandoned(runtime, "蒙古的首都是哪里？", age_s=31.0)
    await runtime.writer.run(partial(update, question_id, language="zh-hans"))
    viewer = runtime.watchers.join(conversation_id)
    await recover(runtime)
    frame = (await seen(viewer, "answer", "error"))[-1]
    assert (frame["code"], frame["message"][:4]) == ("deadline", "查找答案")


async def test_start_takes_up_what_was_left_open(runtime: Runtime) -> None:
    """A starting process takes up open questions that nobody works on, and no others."""
    ids = [(await abandoned(runtime, "hello"))[0] for _ in range(3)]
    await runtime.writer.run(
        partial(leases.take, ids[1], owner="a living process", now=runtime.clock.now())
    )
    await runtime.writer.run(partial(update, ids[2], state=Question.FAILED))
    later = Runtime(embedder=runtime.embedder)
    await later.start()
    await later.supervisor.drain(timeout_s=30)
    states = await runtime.reader.run(
        lambda: list(Question.objects.order_by("id").values_list("state", flat=True))
    )
    await later.stop()
    assert states == ["answered", "working", "failed"]


async def test_nothing_left_open_starts_nothing(runtime: Runtime) -> None:
    """A sweep without lapsed leases takes up no question."""
    assert await recover(runtime) == 0
    assert len(runtime.supervisor) == 0


async def test_two_processes_take_up_a_question_once(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Two processes sweep at the same moment: the question is answered by one, and paid once."""
    await abandoned(runtime)
    other = Runtime(embedder=runtime.embedder)
    await other.start(take_up_open_questions=False)
    found = await asyncio.gather(recover(runtime), recover(other))
    await runtime.supervisor.drain(timeout_s=30)
    await other.stop()
    assert sorted(found) == [0, 1]
    assert await runtime.reader.run(terminal_frames) == ["answer"]
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1


async def test_question_running_here_is_not_taken_up_again(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Even if its lease ran out while it runs, a question runs once in a process."""
    vendors_at_simulator.fault("stall", count=1, options={"after_pieces": 5})
    question = await asked(runtime)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    await seen(viewer, "delta")
    past = runtime.clock.now() - timedelta(seconds=1)
    await runtime.writer.run(partial(update, question.question_id, lease_until=past))
    assert await recover(runtime) == 0
    assert len(runtime.supervisor) == 1


async def test_running_answer_renews_its_lease(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A renewed lease holds longer; a question that another process has taken is given up, without a word."""
    vendors_at_simulator.fault("stall", options={"after_pieces": 5})
    question = await asked(runtime)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    await seen(viewer, "delta")
    soon = runtime.clock.now() + timedelta(seconds=1)
    await runtime.writer.run(partial(update, question.question_id, lease_until=soon))
    await runtime.supervisor.renew_leases()
    row = await runtime.reader.run(partial(Question.objects.get, id=question.question_id))
    assert row.lease_until is not None and row.lease_until > soon
    await runtime.writer.run(partial(update, question.question_id, lease_owner="another process"))
    await runtime.supervisor.renew_leases()
    assert (await ended(runtime, question)).state == "working"
    assert await runtime.reader.run(terminal_frames) == []


async def test_stopped_while_nobody_works_on_it_stays_stopped(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A stop for an abandoned question ends it; no sweep answers it afterwards."""
    question_id, conversation_id = await abandoned(runtime)
    question = await asked(runtime, question_id=question_id, conversation_id=conversation_id)
    viewer = runtime.watchers.join(conversation_id)
    assert not runtime.supervisor.stop(question_id)
    await runtime.supervisor.end_stopped(question)
    assert (await seen(viewer, "answer"))[-1]["stopped"]
    assert await recover(runtime) == 0
    assert (await end_of(runtime, question_id)).state == "stopped"


async def test_whoever_ends_a_question_second_writes_nothing(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A lease that ran out under a running answer: both processes end the question, one frame is written."""
    vendors_at_simulator.fault("stall", count=1, options={"after_pieces": 5})
    question = await asked(runtime)
    viewer = runtime.watchers.join(question.conversation_id)
    runtime.supervisor.start(question)
    await seen(viewer, "delta")
    runtime.watch.stop()  # a process that is held up renews nothing
    past = runtime.clock.now() - timedelta(seconds=1)
    await runtime.writer.run(partial(update, question.question_id, lease_until=past))
    other = Runtime(embedder=runtime.embedder)
    await other.start()
    await other.supervisor.drain(timeout_s=30)
    await other.stop()
    runtime.supervisor.stop(question.question_id)
    assert (await ended(runtime, question)).state == "answered"
    assert await runtime.reader.run(terminal_frames) == ["answer"]


def rename(table: str, *, to: str) -> None:
    """Take a table away, or put it back."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def test_question_outlives_a_database_that_is_away(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """What the database refuses in the middle is no end: a sweep goes on when it is back."""
    question = await asked(runtime)
    await runtime.writer.run(partial(rename, "routing_call", to="away"))
    runtime.supervisor.start(question)
    row = await ended(runtime, question)
    await runtime.writer.run(partial(rename, "away", to="routing_call"))
    assert row.state == "working"
    assert await runtime.reader.run(terminal_frames) == []
    past = runtime.clock.now() - timedelta(seconds=1)
    await runtime.writer.run(partial(update, question.question_id, lease_until=past))
    runtime.supervisor.draining = False
    assert await recover(runtime) == 1
    assert (await ended(runtime, question)).origin == "model"
