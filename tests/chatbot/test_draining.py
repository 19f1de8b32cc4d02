"""An orderly end: readiness off, running answers seen to their ends, then every socket closes with 1012."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from functools import partial
from typing import Any

from sockets import WAIT_S, Socket, opened
from supervised import COURIER, terminal_frames

from chatbot.draining import Drain
from chatbot.models import Question
from chatbot.process import Process
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator


async def frames_until_closed(socket: Socket) -> tuple[list[str], int]:
    """Types of the frames that still come, and the code that the socket closes with."""
    types = []
    while True:
        event = await socket.wire.receive_output(timeout=WAIT_S)
        if event["type"] == "websocket.close":
            return types, int(event["code"])
        types.append(str(json.loads(event["text"])["type"]))


async def asking(runtime: Runtime, vendor: RunningSimulator, *, hangs_s: float | None) -> Socket:
    """A socket whose question has been accepted; the vendor takes `hangs_s`, or for ever."""
    vendor.fault("hang", options={} if hangs_s is None else {"max_s": hangs_s})
    socket = await opened(runtime)
    await socket.send("ask", id="q1", text=COURIER)
    assert (await socket.receive())["type"] == "accepted"
    return socket


async def test_running_answers_are_seen_to_their_ends(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The shopper who waits sees the whole answer, then 1012; who waits for nothing gets 1012 at once."""
    idle = await opened(runtime)
    busy = await asking(runtime, vendors_at_simulator, hangs_s=0.5)
    draining = asyncio.create_task(runtime.drain(timeout_s=WAIT_S))
    assert await frames_until_closed(idle) == ([], 1012)
    assert len(runtime.supervisor) == 1
    types, code = await frames_until_closed(busy)
    await draining
    assert (types[-1], code) == ("answer", 1012)


async def test_question_during_the_drain_is_left_to_the_next_process(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """It is not accepted, and the socket closes with 1012, so the page sends it again elsewhere."""
    socket = await opened(runtime)
    runtime.supervisor.draining = True
    await socket.send("ask", id="q1", text=COURIER)
    assert await frames_until_closed(socket) == ([], 1012)
    assert await runtime.reader.run(Question.objects.count) == 0


async def test_what_hangs_is_broken_off_and_freed(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """An answer that outlasts the drain stays open without a lease: the next process has it at once."""
    socket = await asking(runtime, vendors_at_simulator, hangs_s=None)
    await runtime.drain(timeout_s=0)
    assert (await frames_until_closed(socket))[1] == 1012
    assert await runtime.reader.run(terminal_frames) == []
    later = Runtime(embedder=runtime.embedder)
    vendors_at_simulator.heal()
    await later.start()
    await later.supervisor.drain(timeout_s=WAIT_S)
    await later.stop()
    row = await runtime.reader.run(partial(Question.objects.get, client_id="q1"))
    assert (row.state, row.origin) == ("answered", "model")
    assert await runtime.reader.run(terminal_frames) == ["answer"]


async def test_signal_drains_before_the_server_hears_of_it(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The first SIGTERM turns readiness off and drains; only then has the web server its signal."""
    heard: list[int] = []
    told = asyncio.Event()

    def server(number: int, _: Any) -> None:
        heard.append(number)
        told.set()

    before = signal.signal(signal.SIGTERM, server)
    drain = Drain(runtime)
    drain.install()
    try:
        socket = await asking(runtime, vendors_at_simulator, hangs_s=0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        types, code = await frames_until_closed(socket)
        assert (types[-1], code, runtime.supervisor.draining) == ("answer", 1012, True)
        await socket.close()
        await asyncio.wait_for(told.wait(), WAIT_S)
        assert heard == [signal.SIGTERM]
    finally:
        drain.remove()
        assert signal.signal(signal.SIGTERM, before) is server


async def test_second_signal_ends_at_once(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Whoever signals twice does not wait for answers: the web server has the signal now."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    drain = Drain(runtime)
    drain.install()
    try:
        await asking(runtime, vendors_at_simulator, hangs_s=None)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        assert heard == []
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        assert heard == [signal.SIGTERM]
        assert drain.left_s() == 0
    finally:
        drain.remove()
        signal.signal(signal.SIGTERM, before)
        await runtime.drain(timeout_s=0)


async def test_readiness_says_that_it_stops(runtime: Runtime, settings: Any) -> None:
    """A process that drains is not ready, and says why."""
    settings.CELERY_IN_PROCESS = False
    process = Process()
    process._runtime = runtime
    assert (process.ready, process.state) == (True, "ok")
    runtime.supervisor.draining = True
    assert (process.ready, process.state) == (False, "stopping")
