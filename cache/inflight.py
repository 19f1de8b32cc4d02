"""Waiting for the same question instead of asking twice (single-flight on the exact key).

The first asker of a key leads; the others wait for the leader's outcome. A shareable answer serves all;
otherwise each goes its own way at once (not one after the other). When the leader fails or is
stopped, one waiter becomes the new leader. In this process only; all calls come from one event loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """What a leader left: an answer for everyone, or None when it may not be shared."""

    value: T | None


class Flight(Generic[T]):
    """The leader's handle: `land` exactly once; leaving without it promotes a waiter."""

    def __init__(self, flights: InFlight[T], key: str) -> None:
        self._flights = flights
        self._key = key
        self.outcome: asyncio.Future[Shared[T] | None] = asyncio.get_running_loop().create_future()

    def land(self, value: T | None) -> None:
        """Give the waiters the answer, or None: not shareable, go your own way."""
        self._end(Shared(value))

    def abandon(self) -> None:
        """The leader failed: a waiter may lead. Does nothing after `land`."""
        self._end(None)

    def _end(self, outcome: Shared[T] | None) -> None:
        if not self.outcome.done():
            self._flights.forget(self._key)
            self.outcome.set_result(outcome)


class InFlight(Generic[T]):
    """The flights of this process by key."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def forget(self, key: str) -> None:
        """A flight ended; the next asker of `key` leads anew."""
        self._flights.pop(key, None)

    async def lead_or_wait(self, key: str) -> Flight[T] | Shared[T]:
        """Become the leader of `key` (a Flight), or wait for what the leader leaves (Shared)."""
        while True:
            running = self._flights.get(key)
            if running is None:
                flight = Flight(self, key)
                self._flights[key] = flight
                return flight
            outcome = await asyncio.shield(running.outcome)
            if outcome is not None:
                return outcome
