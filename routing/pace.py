"""When the next content of a call is due, and an end to the wait for it.

One timer serves a whole call. It is armed once and looks at the time that is due when it rings,
because setting a timer anew for every piece of a stream costs more than reading the piece.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Pace:
    """The bounds of one call in the event loop's time, and what came so far.

    `with pace:` around an await ends it with TimeoutError when content is overdue, at once if it is
    already. Only the task that waits there is interrupted, and another's cancelling passes through.
    """

    def __init__(self, *, deadline_at: float, due_at: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline_at = deadline_at
        self._when = min(deadline_at, due_at)
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._expired = False
        self.answered = False
        self.shown = False
        self.request_id = ""

    def due_in(self, delay_s: float) -> None:
        """The next content is due that long from now, and never after the deadline."""
        self._when = min(self._deadline_at, self._loop.time() + delay_s)

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        if self._when <= self._loop.time():
            raise TimeoutError
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        if self._timer is not None and self._when < self._timer.when():
            self.close()
        if self._timer is None:
            self._timer = self._loop.call_at(self._when, self._ring)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task, self._task = self._task, None
        if self._expired:
            self._expired = False
            assert task is not None
            if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _ring(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._when:
            self._timer = self._loop.call_at(self._when, self._ring)
            return
        self._expired = True
        self._task.cancel()
