"""The process: its runtime between start and stop, and the in-process Celery worker beside it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from chatbot.draining import Drain
from chatbot.runtime import Runtime
from chatbot.worker import InProcessWorker


class Process:
    """Holds the one runtime of this process."""

    _current: Process | None = None

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._worker = InProcessWorker() if settings.CELERY_IN_PROCESS else None

    @classmethod
    def current(cls) -> Process:
        """The process's one instance."""
        if cls._current is None:
            cls._current = cls()
        return cls._current

    @classmethod
    def serving(cls) -> Runtime | None:
        """The running parts of this interpreter, or None; unlike `current` it makes nothing."""
        return None if cls._current is None else cls._current.running

    @property
    def runtime(self) -> Runtime:
        """The running parts. Raises RuntimeError before start-up."""
        if self._runtime is None:
            message = "the site has not started: run it with `python manage.py serve`"
            raise RuntimeError(message)
        return self._runtime

    @property
    def running(self) -> Runtime | None:
        """The running parts, or None in a process that does not serve."""
        return self._runtime

    @property
    def ready(self) -> bool:
        """Whether questions are taken right now."""
        return self.state == "ok"

    @property
    def state(self) -> str:
        """`ok`, `stopping` (an orderly end has begun) or `not ready`."""
        if self._runtime is None:
            return "not ready"
        return "stopping" if self._runtime.supervisor.draining else "ok"

    async def start(self, runtime: Runtime | None = None) -> None:
        """Build and start the parts."""
        started = runtime if runtime is not None else await asyncio.to_thread(Runtime)
        await started.start()
        self._runtime = started
        self._drain = Drain(started)
        self._drain.install()
        if self._worker is not None:
            self._worker.start()
        # What is loaded now stays: a collection need not look at it again, nor does the end of the process.
        gc.freeze()

    async def stop(self) -> None:
        """Take no more questions, stop the background work, then let running answers finish.

        What a signal began (`draining.py`) is not done twice, and not at all once the user is in a hurry.
        """
        if self._runtime is None:
            return
        drain_s = self._drain.left_s()
        self._drain.remove()
        self._runtime.supervisor.draining = True
        if self._worker is not None:
            await asyncio.to_thread(self._worker.stop)
        await self._runtime.stop(drain_s=drain_s)
        self._runtime = None

    async def lifespan(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """The ASGI lifespan protocol: a failed start ends the server with its message."""
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})
