"""Taking an answer back: it leaves every process, and everyone who received it is told exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from sockets import Socket, close_all, new_cookie, opened

from cache.models import Answer, Lookup, Recall
from chatbot import recalling
from chatbot.models import Conversation, Correction, Frame, Outbox, Question
from chatbot.recalling import LATE_PASSES, NotRecallable, recipient_count, revoke, send_corrections
from chatbot.runtime import Runtime
from chatbot.tasks import work_outbox

COURIER = "Which courier do you use?"
OTHER = "How long does standard shipping take?"


async def take_back(runtime: Runtime, answer_id: int, *, text: str = "") -> int:
    """What staff do; returns the recall's id."""

    def job() -> int:
        recall = revoke(answer_id, by="staff", reason="wrong", text=text, now=runtime.clock.now())
        return recall.id

    return await runtime.writer.run(job)


async def stored_for(runtime: Runtime, question_id: object) -> int:
    """The answer that a question's receipt names, served or stored."""

    def query() -> int:
        receipt = Lookup.objects.get(question_id=int(str(question_id)))
        return receipt.answer_id or receipt.stored_id or 0

    return await runtime.reader.run(query)


async def worked(runtime: Runtime) -> int:
    """The background does what is due."""
    return await runtime.reader.run(work_outbox)


async def corrections(runtime: Runtime) -> list[tuple[int, int]]:
    """Conversation and `of` of every stored `correct` frame."""
    rows = Frame.objects.filter(body__type="correct").order_by("id")
    found = await runtime.reader.run(lambda: list(rows.values_list("conversation_id", "body")))
    return [(conversation_id, body["of"]) for conversation_id, body in found]


async def received(socket: Socket) -> list[dict[str, Any]]:
    """The corrections that have come over a socket so far."""
    return [frame for frame in await socket.settled() if frame["type"] == "correct"]


async def test_everyone_who_received_it_is_told_once(runtime: Runtime) -> None:
    """The first asker, whose miss was stored, and all who were served later get one correction each."""
    first, second, third = [await opened(runtime) for _ in range(3)]
    answers = [(await socket.ask(COURIER))[-1] for socket in (first, second)]
    other = (await third.ask(OTHER))[-1]
    assert [frame["cache"] for frame in answers] == ["miss", "exact"]

    recall_id = await take_back(runtime, await stored_for(runtime, answers[0]["receipt"]))
    await worked(runtime)
    await runtime.catch_up()
    told = [await received(socket) for socket in (first, second, third)]

    assert [[frame["of"] for frame in frames] for frames in told] == [
        [answers[0]["seq"]],
        [answers[1]["seq"]],
        [],
    ]
    assert other["text"] != answers[0]["text"]
    recall = await runtime.reader.run(lambda: Recall.objects.get(id=recall_id))
    assert (recall.recipients, recall.by, recall.reason) == (2, "staff", "wrong")
    await close_all(first, second, third)


async def test_nobody_is_served_it_any_more(runtime: Runtime) -> None:
    """After the recall the same words are a miss, and lead to a new answer."""
    socket = await opened(runtime)
    first = (await socket.ask(COURIER))[-1]
    old = await stored_for(runtime, first["receipt"])
    await take_back(runtime, old)
    await runtime.catch_up()
    again = (await socket.ask(COURIER))[-1]

    assert again["cache"] == "miss"
    assert await stored_for(runtime, again["receipt"]) != old
    await close_all(socket)


async def test_who_is_away_finds_it_on_return(runtime: Runtime) -> None:
    """A shopper without a socket gets the correction by `resume`, once."""
    cookie = await new_cookie(runtime)
    socket = await opened(runtime, cookie=cookie)
    answer = (await socket.ask(COURIER))[-1]
    await close_all(socket)
    await take_back(runtime, await stored_for(runtime, answer["receipt"]))
    await worked(runtime)
    await runtime.catch_up()

    back = await opened(runtime, cookie=cookie)
    await back.send("resume", after=answer["seq"])
    frames = (await back.until("resumed"))[-1]["frames"]
    assert [(frame["type"], frame["of"]) for frame in frames] == [("correct", answer["seq"])]
    await close_all(back)


async def test_other_process_shows_it(runtime: Runtime) -> None:
    """Who is connected to another process than the one that corrects is told by their own."""
    other = Runtime(embedder=runtime.embedder)
    await other.start(take_up_open_questions=False)
    socket = await opened(other)
    answer = (await socket.ask(COURIER))[-1]
    await runtime.catch_up()
    await take_back(runtime, await stored_for(runtime, answer["receipt"]), text="It is ZTO.")
    await worked(runtime)
    await other.catch_up()
    await other.catch_up()

    told = await received(socket)
    assert [(frame["of"], frame["text"]) for frame in told] == [(answer["seq"], "It is ZTO.")]
    assert len(other.store) == 0
    await close_all(socket)
    await other.stop()


async def test_a_conversation_that_got_it_twice_is_told_once(runtime: Runtime) -> None:
    """One frame corrects the newest answer and names the earlier ones."""
    socket = await opened(runtime)
    seqs = [(await socket.ask(COURIER))[-1] for _ in range(3)]
    await take_back(runtime, await stored_for(runtime, seqs[0]["receipt"]))
    await worked(runtime)
    await runtime.catch_up()

    told = await received(socket)
    assert [(frame["of"], frame["also"]) for frame in told] == [
        (seqs[2]["seq"], [seqs[0]["seq"], seqs[1]["seq"]])
    ]
    await close_all(socket)


async def test_killed_in_the_middle_sends_nothing_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that dies after its first batch and is repeated leaves exactly one frame each."""
    sockets = [await opened(runtime, address=f"10.0.0.{n}") for n in range(5)]
    answers = [(await socket.ask(COURIER))[-1] for socket in sockets]
    recall_id = await take_back(runtime, await stored_for(runtime, answers[0]["receipt"]))
    monkeypatch.setattr(recalling, "BATCH", 2)

    def dies_half_way() -> None:
        recalling._send_batch(recall_id, after=0)
        with transaction.atomic():
            recalling._send_batch(recall_id, after=0)
            transaction.set_rollback(True)

    await runtime.writer.run(dies_half_way)
    assert len(await corrections(runtime)) == 2
    for _ in range(2):
        await runtime.writer.run(lambda: send_corrections(recall_id))
    await worked(runtime)

    told = await corrections(runtime)
    conversations = await runtime.reader.run(
        lambda: set(Conversation.objects.values_list("id", flat=True))
    )
    assert len(told) == 5
    assert {conversation_id for conversation_id, _ in told} == conversations
    recall = await runtime.reader.run(lambda: Recall.objects.get())
    assert recall.recipients == await runtime.reader.run(Correction.objects.count) == 5
    await close_all(*sockets)


async def test_receipt_that_comes_late_is_found(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that another process answered while staff revoked is corrected by a later pass."""
    monkeypatch.setattr("chatbot.runtime.FOLLOW_EVERY_S", 3_600)
    late = Runtime(embedder=runtime.embedder)
    await late.start(take_up_open_questions=False)
    socket, behind = await opened(runtime), await opened(late)
    answer = (await socket.ask(COURIER))[-1]
    await late.store.load_all()
    recall_id = await take_back(runtime, await stored_for(runtime, answer["receipt"]))
    await worked(runtime)
    assert (await behind.ask(COURIER))[-1]["cache"] == "exact"

    due = Outbox.objects.filter(kind=recalling.RECALL, done_at__isnull=True)
    assert await runtime.reader.run(due.count) == len(LATE_PASSES)
    sent = await runtime.writer.run(lambda: send_corrections(recall_id))
    assert (sent, len(await corrections(runtime))) == (1, 2)
    await close_all(socket, behind)
    await late.stop()


async def test_second_recall_tells_only_those_served_since(runtime: Runtime) -> None:
    """An answer put back and revoked again: who was corrected and got it no more is left in peace."""
    first, second = await opened(runtime), await opened(runtime)
    answer = (await first.ask(COURIER))[-1]
    answer_id = await stored_for(runtime, answer["receipt"])
    await take_back(runtime, answer_id)
    await worked(runtime)

    def put_back() -> None:
        row = Answer.objects.get(id=answer_id)
        row.status = Answer.PINNED
        row.save()

    await runtime.writer.run(put_back)
    await runtime.catch_up()
    assert (await second.ask(COURIER))[-1]["cache"] == "exact"
    assert await runtime.reader.run(lambda: recipient_count(answer_id)) == 1
    await take_back(runtime, answer_id)
    await worked(runtime)
    told = [conversation_id for conversation_id, _ in await corrections(runtime)]
    assert len(told) == len(set(told)) == 2
    await close_all(first, second)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Answer.OWN, Answer.REVOKED])
def test_own_or_revoked_answers_are_not_recalled(status: str) -> None:
    """One shopper's own answer reached nobody else; a revoked one is not revoked again."""
    from tests.chatbot.admin_rows import NOON, an_answer

    answer = an_answer(1)
    owner = 7 if status == Answer.OWN else None
    Answer.objects.filter(id=answer.id).update(status=status, owner_shopper_id=owner)
    with pytest.raises(NotRecallable):
        revoke(answer.id, by="staff", reason="", text="", now=NOON)
    assert not Recall.objects.exists()
    assert not Question.objects.exists()
