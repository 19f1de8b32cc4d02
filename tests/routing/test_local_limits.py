"""The limits of one process keep what every backend must keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from routing.lanes import LocalLimits
from routing.specs import Limits
from tests.routing.limits_suite import Bench, LimitsSuite, clock


class TestLocalLimits(LimitsSuite):
    """One process: every caller of it uses the same state."""

    @asynccontextmanager
    async def bench(self, limits: Limits, *, processes: int = 1) -> AsyncIterator[Bench]:
        time = clock()
        lane = LocalLimits(clock=time)
        lane.apply(limits)
        yield Bench(*[lane] * processes, clock=time)
