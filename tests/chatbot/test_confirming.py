"""Asking back over the socket ("did you mean"): the tap, its absence, its repetition, its effects."""

from __future__ import annotations

from functools import partial

from offers import NEAR, NEAR_TOO, STORED, asked_back, calls, labels, stored, tapped
from sockets import Frame, close_all, opened
from supervised import asked, ended

from chatbot.models import Article, Confirmation, Question
from chatbot.offering import Rule
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator


async def test_tap_is_answered_without_a_model(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The near wording is offered; the tap brings its answer, no call is made, the tap is a label."""
    before = await stored(runtime)
    socket = await opened(runtime)
    shown = await asked_back(socket)
    end = await tapped(socket, 1)
    await socket.close()

    assert shown[-1]["options"] == [{"option": 1, "question": STORED}]
    assert [frame["type"] for frame in end] == ["chosen", "answer"]
    assert [frame["seq"] for frame in [*shown, *end]] == [1, 2, 3, 4]
    assert (end[0]["option"], end[0]["question"]) == (1, STORED)
    assert (end[-1]["text"], end[-1]["cache"], end[-1]["origin"]) == (
        before["text"],
        "confirmed",
        "cache",
    )
    assert calls(vendors_at_simulator) == 1
    assert await runtime.reader.run(labels) == [("confirm", True)]


async def test_none_of_these_goes_on_to_the_model(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Under the same id a model answers, what was shown is labelled wrong, the clock began anew."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    end = await tapped(socket, None)
    await socket.close()
    row = await runtime.reader.run(
        partial(Question.objects.select_related("confirmation").get, text=NEAR)
    )

    assert (end[-1]["id"], end[-1]["cache"], end[-1]["origin"]) == ("q1", "miss", "model")
    assert calls(vendors_at_simulator) == 2
    assert await runtime.reader.run(labels) == [("none", False)]
    assert (row.deadline_at - row.confirmation.settled_at).total_seconds() == 30


async def test_untapped_counts_as_none_of_these(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """When the time for the tap is over a model answers; silence is no judgement."""
    await stored(runtime)
    runtime.supervisor.confirming.patience_s = 0.1
    socket = await opened(runtime)
    await asked_back(socket)
    end = await socket.until("answer", "error")
    await socket.close()

    assert (end[0]["type"], end[0]["option"], end[-1]["origin"]) == ("chosen", None, "model")
    assert await runtime.reader.run(labels) == []


async def test_new_question_counts_as_none_of_these(runtime: Runtime) -> None:
    """Who asks something else is answered twice: the new question and the one that was open."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    await socket.send("ask", id="q2", text="Which courier do you use?")
    frames: list[Frame] = []
    while sum(frame["type"] == "answer" for frame in frames) < 2:
        frames.append(await socket.receive())
    await socket.close()
    chosen = [frame for frame in frames if frame["type"] == "chosen"]

    assert [(frame["id"], frame["option"]) for frame in chosen] == [("q1", None)]
    assert {frame["id"] for frame in frames if frame["type"] == "answer"} == {"q1", "q2"}
    assert await runtime.reader.run(labels) == []


async def test_stop_ends_a_question_that_waits_for_a_tap(runtime: Runtime) -> None:
    """Stop is heard while the offer stands; a tap after it comes too late."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    await socket.send("stop", id="q1")
    end = (await socket.until("answer"))[-1]
    await socket.send("choose", id="q1", option=1)
    late = await socket.receive()
    await socket.close()

    assert (end["stopped"], end["text"]) == (True, "")
    assert (late["type"], late["code"], late["id"], "seq" in late) == (
        "error",
        "conflict",
        "q1",
        False,
    )


async def test_tap_twice_is_one_tap(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The same option again brings what was sent; another one is too late; the question ended once."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    first = await tapped(socket, 1)
    again = await tapped(socket, 1)
    await socket.send("choose", id="q1", option=None)
    late = await socket.receive()
    await socket.close()

    assert again == first
    assert (late["type"], late["code"]) == ("error", "conflict")
    assert await runtime.reader.run(labels) == [("confirm", True)]


async def test_bad_taps_change_nothing(runtime: Runtime) -> None:
    """An option that was not offered, an unknown id and a wrong type get an error; the offer stands."""
    await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)
    codes = []
    for fields in (
        {"id": "q1", "option": 9},
        {"id": "q1", "option": "1"},
        {"id": "q1"},
        {"id": "nobody", "option": 1},
    ):
        await socket.send("choose", **fields)
        error = await socket.receive()
        codes.append((error["type"], error["code"], error["id"]))
    end = await tapped(socket, 1)
    await socket.close()

    assert codes == [("error", "bad_frame", name) for name in ("q1", "q1", "q1", "nobody")]
    assert end[-1]["cache"] == "confirmed"


async def test_choose_without_an_offer_is_a_bad_frame(runtime: Runtime) -> None:
    """A question that was answered without an offer has nothing to choose."""
    socket = await opened(runtime)
    await socket.ask(STORED, frame_id="q1")
    await socket.send("choose", id="q1", option=1)
    error = await socket.receive()
    await socket.close()

    assert (error["code"], error["id"]) == ("bad_frame", "q1")


async def test_shopper_is_asked_twice_at_most(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Two offers per conversation; the third near question goes to a model at once."""
    await stored(runtime)
    socket = await opened(runtime)
    for number, text in enumerate((NEAR, NEAR_TOO)):
        await asked_back(socket, text, frame_id=f"q{number}")
        await tapped(socket, 1, frame_id=f"q{number}")
    third = await socket.ask("What is the price for a delivery?")
    await socket.close()

    assert third[-1]["cache"] in ("miss", "semantic")
    assert "confirm" not in {frame["type"] for frame in third}
    assert await runtime.reader.run(Confirmation.objects.count) == 2


async def test_free_and_idle_model_is_asked_instead(runtime: Runtime) -> None:
    """Where nothing is saved the shopper is not bothered; nor when staff switched it off."""
    await stored(runtime)
    seen = []
    for rule, text in (
        (Rule(above_microusd=10**9, above_wait_s=60.0), NEAR),
        (Rule(enabled=False), NEAR_TOO),
    ):
        runtime.supervisor.confirming.rule = rule
        socket = await opened(runtime)
        seen += [frame["type"] for frame in await socket.ask(text)]
        await socket.close()

    assert "confirm" not in seen


async def test_nobody_there_is_asked_nothing(runtime: Runtime) -> None:
    """A shopper who left before the look-up finds an answer when they come back, not a question."""
    await stored(runtime)
    question = await asked(runtime, NEAR)
    runtime.supervisor.start(question)
    row = await ended(runtime, question)

    assert (row.state, row.cache) == ("answered", "miss")
    assert await runtime.reader.run(Confirmation.objects.count) == 0


async def test_edited_article_takes_the_tapped_answer_back(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """An answer that went out of date while the shopper thought is not served: a model answers."""
    before = await stored(runtime)
    socket = await opened(runtime)
    await asked_back(socket)

    def edit() -> None:
        url = before["sources"][0]["url"]
        article = Article.objects.get(key=url.split("/")[2], locale="en")
        article.text += "\n\nThis was added a moment ago."
        article.save()

    await runtime.writer.run(edit)
    await runtime.catch_up()
    end = await tapped(socket, 1)
    await socket.close()

    assert (end[-1]["origin"], end[-1]["cache"]) == ("model", "miss")
    assert calls(vendors_at_simulator) == 2


async def test_nobody_waits_for_anothers_tap(runtime: Runtime) -> None:
    """While one shopper thinks, another who asks the same is asked too, and answered at once."""
    await stored(runtime)
    first, second = await opened(runtime), await opened(runtime)
    await asked_back(first)
    shown = await asked_back(second, frame_id="other")
    end = await tapped(second, 1, frame_id="other")
    await tapped(first, 1)
    await close_all(first, second)

    assert (shown[-1]["type"], end[-1]["cache"]) == ("confirm", "confirmed")
