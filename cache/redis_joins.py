"""The questions in flight of a fleet, in Redis (`joining.lua`), by its time: what `joining` promises, across processes.

Each process keeps the vectors of the questions it has heard of and measures for itself; Redis decides
what flies, counts the joiners, and refuses a new leader as long as the caller has not heard of every
other one. Leaders renew a lease every second; one that dies is followed by another within `LEASE_S`. Who
waits for another process's leader learns of its end within `POLL_S`, after `catch_up` has brought this
process's cache up to what the leader stored.

Given up: while Redis is away only questions of the same process join; of what flew at that moment in
other processes nobody hears any more, so those who waited for it ask again here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from base.clock import Clock
from base.ids import new_uuid
from base.state import SharedState, StateAway, Value
from cache.joining import MOST_JOINERS, Asking, Forbids, Join, Landed, Near
from cache.joining_heard import Known, read, written
from cache.local_joins import LocalJoins, LocalLead

SCRIPT = Path(__file__).resolve().parent / "joining.lua"
LEASE_S, RENEW_EVERY_S, POLL_S = 3.0, 1.0, 0.1
MOST_CANDIDATES = 16
TRIES = 8
MOST_AT_ONCE = 8  # calls of one process: a burst opens no thousand connections
_PARTS = ("questions", "words", "leaders", "leases", "order", "joiners", "left", "landed", "last")
_Reply = tuple[list[Near], str, list[str]]


@dataclass(slots=True, eq=False)
class RedisLead:
    """A question that leads for the fleet."""

    joins: RedisJoins
    local: LocalLead

    def land(self, note: str | None) -> None:
        """Wake those who wait, here at once."""
        self._end("land", "-" if note is None else f"={note}")
        self.local.land(note)

    def abandon(self) -> None:
        """Let one of those who wait lead. Does nothing after `land`."""
        self._end("abandon")
        self.local.abandon()

    def _end(self, verb: str, *args: Value) -> None:
        if not self.local.outcome.done():
            self.joins.tell(self.local.asking.partition, verb, self.local.flight_id, *args)


class RedisJoins:
    """One process's view. `redis_time_s` replaces the server's time in tests only."""

    def __init__(
        self,
        *,
        state: SharedState,
        clock: Clock,
        catch_up: Callable[[], Awaitable[None]],
        redis_time_s: Callable[[], float] | None = None,
    ) -> None:
        self._state = state
        self._clock = clock
        self._catch_up = catch_up
        self._redis_time_s = redis_time_s
        self._local = LocalJoins()
        self._asking = asyncio.Semaphore(MOST_AT_ONCE)
        self._known: dict[str, Known] = {}
        self._own: dict[str, str] = {}  # id -> partition
        self._foreign: dict[str, tuple[str, asyncio.Future[Landed | None]]] = {}
        self._renewed_s = clock.monotonic_s()
        self._keeping: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._local)

    async def enter(self, asking: Asking, *, forbids: Forbids) -> RedisLead | LocalLead | Join:
        """Take a place behind a leader of the fleet, or lead; of this process while Redis is away."""
        known = self._known.setdefault(asking.partition, Known())
        flight_id = new_uuid()
        try:
            for left in reversed(range(TRIES)):
                asked = self._ask_for(asking, flight_id, forbids=forbids, leads=not left)
                named, word, rest = await self._or_give_back(asking, flight_id, asked)
                place = self._place(asking, flight_id, word, rest, named=named)
                if place is not None:
                    return place
                self._hear(known, rest)
        except StateAway:
            pass
        return await self._local.enter(asking, forbids=forbids)

    async def stop(self) -> None:
        """End renewing and asking; those who still wait are let go."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._release(list(self._foreign), None)

    def tell(self, partition: str, verb: str, flight_id: str, *args: Value) -> None:
        """Say that a flight of this process ended. Never waits."""
        self._own.pop(flight_id, None)
        known = self._known.get(partition)
        if known is not None:
            known.forget(flight_id)
        words = [verb, self._time(), flight_id, *args]
        self._state.send(SCRIPT, keys=_keys(partition), args=words)

    async def _ask_for(
        self, asking: Asking, flight_id: str, *, forbids: Forbids, leads: bool
    ) -> _Reply:
        """Redis's word on this question, with the flights that were named to it, nearest first."""
        known, named, vector = self._known[asking.partition], [], asking.vector
        async with self._asking:
            known.forget_old(now_s=self._clock.monotonic_s())
            if vector is not None:
                named = known.nearby.nearest(vector, forbids=forbids, count=MOST_CANDIDATES)
            args: list[Value] = [flight_id, asking.key, written(asking), LEASE_S, known.last]
            # Without a vector only the same words matter, and those Redis sees by itself.
            args += [int(leads or vector is None), MOST_JOINERS]
            args += [near.flight_id for near in named]
            reply = await self._run(asking.partition, "enter", *args)
        _forget_refused(known, named, taken=reply[1])
        return named, reply[0], reply[1:]

    async def _or_give_back(
        self, asking: Asking, flight_id: str, asked: Coroutine[Any, Any, _Reply]
    ) -> _Reply:
        """Wait for Redis's word; being cancelled gives a late lead back."""
        running = asyncio.create_task(asked)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(partial(self._give_back, asking, flight_id))
            raise

    def _give_back(self, asking: Asking, flight_id: str, done: asyncio.Task[_Reply]) -> None:
        if not done.cancelled() and done.exception() is None and done.result()[1] == "lead":
            self.tell(asking.partition, "abandon", flight_id)

    def _place(
        self, asking: Asking, flight_id: str, word: str, rest: list[str], *, named: list[Near]
    ) -> RedisLead | Join | None:
        """The place that Redis gave; None when it first told of others."""
        if word == "same":
            text, _ = read(rest[1])
            return Join(text, None, self._outcome(asking.partition, rest[0]))
        if word == "near":
            near = next(near for near in named if near.flight_id == rest[0])
            return Join(near.text, near.cosine, self._outcome(asking.partition, rest[0]))
        if word == "newer":
            return None
        return self._lead(asking, flight_id, number=int(rest[0]))

    def _lead(self, asking: Asking, flight_id: str, *, number: int) -> RedisLead:
        known = self._known[asking.partition]
        if number == known.last + 1:  # else others came before it, of whom nothing was heard yet
            self._hear(known, [str(number), flight_id, written(asking)])
        self._own[flight_id] = asking.partition
        self._keep()
        return RedisLead(self, self._local.lead(asking, flight_id=flight_id))

    def _hear(self, known: Known, rest: list[str]) -> None:
        for number, flight_id, question in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            known.hear(flight_id, question, now_s=self._clock.monotonic_s())
            known.last = int(number)

    def _outcome(self, partition: str, flight_id: str) -> asyncio.Future[Landed | None]:
        own = self._local.flight(flight_id)
        if own is not None:
            return own.outcome
        if flight_id not in self._foreign:
            future: asyncio.Future[Landed | None] = asyncio.get_running_loop().create_future()
            self._foreign[flight_id] = (partition, future)
            self._keep()
        return self._foreign[flight_id][1]

    def _keep(self) -> None:
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_up(), name="joins")

    async def _keep_up(self) -> None:
        """Renew leases and ask for the ends of others' flights, as long as there are any."""
        while self._own or self._foreign:
            await asyncio.sleep(POLL_S)
            kept_up = False
            try:
                await self.keep_up_once()
                kept_up = True
            finally:
                if not kept_up:  # those who wait must not wait for a task that is gone
                    self._release(list(self._foreign), None)

    async def keep_up_once(self) -> None:
        """One round of it; while Redis is away those who wait for other processes are let go."""
        try:
            if self._clock.monotonic_s() - self._renewed_s >= RENEW_EVERY_S:
                self._renewed_s = self._clock.monotonic_s()
                for partition, ids in _by_partition(self._own.items()).items():
                    await self._run(partition, "renew", LEASE_S, *ids)
            foreign = ((flight_id, place[0]) for flight_id, place in self._foreign.items())
            for partition, ids in _by_partition(foreign).items():
                ends = await self._run(partition, "ask", *ids)
                await self._end_foreign(dict(zip(ids, ends, strict=True)))
        except StateAway:
            self._release(list(self._foreign), None)

    async def _end_foreign(self, ends: dict[str, str]) -> None:
        if any(end.startswith("=") for end in ends.values()):
            await self._catch_up()
        for flight_id, end in ends.items():
            if end == "gone":
                self._release([flight_id], None)
            elif end != "flies":
                note = end[1:] if end.startswith("=") else None
                self._release([flight_id], Landed(note))

    def _release(self, flight_ids: list[str], landed: Landed | None) -> None:
        """Wake those who wait for flights of other processes."""
        for flight_id in flight_ids:
            partition, future = self._foreign.pop(flight_id)
            self._known.setdefault(partition, Known()).forget(flight_id)
            if not future.done():
                future.set_result(landed)

    async def _run(self, partition: str, verb: str, *args: Value) -> list[str]:
        words = [verb, self._time(), *args]
        return await self._state.run(SCRIPT, keys=_keys(partition), args=words)

    def _time(self) -> Value:
        return "" if self._redis_time_s is None else self._redis_time_s()


def _forget_refused(known: Known, named: list[Near], *, taken: str) -> None:
    """What Redis passed over has ended or is full, and stays so; `taken` is the one it took, if any."""
    for near in named:
        if near.flight_id == taken:
            return
        known.forget(near.flight_id)


def _keys(partition: str) -> list[str]:
    return [f"bw:join:{{{partition}}}:{part}" for part in _PARTS]


def _by_partition(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """(id, partition) -> the ids of each partition."""
    found: dict[str, list[str]] = {}
    for flight_id, partition in places:
        found.setdefault(partition, []).append(flight_id)
    return found
