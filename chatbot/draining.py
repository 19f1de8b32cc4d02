"""What the first SIGTERM or Ctrl-C starts, before the web server closes anything.

Left to itself the web server closes every socket at once, and nobody sees the end of an answer that
runs. So the process takes the signal first: readiness goes off and no question is taken any more,
running answers finish, each socket closes with 1012 when nothing runs for it. Then, or at a second signal,
the web server gets the signal and does its own part. Any server that sets its handlers before the lifespan
starts can be used, with any number of processes.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from chatbot.runtime import DRAIN_S, Runtime

logger = logging.getLogger(__name__)
GOODBYE_S = 2.0
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Drain:
    """The orderly end of one runtime. Handlers belong to the main thread; elsewhere it does nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._before: dict[int, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._signals = 0

    def install(self) -> None:
        """Take the signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in SIGNALS}

    def remove(self) -> None:
        """Give the signals back and end what was begun."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if self._task is not None:
            self._task.cancel()

    def left_s(self) -> float:
        """How long an end without a signal of ours may still take: all of it, or nothing."""
        return 0.0 if self._signals else DRAIN_S

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            self._pass_on(number)
            return
        self._runtime.supervisor.draining = True
        self._runtime.loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        logger.info("stopping: running answers get %g s; a second signal ends them now", DRAIN_S)
        self._task = asyncio.create_task(self._drain(number), name="drain")

    async def _drain(self, number: int) -> None:
        try:
            await self._runtime.drain()
            await self._runtime.watchers.gone(timeout_s=GOODBYE_S)
        finally:
            if self._signals == 1:
                self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        """Let whoever had the signal before have it now."""
        before: Callable[..., object] | Any = self._before.get(number)
        if callable(before):
            before(number, None)
        elif before is not None:
            signal.signal(number, before)
            signal.raise_signal(number)
