"""Running answers: each accepted question is a task of the process and ends in one terminal state.

The task is held by a strong reference and outlives its socket. Whatever happens in it (a deadline, a stop,
an error nobody foresaw) becomes a terminal state here and nowhere else. While it runs, this process
holds the question's lease; a question whose lease went to another process is given up without a word.
"""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from django.db import DatabaseError, InterfaceError, OperationalError

from base.ids import new_uuid
from base.writer import Writer, WriterBusy
from chatbot import answering, leases
from chatbot.answering import Desk
from chatbot.asked import Asked, Outcome, Unsure
from chatbot.confirming import Confirming
from chatbot.deadlines import ENDING_S
from chatbot.frames import ErrorCode, ServerFrame
from chatbot.overdue import answer_overdue
from chatbot.performance import Performance
from chatbot.recording import record_answer, record_error
from chatbot.watchers import Watchers

logger = logging.getLogger(__name__)
OVERDUE_WITHIN_S = 1.0
FULL_WRITER_PAUSE_S = 0.2
DATABASE_PAUSE_S = 2.0


class Supervisor:
    """Starts, stops and ends the answers of this process."""

    def __init__(self, *, desk: Desk, writer: Writer, watchers: Watchers) -> None:
        self._desk = desk
        self._writer = writer
        self._watchers = watchers
        self.owner = new_uuid()
        self.confirming = Confirming(desk=desk, writer=writer, watchers=watchers, owner=self.owner)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._shown: dict[int, Performance] = {}
        self._stopping: set[int] = set()
        self._ending: set[int] = set()
        self._leased: set[int] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._running)

    def use(self, desk: Desk) -> None:
        """Answer by these parts from the next question on; running answers keep theirs."""
        self._desk = desk

    def start(self, asked: Asked) -> None:
        """Answer a question in a task of its own; a question that already runs is left alone."""
        if asked.question_id in self._running:
            return
        performance = Performance(asked, watchers=self._watchers, clock=self._desk.clock)
        self._shown[asked.question_id] = performance
        task = asyncio.create_task(
            self._run(asked, performance), name=f"question-{asked.question_id}"
        )
        self._running[asked.question_id] = task
        task.add_done_callback(lambda _: self._forget(asked.question_id))

    def stop(self, question_id: int) -> bool:
        """The shopper has heard enough; False when the question does not run here.

        An end that is being written down already is not taken back.
        """
        if question_id not in self._running:
            return False
        shown = self._shown.get(question_id)
        if shown is not None and question_id not in self._stopping | self._ending:
            self._stopping.add(question_id)
            if shown.begun:  # a task that is cancelled before its first step says nothing
                self._running[question_id].cancel()
        return True

    def in_progress(self, conversation_id: int) -> list[ServerFrame]:
        """Frames that bring a new viewer up to what running answers have shown so far."""
        frames: list[ServerFrame] = []
        for performance in self._shown.values():
            if performance.conversation_id == conversation_id and performance.text:
                frames += performance.so_far()
        return frames

    @property
    def running(self) -> frozenset[int]:
        """The questions that run here."""
        return frozenset(self._running)

    @property
    def conversations(self) -> frozenset[int]:
        """The conversations that a running answer belongs to."""
        return frozenset(performance.conversation_id for performance in self._shown.values())

    async def end_stopped(self, asked: Asked) -> None:
        """End a question that does not run here as stopped, so that nobody takes it up any more."""
        performance = Performance(asked, watchers=self._watchers, clock=self._desk.clock)
        try:
            frame = await self._stopped(asked, performance)
        finally:
            self._ending.discard(asked.question_id)
        if frame is not None:
            performance.publish(frame)

    async def renew_leases(self) -> None:
        """Keep the leases of running answers, and give up those that another process ended or took."""
        leased = frozenset(self._leased)
        if not leased:
            return
        held = await self._writer.run(
            partial(leases.renew, leased, owner=self.owner, now=self._desk.clock.now())
        )
        for question_id in (leased - held) & self._leased - self._ending - self._stopping:
            logger.warning("question %s went to another process", question_id)
            self._running[question_id].cancel()

    async def one_ends(self, *, timeout_s: float) -> None:
        """Wait until a running answer has ended, at most so long."""
        if self._running:
            await asyncio.wait(
                list(self._running.values()),
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )

    async def drain(self, *, timeout_s: float) -> int:
        """Let running answers finish; returns how many were still running when the time was over."""
        self.draining = True
        ends_at = asyncio.get_running_loop().time() + timeout_s
        while self._running:
            left_s = ends_at - asyncio.get_running_loop().time()
            if left_s <= 0:
                break
            await self.one_ends(timeout_s=left_s)
        return len(self._running)

    async def hand_back(self) -> int:
        """Break off what still runs and free its leases, so that it is taken up elsewhere at once."""
        broken_off, tasks = frozenset(self._running), list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            return await self._writer.run(
                partial(leases.hand_back, broken_off, owner=self.owner, now=self._desk.clock.now())
            )
        except (WriterBusy, DatabaseError):
            logger.exception("leases could not be freed; they run out by themselves")
            return len(tasks)

    def _forget(self, question_id: int) -> None:
        self._running.pop(question_id, None)
        self._shown.pop(question_id, None)

    async def _run(self, asked: Asked, performance: Performance) -> None:
        performance.begun = True
        try:
            frame = await self._perform(asked, performance)
        except asyncio.CancelledError:
            if asked.question_id not in self._stopping:
                raise
            frame = await self._stopped(asked, performance)
        except (WriterBusy, queue.Full):
            frame = await self._failed(asked, performance, "busy")
        except (OperationalError, InterfaceError):
            # No end can be written either. The lease runs out, and with the database back a sweep goes on.
            logger.exception("question %s is left open: the database is away", asked.question_id)
            frame = None
        except Exception:  # the boundary: an accepted question never ends without a word
            logger.exception("question %s failed", asked.question_id)
            frame = await self._failed(asked, performance, "internal")
        finally:
            self._stopping.discard(asked.question_id)
            self._ending.discard(asked.question_id)
            self._leased.discard(asked.question_id)
            self._shown.pop(asked.question_id, None)
        if frame is not None:
            performance.publish(frame)

    async def _perform(self, asked: Asked, performance: Performance) -> ServerFrame | None:
        if asked.question_id in self._stopping:
            raise asyncio.CancelledError
        if not await self._lease(asked):
            return None
        try:
            outcome = await self._answer(asked, performance)
        except leases.Lost:
            logger.info("question %s is another process's", asked.question_id)
            return None
        except TimeoutError:
            return await self._overdue(asked, performance)
        return await self._record(asked, outcome, performance, stopped=False)

    async def _answer(self, asked: Asked, performance: Performance) -> Outcome:
        """The story of a question; while the shopper is asked what was meant its clock stands still."""
        asked = await self.confirming.taken_up(asked)
        try:
            return await self._in_time(asked, performance)
        except Unsure:
            asked = await self.confirming.settled(asked)
        performance.go_on(asked)
        return await self._in_time(asked, performance)

    async def _in_time(self, asked: Asked, performance: Performance) -> Outcome:
        stage = replace(performance.stage, offer=partial(self.confirming.offer, asked))
        async with asyncio.timeout(asked.deadline_s - ENDING_S - self._desk.clock.monotonic_s()):
            return await answering.answer(
                asked, desk=self._desk, stage=stage, receipt=performance.receipt
            )

    async def _overdue(self, asked: Asked, performance: Performance) -> ServerFrame | None:
        """The time is over: the shop's article, or a word that there is no answer."""
        try:
            async with asyncio.timeout(OVERDUE_WITHIN_S):
                outcome = await answer_overdue(asked, desk=self._desk, receipt=performance.receipt)
        except TimeoutError:
            outcome = None
        if outcome is None:
            return await self._failed(asked, performance, "deadline")
        if performance.text:
            await performance.stage.restart()
        return await self._record(asked, outcome, performance, stopped=False)

    async def _lease(self, asked: Asked) -> bool:
        """Mark the question as worked on here; False when it is over or another process has it."""
        taken = await self._writer.run(
            partial(leases.take, asked.question_id, owner=self.owner, now=self._desk.clock.now())
        )
        if taken:
            self._leased.add(asked.question_id)
        return taken

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
