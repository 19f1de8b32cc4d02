"""Time for the simulator; every wait and every date goes through a `Clock` that callers inject."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the simulator needs from time."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that never go back; integers, so that window edges are exact."""

    def now(self) -> datetime:
        """The simulated UTC date and time."""

    async def sleep(self, seconds_s: float, *, until: asyncio.Future[None]) -> None:
        """Let `seconds_s` pass, less if `until` is done before."""


class SystemClock:
    """The machine's clock; `today` moves the date of `now()` but not its pace."""

    def __init__(self, today: date | None = None) -> None:
        self._shift = timedelta()
        if today is not None:
            self._shift = timedelta(days=(today - datetime.now(UTC).date()).days)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    async def sleep(self, seconds_s: float, *, until: asyncio.Future[None]) -> None:
        if until.done():
            return
        if seconds_s <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()

        def wake(_: object = None) -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = loop.call_later(seconds_s, wake)
        until.add_done_callback(wake)
        try:
            await waiter
        finally:
            timer.cancel()
            until.remove_done_callback(wake)


class ManualClock:
    """A clock that moves only when told; `sleep` returns at once and adds to `slept_s`."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_ns = 0
        self.slept_s = 0.0

    def monotonic_ns(self) -> int:
        return self._elapsed_ns

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._elapsed_ns // 1000)

    async def sleep(self, seconds_s: float, *, until: asyncio.Future[None]) -> None:
        self.slept_s += seconds_s
        await asyncio.sleep(0)

    def advance(self, seconds_s: float) -> None:
        """Move both the monotonic time and the date forward."""
        self._elapsed_ns += round(seconds_s * 1e9)
