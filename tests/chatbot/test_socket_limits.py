"""Who may open a socket, how many, and how fast one may ask."""

from __future__ import annotations

from sockets import Socket, close_all, new_cookie, opened

from base.writer import Writer
from chatbot.models import Conversation, Question, Site
from chatbot.runtime import Runtime
from chatbot.visitors import ShopperRates, SocketCounter


async def test_foreign_origin_is_refused_and_leaves_no_row(runtime: Runtime) -> None:
    """Another site's page, no origin and a malformed one get 1008 before anything is written."""
    codes = [
        await Socket(runtime, origin=origin).refused()
        for origin in ("https://evil.example", "http://shop.example:81", "", "null", "http://[::1")
    ]
    assert codes == [1008] * 5
    assert await runtime.reader.run(Conversation.objects.count) == 0


async def test_origin_that_staff_allow_is_welcome(runtime: Runtime) -> None:
    """A partner's page may open the chat once the site names its origin."""

    def allow() -> None:
        site = Site.objects.get()
        site.allowed_origins = ["https://partner.example"]
        site.save()

    await runtime.writer.run(allow)
    await runtime.reader.run(runtime._snapshots.refresh)
    socket = await opened(runtime, origin="https://partner.example")
    await socket.close()
    assert await Socket(runtime, origin="http://partner.example").refused() == 1008


async def test_draining_process_sends_shoppers_elsewhere(runtime: Runtime) -> None:
    """A process about to stop refuses new sockets with 1012: come back in a moment."""
    await runtime.supervisor.drain(timeout_s=0)
    assert await Socket(runtime).refused() == 1012


async def test_sockets_per_address_are_capped(runtime: Runtime) -> None:
    """The third from one address is refused with 4429; another address and a freed place work."""
    runtime.sockets = SocketCounter(2)
    first, second = await opened(runtime), await opened(runtime)
    assert await Socket(runtime).refused() == 4429
    elsewhere = await opened(runtime, address="10.0.0.2")
    await first.close()
    third = await opened(runtime)
    assert await Socket(runtime).refused() == 4429
    await close_all(second, third, elsewhere)


async def test_refused_sockets_use_up_no_place(runtime: Runtime) -> None:
    """Neither a foreign origin nor a socket too many counts against the address."""
    runtime.sockets = SocketCounter(1)
    for _ in range(3):
        await Socket(runtime, origin="https://evil.example").refused()
    socket = await opened(runtime)
    for _ in range(3):
        assert await Socket(runtime).refused() == 4429
    await socket.close()
    again = await opened(runtime)
    await again.close()


async def test_socket_that_could_not_be_opened_uses_up_no_place(runtime: Runtime) -> None:
    """A connection that fails because too many writes wait gives its place back."""
    runtime.sockets = SocketCounter(1)
    runtime.writer, working = Writer(max_pending=1), runtime.writer
    runtime.writer.submit(Conversation.objects.count)
    await Socket(runtime).fail_to_open()
    runtime.writer = working
    socket = await opened(runtime)
    await socket.close()


async def test_haste_is_told_how_long_to_wait(runtime: Runtime) -> None:
    """After the burst: `too_fast` with the id and a wait; nothing is stored, the socket stays."""
    runtime.rates = ShopperRates(1)
    socket = await opened(runtime)
    for number in range(10):
        await socket.ask("hello", frame_id=f"q{number}")
    refused = (await socket.ask("hello", frame_id="q10"))[-1]
    assert (refused["code"], refused["id"]) == ("too_fast", "q10")
    assert 0 < refused["retry_after_s"] <= 60
    assert await runtime.reader.run(Question.objects.count) == 10
    assert await socket.settled() == []
    await socket.close()


async def test_rate_belongs_to_the_shopper_not_to_the_socket(runtime: Runtime) -> None:
    """A second tab is no second bucket; another shopper is."""
    runtime.rates = ShopperRates(1)
    cookie = await new_cookie(runtime)
    one, two = await opened(runtime, cookie=cookie), await opened(runtime, cookie=cookie)
    other = await opened(runtime)
    for number in range(10):
        await one.ask("hello", frame_id=f"q{number}")
    assert (await two.ask("hello", frame_id="late"))[-1]["code"] == "too_fast"
    assert (await other.ask("hello"))[-1]["type"] == "answer"
    await close_all(one, two, other)


async def test_full_writer_says_busy_and_the_socket_stays(runtime: Runtime) -> None:
    """When too many writes wait the shopper hears `busy` with a wait, and may ask again."""
    socket = await opened(runtime)
    runtime.writer, working = Writer(max_pending=1), runtime.writer
    runtime.writer.submit(Conversation.objects.count)
    await socket.send("ask", id="q1", text="hello")
    busy = await socket.receive()
    runtime.writer = working
    assert (busy["code"], busy["retry_after_s"] > 0) == ("busy", True)
    assert (await socket.ask("hello", frame_id="q1"))[-1]["type"] == "answer"
    await socket.close()
