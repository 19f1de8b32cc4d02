"""Running answers: each accepted question is a task of the process and ends in one terminal state.

The task is held by a strong reference and outlives its socket. Whatever happens in it (a deadline, a stop,
an error nobody foresaw) becomes a terminal state here and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import DatabaseError

from base.ids import new_uuid
from base.writer import Writer, WriterBusy
from chatbot import answering, transcript
from chatbot.answering import Desk
from chatbot.asked import Asked, Outcome, Receipt, Stage
from chatbot.frames import ErrorCode, ServerFrame
from chatbot.recording import record_answer, record_error
from chatbot.watchers import Watchers

logger = logging.getLogger(__name__)
LEASE_S = 60.0
GRACE_S = 2.0
FULL_WRITER_PAUSE_S = 0.2
DATABASE_PAUSE_S = 2.0


class Performance:
    """What one question has shown so far."""

    def __init__(self, asked: Asked, *, watchers: Watchers, desk: Desk) -> None:
        self._asked = asked
        self._watchers = watchers
        self._desk = desk
        self.text = ""
        self.first_content_ms: int | None = None
        self.receipt = Receipt()
        self.stage = Stage(delta=self._delta, restart=self._restart, wait=self._wait)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the question was accepted."""
        return round((self._desk.clock.monotonic_s() - self._asked.started_s) * 1000)

    @property
    def conversation_id(self) -> int:
        """The conversation that this belongs to."""
        return self._asked.conversation_id

    def so_far(self) -> list[ServerFrame]:
        """The text shown so far as a viewer who missed it needs it."""
        client_id = self._asked.client_id
        return [
            {"type": "restart", "id": client_id},
            {"type": "delta", "id": client_id, "text": self.text},
        ]

    def publish(self, frame: ServerFrame) -> None:
        """Show a frame to whoever looks at the conversation."""
        self._watchers.publish(self._asked.conversation_id, frame)

    async def _delta(self, text: str) -> None:
        if self.first_content_ms is None:
            self.first_content_ms = self.elapsed_ms
        self.text += text
        self.publish({"type": "delta", "id": self._asked.client_id, "text": text})

    async def _restart(self) -> None:
        self.text = ""
        self.publish({"type": "restart", "id": self._asked.client_id})

    async def _wait(self, eta_s: float, ahead: int) -> None:
        self.publish(
            {"type": "wait", "id": self._asked.client_id, "eta_s": round(eta_s, 1), "ahead": ahead}
        )


class Supervisor:
    """Starts, stops and ends the answers of this process."""

    def __init__(self, *, desk: Desk, writer: Writer, watchers: Watchers) -> None:
        self._desk = desk
        self._writer = writer
        self._watchers = watchers
        self._owner = new_uuid()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._shown: dict[int, Performance] = {}
        self._stopping: set[int] = set()
        self._ending: set[int] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._running)

    def start(self, asked: Asked) -> None:
        """Answer a question in a task of its own; a question that already runs is left alone."""
        if asked.question_id in self._running:
            return
        task = asyncio.create_task(self._run(asked), name=f"question-{asked.question_id}")
        self._running[asked.question_id] = task
        task.add_done_callback(lambda _: self._running.pop(asked.question_id, None))

    def stop(self, question_id: int) -> bool:
        """The shopper has heard enough; False when the question does not run here.

        An end that is being written down already is not taken back.
        """
        task = self._running.get(question_id)
        if task is None:
            return False
        if question_id not in self._stopping | self._ending:
            self._stopping.add(question_id)
            task.cancel()
        return True

    def in_progress(self, conversation_id: int) -> list[ServerFrame]:
        """Frames that bring a new viewer up to what running answers have shown so far."""
        frames: list[ServerFrame] = []
        for performance in self._shown.values():
            if performance.conversation_id == conversation_id and performance.text:
                frames += performance.so_far()
        return frames

    async def drain(self, *, timeout_s: float) -> int:
        """Let running answers finish; returns how many were still running when the time was over."""
        self.draining = True
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=timeout_s)
        return len(self._running)

    async def _run(self, asked: Asked) -> None:
        performance = Performance(asked, watchers=self._watchers, desk=self._desk)
        self._shown[asked.question_id] = performance
        try:
            frame = await self._perform(asked, performance)
        except asyncio.CancelledError:
            if asked.question_id not in self._stopping:
                raise
            frame = await self._stopped(asked, performance)
        except (WriterBusy, queue.Full):
            frame = await self._failed(asked, performance, "busy")
        except Exception:  # the boundary: an accepted question never ends without a word
            logger.exception("question %s failed", asked.question_id)
            frame = await self._failed(asked, performance, "internal")
        finally:
            self._stopping.discard(asked.question_id)
            self._ending.discard(asked.question_id)
            self._shown.pop(asked.question_id, None)
        if frame is not None:
            performance.publish(frame)

    async def _perform(self, asked: Asked, performance: Performance) -> ServerFrame | None:
        if not await self._lease(asked):
            return None
        left_s = asked.deadline_s - self._desk.clock.monotonic_s() + GRACE_S
        try:
            async with asyncio.timeout(left_s):
                outcome = await answering.answer(
                    asked, desk=self._desk, stage=performance.stage, receipt=performance.receipt
                )
        except TimeoutError:
            return await self._failed(asked, performance, "deadline")
        return await self._record(asked, outcome, performance, stopped=False)

    async def _lease(self, asked: Asked) -> bool:
        """Mark the question as being worked on; False when something ended it already."""
        until = self._desk.clock.now() + timedelta(seconds=LEASE_S)
        return await self._writer.run(
            partial(transcript.take_lease, asked.question_id, owner=self._owner, until=until)
        )

    async def _stopped(self, asked: Asked, performance: Performance) -> ServerFrame | None:
        outcome = Outcome(text=performance.text.strip(), origin="model", cache="bypass")
        return await self._record(asked, outcome, performance, stopped=True)

    async def _record(
        self, asked: Asked, outcome: Outcome, performance: Performance, *, stopped: bool
    ) -> ServerFrame | None:
        self._ending.add(asked.question_id)
        job = partial(
            record_answer,
            asked,
            outcome,
            receipt=performance.receipt,
            now=self._desk.clock.now(),
            total_ms=performance.elapsed_ms,
            first_content_ms=performance.first_content_ms,
            stopped=stopped,
        )
        return await self._write(job)

    async def _failed(
        self, asked: Asked, performance: Performance, code: ErrorCode
    ) -> ServerFrame | None:
        self._ending.add(asked.question_id)
        job = partial(
            record_error,
            asked,
            code,
            receipt=performance.receipt,
            now=self._desk.clock.now(),
            total_ms=performance.elapsed_ms,
        )
        return await self._write(job)

    async def _write(self, job: Callable[[], ServerFrame | None]) -> ServerFrame | None:
        """Write an end down, again and again until it is durable: an end is never dropped.

        The end is one conditional UPDATE, so a second try of one that did succeed writes nothing.
        """
        while True:
            try:
                return await self._writer.run(job)
            except WriterBusy:
                await self._desk.clock.sleep(FULL_WRITER_PAUSE_S)
            except DatabaseError:
                logger.exception("an end could not be written; trying again")
                await self._desk.clock.sleep(DATABASE_PAUSE_S)
