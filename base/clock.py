"""Time as an argument: nothing in the decision code reads a clock of its own.

Guarantees: `monotonic_s` never steps back; `now` is an aware UTC datetime. Rates, waits and deadlines
use `monotonic_s`; rows, prices and validity dates use `now`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The three things code may ask of time."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never steps back."""
        ...

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    async def sleep(self, delay_s: float, /) -> None:
        """Wait `delay_s` seconds; zero or less only yields to the event loop."""
        ...


class SystemClock:
    """The machine's clocks, optionally moved by a fixed offset (for looking at a later day)."""

    def __init__(self, *, offset: timedelta = timedelta()) -> None:
        self._offset = offset

    def monotonic_s(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self._offset

    async def sleep(self, delay_s: float, /) -> None:
        await asyncio.sleep(max(0.0, delay_s))


class ManualClock:
    """A clock that moves only when told to; `sleep` moves it, so waiting costs no real time."""

    def __init__(self, *, now: datetime, monotonic_s: float = 1_000.0) -> None:
        self._now = now
        self._monotonic_s = monotonic_s

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def now(self) -> datetime:
        return self._now

    def advance(self, delta_s: float) -> None:
        """Move both clocks forward by `delta_s` seconds."""
        self._monotonic_s += delta_s
        self._now += timedelta(seconds=delta_s)

    async def sleep(self, delay_s: float, /) -> None:
        self.advance(max(0.0, delay_s))
        await asyncio.sleep(0)
