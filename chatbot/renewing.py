"""Serving an old answer while a new one is made, where staff allow it for the article that has changed.

Only to the same words, and only for as long as the new answer is under way: when it cannot be made, those
who ask in the next minute go the usual way. An answer whose own time is over is never served.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

from base.clock import Clock
from cache.store import Entry
from chatbot.asked import Asked, Outcome, Receipt, Stage
from chatbot.boundary import survive

MOST_AT_ONCE = 20
PAUSE_S = 60.0
MOST_PAUSED = 1_000
Think = Callable[[Asked, Stage, Receipt], Awaitable[Outcome]]


class Renewing:
    """The answers that this process makes anew behind those it serves; a bounded number of them."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[int, asyncio.Task[None]] = {}
        self._paused_until_s: OrderedDict[int, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, asked: Asked, old: Entry, *, think: Think) -> bool:
        """Whether a new answer is under way, begun now or before; then the old one may be served."""
        if old.answer_id in self._running:
            return True
        paused = self._clock.monotonic_s() < self._paused_until_s.get(old.answer_id, 0.0)
        if paused or len(self._running) >= MOST_AT_ONCE:
            return False
        task = asyncio.create_task(self._renew(asked, old, think), name=f"renew-{old.answer_id}")
        self._running[old.answer_id] = task
        task.add_done_callback(lambda _: self._running.pop(old.answer_id, None))
        return True

    async def stop(self) -> None:
        """Break off what runs."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _renew(self, asked: Asked, old: Entry, think: Think) -> None:
        silent = replace(asked, question_id=0, conversation_id=0, client_id="")
        outcome = await survive(
            think(silent, SILENT, Receipt()),
            otherwise=f"answer {old.answer_id} could not be made anew",
        )
        if outcome is None or (outcome.stored is None and outcome.entry is None):
            self._pause(old.answer_id)

    def _pause(self, answer_id: int) -> None:
        self._paused_until_s[answer_id] = self._clock.monotonic_s() + PAUSE_S
        self._paused_until_s.move_to_end(answer_id)
        if len(self._paused_until_s) > MOST_PAUSED:
            self._paused_until_s.popitem(last=False)


async def _nobody_sees(*_: object) -> None:
    """There is no shopper to show it to."""


SILENT = Stage(delta=_nobody_sees, restart=_nobody_sees, wait=_nobody_sees)
