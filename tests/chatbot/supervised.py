"""What the supervisor's tests share: accepted questions without a socket, and their frames."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from functools import partial
from typing import Any

from chatbot import transcript
from chatbot.asked import Asked
from chatbot.frames import ServerFrame
from chatbot.models import Frame, Question
from chatbot.runtime import Runtime
from chatbot.transcript import Accepted, Opened
from chatbot.watchers import Viewer

WAIT_S = 30.0
COURIER = "Which courier do you use?"
NO_ARTICLE = "What is the capital of Mongolia?"


async def opened(runtime: Runtime) -> Opened:
    """A new shopper's conversation."""
    return await runtime.writer.run(
        partial(
            transcript.open_conversation,
            site_key="default",
            shopper_public_id=None,
            locale="en",
            now=runtime.clock.now(),
            simulated=True,
        )
    )


async def accepted(
    runtime: Runtime, conversation: Opened, text: str = COURIER, *, client_id: str = "q1"
) -> Accepted:
    """An accepted question that nobody works on yet."""
    return await runtime.writer.run(
        partial(
            transcript.accept,
            conversation.conversation_id,
            client_id=client_id,
            text=text,
            locale="en",
            language="en",
            now=runtime.clock.now(),
            deadline_s=30.0,
        )
    )


async def asked(runtime: Runtime, text: str = COURIER, **changes: Any) -> Asked:
    """A question of a new shopper, ready to be answered; `changes` replace its fields."""
    conversation = await opened(runtime)
    question = await accepted(runtime, conversation, text)
    now_s = runtime.clock.monotonic_s()
    made = Asked(
        question_id=question.question_id,
        conversation_id=conversation.conversation_id,
        site_id=conversation.site_id,
        shopper_id=conversation.shopper_id,
        client_id="q1",
        text=text,
        locale="en",
        language="en",
        past_the_cache=False,
        started_s=now_s,
        deadline_s=now_s + WAIT_S,
        configuration=runtime.configuration,
        simulated=True,
    )
    return replace(made, **changes)


async def seen(viewer: Viewer, *types: str) -> list[ServerFrame]:
    """What a viewer sees, up to the first frame of these types."""
    frames: list[ServerFrame] = []
    while not frames or frames[-1]["type"] not in types:
        frame = await asyncio.wait_for(viewer.queue.get(), WAIT_S)
        assert frame is not None
        frames.append(frame)
    return frames


async def ended(runtime: Runtime, question: Asked) -> Question:
    """The row once its task is over."""
    await runtime.supervisor.drain(timeout_s=WAIT_S)
    return await runtime.reader.run(partial(Question.objects.get, id=question.question_id))


def terminal_frames() -> list[str]:
    """Types of the durable frames that end questions."""
    types = Frame.objects.exclude(body__type="accepted").values_list("body__type", flat=True)
    return list(types)


class Blocked:
    """A writer's job that waits until the test lets it go: what comes after it has to wait."""

    def __init__(self, runtime: Runtime) -> None:
        self._running, self._released = threading.Event(), threading.Event()
        self._done = runtime.writer.submit(self._job)

    def _job(self) -> None:
        self._running.set()
        self._released.wait(WAIT_S)

    async def reached(self) -> None:
        """Wait until the writer's thread stands at this job."""
        await asyncio.to_thread(self._running.wait, WAIT_S)

    def go_on(self) -> None:
        """Let the writer go on."""
        self._released.set()

    async def release(self) -> None:
        """Let the writer go on, and wait for the commit."""
        self.go_on()
        await asyncio.wrap_future(self._done)


async def settle() -> None:
    """Let every task that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)
