"""The limits of one lane for a whole fleet: the state lives in Redis (`lane.lua`), by its time.

Guarantees kept: what all processes take together stays within the limits; a pause holds for every
process as soon as Redis knows it; half-open probes are counted over the fleet. Above 100 calls a
second a process takes calls in leases of at most 40 ms, so that a pause is obeyed by all within
that time; a pause that this process makes voids its own lease at once, and what is left of a lease
from before a pause is not used after it (`epoch`).

Given up: order between processes (each has its own queue); a settlement that is lost while Redis is
away leaves its reservation charged until the minute is over, and its place in flight until the
lease ends. While Redis is away every process keeps to its own part of the limits, `1 / members`,
starting from an empty bucket.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from base.clock import Clock
from base.ids import new_uuid
from base.state import SharedState, StateAway, Value
from routing.breaker import DEFAULT_POLICY, Breaker, Outcome, State
from routing.fleet_view import FleetView
from routing.lanes import (
    Answer,
    FleetOpen,
    FleetParked,
    FleetProbing,
    Held,
    LocalLimits,
    Standing,
    Wait,
)
from routing.limits import AMOUNTS, TOLD_FOR_S, Told, share_of
from routing.sights import Sight
from routing.specs import Limits, Need, RateState

SCRIPT = Path(__file__).resolve().parent / "lane.lua"
RECHECK_S = 0.1
CALL_LEASE_S = 180.0
BATCH_ABOVE_PER_S = 100.0
BATCH_S = 0.04
MAX_BATCH = 50
_NOTHING_LEFT = RateState(
    remaining_requests=0, remaining_tokens=0, remaining_input_tokens=0, remaining_output_tokens=0
)
_WORDS = {Outcome.SUCCESS: "ok", Outcome.SLOW: "bad", Outcome.FAILURE: "bad", Outcome.IGNORED: ""}


@dataclass(slots=True)
class _Batch:
    """Calls granted in advance, each of at most `need`."""

    need: Need
    slot: int
    until_s: float
    epoch: str
    identities: list[str]


class RedisLimits:
    """One lane's limits, shared. `redis_time_s` replaces the server's time in tests only."""

    recheck_s = RECHECK_S

    def __init__(
        self,
        key: tuple[str, str],
        *,
        state: SharedState,
        clock: Clock,
        redis_time_s: Callable[[], float] | None = None,
    ) -> None:
        lane = "bw:lane:{" + "/".join(key) + "}"
        self._keys = [lane, f"{lane}:flying", f"{lane}:probes", f"{lane}:waiting", f"{lane}:day"]
        self._state = state
        self._clock = clock
        self._redis_time_s = redis_time_s
        self._limits = Limits()
        self._told = Told()
        self._view = FleetView(clock=clock)
        self._own = LocalLimits(clock=clock)
        self._alone = False
        self._batch: _Batch | None = None

    def apply(self, limits: Limits) -> None:
        """Put the configured limits in force; what was taken before still counts."""
        self._limits = limits
        self._own.apply(share_of(limits, 1 / self._state.members))

    async def take(self, need: Need, *, waiting: int, breaker: Breaker) -> Answer:
        """All dimensions at once, or none. Being cancelled gives a late grant back."""
        if (held := self._from_batch(need)) is not None:
            return held
        asking = asyncio.ensure_future(self._ask(need, waiting=waiting, breaker=breaker))
        try:
            answer = await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._give_back)
            raise
        except StateAway:
            self._go_alone()
            return await self._own.take(need, waiting=waiting, breaker=breaker)
        self._alone = False
        return answer

    def settle(self, held: Held, *, used: Need | None, outcome: Outcome) -> None:
        """End a call, once; `used` None keeps the reservation charged. Never waits."""
        if not isinstance(held.reference, str):
            self._own.settle(held, used=used, outcome=outcome)
            return
        held_s = self._clock.monotonic_s() - held.at_s
        self._view.settled(need=held.need, used=used, held_s=held_s)
        identity, slot = held.reference.rsplit("@", 1)
        charged = held.need if used is None else used
        args: list[Value] = [identity, int(slot), _WORDS[outcome], DEFAULT_POLICY.permits]
        args += self._dimensions()
        for name in self._kept():
            args += [AMOUNTS[name](held.need), AMOUNTS[name](charged)]
        self._tell("settle", *args)

    def eta_s(self, need: Need, *, requests_ahead: int, ahead: Need) -> float:
        """The wait to expect behind others of this process; finite, an estimate."""
        if self._alone:
            return self._own.eta_s(need, requests_ahead=requests_ahead, ahead=ahead)
        return self._view.eta_s(
            need,
            kept=self._kept(),
            in_flight=self._limits.in_flight,
            requests_ahead=requests_ahead,
            ahead=ahead,
        )

    def pause(self, *, until_s: float) -> None:
        """Let nothing through before `until_s`, in the whole fleet."""
        self._drop_batch()
        self._view.pause(until_s=until_s)
        self._own.pause(until_s=until_s)
        self._tell("pause", max(0.0, until_s - self._clock.monotonic_s()), urgent=True)

    def slow_down(self) -> None:
        """The vendor refused unexpectedly: lower the rate for a while."""
        self._own.slow_down()
        self._tell("slow")

    def observe(self, state: RateState) -> None:
        """Heed what a response told of the limits."""
        self._told.hear(state, now_s=self._clock.monotonic_s())
        args: list[Value] = [TOLD_FOR_S, *self._dimensions()]
        for name in self._kept():
            for told in (getattr(state, f"limit_{name}"), getattr(state, f"remaining_{name}")):
                args.append(-1 if told is None else told)
        self._tell("observe", *args)

    def tell_open(self, *, until_s: float) -> None:
        """This process's breaker opened."""
        self._drop_batch()
        self._tell("open", max(0.0, until_s - self._clock.monotonic_s()), urgent=True)

    def tell_parked(self, reason: str, *, until_s: float) -> None:
        """This process parked the model; infinite `until_s` = until something changes."""
        self._drop_batch()
        left_s = -1.0 if math.isinf(until_s) else max(0.0, until_s - self._clock.monotonic_s())
        self._tell("park", left_s, reason, urgent=True)

    def tell_reset(self) -> None:
        """Staff or a changed configuration say that the model may be tried again."""
        self._tell("reset", urgent=True)

    def standing(self) -> Standing:
        """How the limits stand, as of the last word with Redis."""
        if self._alone:
            own = self._own.standing()
            return Standing(own.in_flight, own.factor, degraded=True)
        return Standing(self._view.in_flight, self._view.factor)

    async def look(self) -> Sight:
        """How every limit stands now; this process's own part while Redis is away."""
        kept, per_day = self._kept(), self._limits.requests_per_day
        per_day = -1 if per_day is None else per_day
        try:
            return self._view.see(await self._run("look", per_day, *self._dimensions()), kept=kept)
        except StateAway:
            return replace(await self._own.look(), degraded=True)

    async def _ask(self, need: Need, *, waiting: int, breaker: Breaker) -> Answer:
        probing = breaker.state(now_s=self._clock.monotonic_s()) is State.HALF_OPEN
        count = 1 if probing else self._batch_size(waiting)
        answer = await self._ask_for(need, count=count, waiting=waiting, probing=probing)
        if isinstance(answer, Wait) and count > 1:
            answer = await self._ask_for(need, count=1, waiting=waiting, probing=probing)
        if answer is None:  # the fleet's probes went well; go on as closed
            breaker.reset()
            answer = await self._ask_for(need, count=1, waiting=waiting, probing=False)
        return answer if answer is not None else Wait(RECHECK_S)

    async def _ask_for(
        self, need: Need, *, count: int, waiting: int, probing: bool
    ) -> Answer | None:
        """The lane's answer; None = the fleet holds the model for well."""
        identity, kept = new_uuid(), self._kept()
        cap, per_day = self._limits.in_flight, self._limits.requests_per_day
        args: list[Value] = [
            *(self._state.process_id, waiting, int(probing)),
            *(DEFAULT_POLICY.permits, DEFAULT_POLICY.lease_s, CALL_LEASE_S),
            *(-1 if cap is None else cap, -1 if per_day is None else per_day),
            *(identity, count),
            *self._dimensions(),
            *(AMOUNTS[name](need) for name in kept),
        ]
        word, *rest = await self._run("take", *args)
        if word == "well":
            return None
        if word == "open":
            return FleetOpen(float(rest[0]))
        if word == "probing":
            return FleetProbing(float(rest[0]))
        if word == "parked":
            left_s = float(rest[0])
            return FleetParked(rest[1], None if left_s < 0 else left_s)
        number, *values = rest
        self._view.hear(values, names=list(kept))
        if self._batch is not None and self._batch.epoch != values[3]:
            self._drop_batch()
        if word == "wait":
            wait_s = float(number)
            return Wait(math.inf if wait_s < 0 else wait_s)
        slot, now_s = int(number), self._clock.monotonic_s()
        if count > 1:
            later = [f"{identity}:{index}" for index in range(2, count + 1)]
            self._drop_batch()
            self._batch = _Batch(need, slot, now_s + BATCH_S, values[3], later)
        return Held(need, now_s, f"{identity}:1@{slot}")

    def _from_batch(self, need: Need) -> Held | None:
        batch, now_s = self._batch, self._clock.monotonic_s()
        if batch is None:
            return None
        fits = (
            need.input_tokens <= batch.need.input_tokens
            and need.output_tokens <= batch.need.output_tokens
        )
        if now_s >= batch.until_s or not batch.identities:
            self._drop_batch()
            return None
        if not fits:
            return None
        return Held(batch.need, now_s, f"{batch.identities.pop()}@{batch.slot}")

    def _drop_batch(self) -> None:
        """Give back what is left of a lease."""
        batch, self._batch = self._batch, None
        for identity in batch.identities if batch is not None else ():
            assert batch is not None
            held = Held(batch.need, self._clock.monotonic_s(), f"{identity}@{batch.slot}")
            self.settle(held, used=Need(0), outcome=Outcome.IGNORED)

    def _batch_size(self, waiting: int) -> int:
        per_minute = self._kept().get("requests")
        per_s = math.inf if per_minute is None else per_minute / 60
        if math.isinf(per_s) or per_s <= BATCH_ABOVE_PER_S:
            return 1
        return max(1, min(waiting, MAX_BATCH, math.floor(per_s * BATCH_S)))

    def _give_back(self, asking: asyncio.Future[Answer]) -> None:
        """The caller left while Redis was asked: what it got goes back."""
        if not asking.cancelled() and asking.exception() is None:
            answer = asking.result()
            if isinstance(answer, Held):
                self.settle(answer, used=Need(0), outcome=Outcome.IGNORED)

    def _go_alone(self) -> None:
        """Keep to this process's own part of the limits for as long as Redis is away."""
        if not self._alone:
            self._alone = True
            self._drop_batch()
            self._own.apply(share_of(self._limits, 1 / self._state.members))
            self._own.observe(_NOTHING_LEFT)

    def _kept(self) -> dict[str, int]:
        return self._told.applied(self._limits, now_s=self._clock.monotonic_s())

    def _dimensions(self) -> list[Value]:
        kept = self._kept()
        return [len(kept), *(value for item in kept.items() for value in item)]

    async def _run(self, verb: str, *args: Value) -> list[str]:
        return await self._state.run(SCRIPT, keys=self._keys, args=[verb, self._time(), *args])

    def _tell(self, verb: str, *args: Value, urgent: bool = False) -> None:
        words = [verb, self._time(), *args]
        self._state.send(SCRIPT, keys=self._keys, args=words, urgent=urgent)

    def _time(self) -> Value:
        return "" if self._redis_time_s is None else self._redis_time_s()
