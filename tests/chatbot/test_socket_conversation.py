"""A conversation over the socket: resuming, history, thumbs, stopping, and other people's chats."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial

from sockets import WAIT_S, Socket, close_all, new_cookie, opened

from chatbot import transcript
from chatbot.models import Conversation, Feedback, Question
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def fill(public_id: str, *, questions: int) -> None:
    """Give a conversation answered questions: two durable frames each."""
    conversation = Conversation.objects.get(public_id=public_id)
    for number in range(questions):
        accepted = transcript.accept(
            conversation.id,
            client_id=f"old-{number}",
            text=f"question {number}",
            locale="en",
            language="en",
            now=NOW,
            deadline_s=30.0,
        )
        body = {"type": "answer", "id": f"old-{number}", "text": f"answer {number}"}
        transcript.finish(
            accepted.question_id, state=Question.ANSWERED, now=NOW, body=body, fields={}
        )


async def test_resume_and_history_come_in_pages_of_fifty(runtime: Runtime) -> None:
    """Every durable frame is sent exactly once, forwards after a number and backwards before one."""
    socket = await opened(runtime)
    await runtime.writer.run(partial(fill, socket.conversation, questions=60))
    pages = []
    for after in (0, 50, 100, 120):
        await socket.send("resume", after=after)
        pages.append(await socket.receive())
    seqs = [[frame["seq"] for frame in page["frames"]] for page in pages]
    assert seqs == [list(range(1, 51)), list(range(51, 101)), list(range(101, 121)), []]
    assert [page["more"] for page in pages] == [True, True, False, False]
    await socket.send("history", before=71)
    older = await socket.receive()
    assert ([frame["seq"] for frame in older["frames"]], older["more"]) == (
        list(range(21, 71)),
        True,
    )
    await socket.close()


async def test_answer_outlives_its_socket(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The shopper leaves while a model speaks; back again, the answer is there, once."""
    cookie = await new_cookie(runtime)
    first = await opened(runtime, cookie=cookie)
    await first.send("ask", id="q1", text="Which courier do you use?")
    await first.until("accepted")
    await first.close()
    await runtime.supervisor.drain(timeout_s=WAIT_S)
    runtime.supervisor.draining = False
    second = Socket(runtime, cookie=cookie)
    ready = await second.open()
    await second.send("resume", after=0)
    frames = (await second.receive())["frames"]
    assert ready["conversation"] == first.conversation
    assert [(frame["type"], frame["seq"]) for frame in frames] == [("accepted", 1), ("answer", 2)]
    assert ready["seq"] == 2
    await second.close()


async def test_two_tabs_see_the_same(runtime: Runtime) -> None:
    """Both sockets of one shopper get every frame of the answer, in the same order."""
    cookie = await new_cookie(runtime)
    asking, watching = await opened(runtime, cookie=cookie), await opened(runtime, cookie=cookie)
    mine = await asking.ask("Which courier do you use?", frame_id="q1")
    theirs = await watching.until("answer")
    assert mine == theirs
    await close_all(asking, watching)


async def test_deltas_make_up_the_answer(runtime: Runtime) -> None:
    """What was shown piece by piece is the answer that is kept, without any mark."""
    socket = await opened(runtime)
    frames = await socket.ask("Which courier do you use?")
    shown = "".join(frame["text"] for frame in frames if frame["type"] == "delta")
    assert shown.strip() == frames[-1]["text"]
    assert "[[" not in shown
    assert frames[-1]["sources"]
    await socket.close()


async def test_stop_keeps_what_was_shown(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The partial text stays as a stopped answer, is durable, and serves nobody else."""
    vendors_at_simulator.fault("stall", options={"after_pieces": 12})
    socket = await opened(runtime)
    await socket.send("ask", id="q1", text="Which courier do you use?")
    frames = await socket.until("delta")
    await socket.send("stop", id="q1")
    frames += await socket.until("answer", "error")
    shown = "".join(frame["text"] for frame in frames if frame["type"] == "delta")
    assert (frames[-1]["type"], frames[-1]["stopped"]) == ("answer", True)
    assert frames[-1]["text"] == shown.strip() != ""
    question = await runtime.reader.run(Question.objects.get)
    assert (question.state, len(runtime.store), len(runtime.desk.flights)) == ("stopped", 0, 0)
    await socket.close()


async def test_stop_after_the_end_changes_nothing(runtime: Runtime) -> None:
    """A late tap on stop leaves the answer as it is and adds no frame."""
    socket = await opened(runtime)
    await socket.ask("hello", frame_id="q1")
    await socket.send("stop", id="q1")
    assert await socket.settled() == []
    assert (await runtime.reader.run(Question.objects.get)).state == "answered"
    await socket.close()


async def test_retry_goes_past_the_cache(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """ "Not my question" asks a model again under a new id, with the words of the first."""
    socket = await opened(runtime)
    await socket.ask("Which courier do you use?", frame_id="q1")
    await socket.send("retry", id="q2", of="q1")
    frames = await socket.until("answer", "error", frame_id="q2")
    assert frames[0]["text"] == "Which courier do you use?"
    assert frames[-1]["cache"] == "bypass"
    assert vendors_at_simulator.bill()["totals"]["completed"] == 2
    await socket.close()


async def test_newest_thumb_is_stored(runtime: Runtime) -> None:
    """Feedback is silent; the last one counts, with its reason."""
    socket = await opened(runtime)
    await socket.ask("hello", frame_id="q1")
    await socket.send("feedback", id="q1", value="up")
    await socket.send("feedback", id="q1", value="down", reason="too short")
    assert await socket.settled() == []
    row = await runtime.reader.run(Feedback.objects.get)
    assert (row.value, row.reason) == ("down", "too short")
    await socket.close()


async def test_shopper_never_meets_another_ones_frames(runtime: Runtime) -> None:
    """While one chats the other's socket stays silent, and no frame reaches across."""
    mine, theirs = await opened(runtime), await opened(runtime)
    await mine.ask("Which courier do you use?", frame_id="q1")
    overheard = await theirs.settled()
    await theirs.send("resume", after=0)
    resumed = await theirs.receive()
    refusals = []
    for name, fields in (
        ("stop", {"id": "q1"}),
        ("feedback", {"id": "q1", "value": "down"}),
        ("retry", {"id": "q2", "of": "q1"}),
    ):
        await theirs.send(name, **fields)
        refusals.append((await theirs.receive())["code"])
    assert (overheard, resumed["frames"], refusals) == ([], [], ["bad_frame"] * 3)
    assert mine.conversation != theirs.conversation
    assert await runtime.reader.run(Feedback.objects.count) == 0
    await close_all(mine, theirs)


async def test_two_shoppers_at_once(runtime: Runtime) -> None:
    """Two questions run side by side; each socket gets its own answer only."""
    one, two = await opened(runtime), await opened(runtime)
    first, second = await asyncio.gather(
        one.ask("Which courier do you use?", frame_id="same-id"),
        two.ask("怎么开发票？", frame_id="same-id"),
    )
    assert [first[-1]["type"], second[-1]["type"]] == ["answer", "answer"]
    assert first[-1]["sources"][0]["url"] == "/help/shipping-couriers/"
    assert second[-1]["sources"][0]["url"].startswith("/help/invoices")
    assert (await one.settled(), await two.settled()) == ([], [])
    await close_all(one, two)


async def test_same_question_of_many_at_once_is_one_call(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Ten shoppers ask the same in the same moment: one model call, ten equal answers."""
    sockets = [await opened(runtime) for _ in range(10)]
    answers = await asyncio.gather(*(socket.ask("Which courier do you use?") for socket in sockets))
    caches = [frames[-1]["cache"] for frames in answers]
    assert caches.count("miss") == 1
    assert set(caches) <= {"miss", "joined", "exact"}
    assert len({frames[-1]["text"] for frames in answers}) == 1
    assert vendors_at_simulator.bill()["totals"]["completed"] == 1
    await close_all(*sockets)
