"""Two shoppers' "wrong" takes a wording out of service at once; one shopper counts once."""

from __future__ import annotations

from functools import partial

from sockets import Socket, close_all, opened

from cache.models import Objection, Wording
from cache.suspending import restore
from chatbot.runtime import Runtime

COURIER = "Which courier do you use?"


async def served(runtime: Runtime) -> tuple[Socket, str]:
    """A new shopper who got the stored answer, and the id of their question."""
    socket = await opened(runtime)
    frame = (await socket.ask(COURIER))[-1]
    return socket, str(frame["id"])


async def thumb(socket: Socket, question_id: str, value: str = "down") -> None:
    """The shopper judges; the next frame is handled after it is stored."""
    await socket.send("feedback", id=question_id, value=value)
    await socket.settled()


async def suspended(runtime: Runtime) -> list[bool]:
    """Whether each wording is out of service."""
    rows = Wording.objects.order_by("id").values_list("suspended_at", flat=True)
    return [at is not None for at in await runtime.reader.run(lambda: list(rows))]


async def test_two_shoppers_suspend_it_everywhere(runtime: Runtime) -> None:
    """A thumb down and a retry of two shoppers: the wording leaves the replica and says why."""
    sockets = [await served(runtime) for _ in range(3)]
    await thumb(*sockets[1])
    assert await suspended(runtime) == [False]
    await sockets[2][0].send("retry", id="again", of=sockets[2][1])
    await sockets[2][0].until("answer", frame_id="again")
    assert await suspended(runtime) == [True]
    await runtime.catch_up()
    row = await runtime.reader.run(Wording.objects.get)
    assert (len(runtime.store), row.suspended_because[:10]) == (0, "2 shoppers")

    fresh, _ = await served(runtime)
    await runtime.catch_up()
    assert (await suspended(runtime), len(runtime.store)) == ([False], 1)
    await close_all(fresh, *(socket for socket, _ in sockets))


async def test_one_shopper_counts_once(runtime: Runtime) -> None:
    """Thumbs and retries of one shopper, on as many questions as they like, suspend nothing."""
    maker, _ = await served(runtime)
    socket, first = await served(runtime)
    second = str((await socket.ask(COURIER))[-1]["id"])
    for question_id in (first, second, first):
        await thumb(socket, question_id)
    await socket.send("retry", id="again", of=first)
    await socket.until("answer", frame_id="again")

    assert await suspended(runtime) == [False]
    assert await runtime.reader.run(Objection.objects.count) == 1
    await close_all(maker, socket)


async def test_thumb_turned_up_again_counts_no_more(runtime: Runtime) -> None:
    """A shopper who changes their mind leaves the count."""
    maker, _ = await served(runtime)
    one, two = await served(runtime), await served(runtime)
    await thumb(*one)
    await thumb(*one, "up")
    await thumb(*two)

    assert await suspended(runtime) == [False]
    await close_all(maker, one[0], two[0])


async def test_the_first_asker_has_a_voice(runtime: Runtime) -> None:
    """The asker whose miss was stored received the same answer: their thumb counts like any other."""
    first, second = await served(runtime), await served(runtime)
    await thumb(*first)
    await thumb(*second)

    assert await suspended(runtime) == [True]
    await close_all(first[0], second[0])


async def test_thumb_on_an_answer_that_is_not_stored_is_no_objection(runtime: Runtime) -> None:
    """A personal question has no wording that others could be served through."""
    socket = await opened(runtime)
    frame = (await socket.ask("Where is my order 202611110042?"))[-1]
    await thumb(socket, str(frame["id"]))

    assert await runtime.reader.run(Objection.objects.count) == 0
    await close_all(socket)


async def test_restored_wording_needs_new_voices(runtime: Runtime) -> None:
    """What staff restored is served again, and the same two shoppers cannot suspend it again."""
    people = [await served(runtime) for _ in range(3)]
    for person in people[1:]:
        await thumb(*person)
    wording = await runtime.reader.run(Wording.objects.get)
    await runtime.writer.run(partial(restore, [wording.id], now=runtime.clock.now()))
    for person in people[1:]:
        await thumb(*person)
    await runtime.catch_up()

    assert (await suspended(runtime), len(runtime.store)) == ([False], 1)
    await close_all(*(socket for socket, _ in people))
