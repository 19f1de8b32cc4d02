"""Callers at one gate, in stepped time."""

from __future__ import annotations

import asyncio
from typing import Any

from routing.breaker import Outcome
from routing.gate import Gate, Permit
from routing.specs import ModelSpec
from tests.routing.helpers import SteppedClock, settle


class Crowd:
    """Callers at one gate; remembers in which order they got in."""

    def __init__(self, spec: ModelSpec, *, max_waiting: int = 1_000) -> None:
        self.clock = SteppedClock()
        self.gate = Gate(clock=self.clock, random=lambda: 0.5, max_waiting=max_waiting)
        self.spec = spec
        self.inside: list[str] = []
        self.permits: dict[str, Permit] = {}
        self.notices: list[tuple[str, float, int]] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, *, tokens: int = 10, left_s: float = 60.0) -> None:
        """Let a caller enter, in a task of its own."""
        self.tasks[name] = asyncio.create_task(self._enter(name, tokens=tokens, left_s=left_s))
        await settle()

    async def _enter(self, name: str, *, tokens: int, left_s: float) -> None:
        async def notice(eta_s: float, ahead: int) -> None:
            self.notices.append((name, round(eta_s, 2), ahead))

        self.permits[name] = await self.gate.enter(
            self.spec,
            tokens=tokens,
            deadline_s=self.clock.monotonic_s() + left_s,
            on_wait=notice,
        )
        self.inside.append(name)

    def close(self, name: str, *, outcome: Outcome = Outcome.SUCCESS, **more: Any) -> None:
        """End a caller's call."""
        self.permits[name].close(outcome=outcome, **more)

    def error_of(self, name: str) -> BaseException | None:
        """What a caller was refused with."""
        return self.tasks[name].exception()
