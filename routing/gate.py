"""The gate before every attempt: breaker, then limits, first come first served, per model.

Whoever must wait waits for a computed time or for a place to be given back; nothing is polled. A
wait that is longer than the caller's time is refused at once. One `Gate` belongs to one process;
its state outlives changes of the configuration, which take effect with the next call.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from base.clock import Clock
from routing.breaker import DEFAULT_POLICY, Breaker, Outcome, Pass, Policy, State
from routing.errors import BreakerOpen, Kind, Parked, Verdict, WouldMissDeadline
from routing.limits import Limiter, Reservation, share_of
from routing.specs import Limits, ModelSpec

OnWait = Callable[[float, int], Awaitable[None]]

NOTICE_AFTER_S = 1.0
MAX_WAITING = 1_000
DEFAULT_PAUSE_S = 1.0
# Money and quota come back without any change of our configuration, so they are asked for again.
RECHECK_S = 600.0
_PASSING = frozenset({Kind.QUOTA, Kind.PAYMENT})


@dataclass(frozen=True, slots=True)
class LaneState:
    """How one model at one endpoint stands, for people to look at."""

    endpoint_key: str
    model_name: str
    state: State
    reason: str
    in_flight: int
    waiting: int
    rate_factor: float


@dataclass(slots=True, eq=False)
class _Waiter:
    tokens: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class _Lane:
    """Breaker, limits and queue of one model at one endpoint."""

    def __init__(self, *, breaker: Breaker, now_s: float) -> None:
        self.breaker = breaker
        self.limiter = Limiter(Limits(), now_s=now_s)
        self.waiters: deque[_Waiter] = deque()
        self.tokens_waiting = 0
        self._configuration: tuple[ModelSpec, str] | None = None

    def take_over(self, model: ModelSpec, *, stamp: str, share: float, now_s: float) -> None:
        """Put the configuration in force; where it changed, a parked model may be tried again."""
        if self._configuration != (model, stamp):
            if self._configuration is not None:
                self.breaker.unpark()
            self._configuration = (model, stamp)
            self.limiter.apply(share_of(model.limits, share), now_s=now_s)
            self.wake_first()

    def check_open(self, now_s: float) -> None:
        """Raise Parked or BreakerOpen while no call may pass."""
        if self.breaker.may_admit(now_s=now_s):
            return
        retry_after_s = self.breaker.retry_after_s(now_s=now_s)
        if self.breaker.state(now_s=now_s) is State.PARKED:
            known_s = None if math.isinf(retry_after_s) else retry_after_s
            raise Parked(self.breaker.parked_reason, retry_after_s=known_s)
        message = "it failed too often lately"
        raise BreakerOpen(message, retry_after_s=retry_after_s)

    def eta_s(self, tokens: int, *, now_s: float) -> float:
        """The wait to expect for a call that joins the queue now."""
        return self.limiter.eta_s(
            tokens,
            now_s=now_s,
            requests_ahead=len(self.waiters),
            tokens_ahead=self.tokens_waiting,
        )

    def join(self, tokens: int) -> _Waiter:
        """Take the last place of the queue."""
        waiter = _Waiter(tokens)
        self.waiters.append(waiter)
        self.tokens_waiting += tokens
        return waiter

    def leave(self, waiter: _Waiter) -> None:
        """Give up a place; whoever is first now looks again."""
        self.waiters.remove(waiter)
        self.tokens_waiting -= waiter.tokens
        self.wake_first()

    def wake_first(self) -> None:
        """Let the first waiter look again."""
        if self.waiters:
            self.waiters[0].wake.set()


class Permit:
    """Leave to make one call now. Close it exactly once; further closings do nothing.

    As a context manager it closes itself as ignored, with the whole reservation charged, when
    nobody has closed it.
    """

    def __init__(
        self, lane: _Lane, *, held: Reservation, leave: Pass, clock: Clock, waited_s: float
    ) -> None:
        self._lane = lane
        self._held = held
        self._leave = leave
        self._clock = clock
        self.waited_s = waited_s

    def close(self, *, outcome: Outcome, used_tokens: int | None = None) -> None:
        """Report how the call ended and settle its tokens; None keeps the reservation charged."""
        if not self._held.is_open:
            return
        now_s = self._clock.monotonic_s()
        self._lane.limiter.settle(self._held, used_tokens=used_tokens, now_s=now_s)
        self._lane.breaker.report(self._leave, outcome, now_s=now_s)
        self._lane.wake_first()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(outcome=Outcome.IGNORED)


class Gate:
    """All lanes of one process. `random` gives numbers in [0, 1).

    Where several processes use the same keys, `share` is this one's part of every limit.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Callable[[], float],
        policy: Policy = DEFAULT_POLICY,
        max_waiting: int = MAX_WAITING,
        share: float = 1.0,
    ) -> None:
        self._clock = clock
        self._random = random
        self._policy = policy
        self._max_waiting = max_waiting
        self._share = share
        self._lanes: dict[tuple[str, str], _Lane] = {}

    def eta_s(self, model: ModelSpec, *, tokens: int, stamp: str = "") -> float:
        """Seconds until a call could start, 0 for now. Raises BreakerOpen, Parked or TooLarge."""
        lane, now_s = self._lane(model, stamp=stamp), self._clock.monotonic_s()
        lane.limiter.check_size(tokens)
        lane.check_open(now_s)
        return lane.eta_s(tokens, now_s=now_s)

    async def enter(
        self,
        model: ModelSpec,
        *,
        tokens: int,
        deadline_s: float,
        stamp: str = "",
        on_wait: OnWait | None = None,
    ) -> Permit:
        """Wait for the turn of this call; `tokens` is its prompt plus the most it may answer.

        `stamp` stands for the key and address in use: when it or the model's row changes, a parked
        model is tried again. `on_wait(eta_s, ahead)` is told once when the wait will be noticed.
        Raises TooLarge, BreakerOpen, Parked or WouldMissDeadline; then nothing is held.
        """
        lane, start_s = self._lane(model, stamp=stamp), self._clock.monotonic_s()
        lane.limiter.check_size(tokens)
        lane.check_open(start_s)
        if not lane.waiters and lane.limiter.wait_s(tokens, now_s=start_s) <= 0:
            return self._admit(lane, tokens=tokens, start_s=start_s)
        eta_s, ahead = lane.eta_s(tokens, now_s=start_s), len(lane.waiters)
        if start_s + eta_s > deadline_s or ahead >= self._max_waiting:
            raise _too_late(eta_s)
        waiter = lane.join(tokens)
        try:
            if on_wait is not None and eta_s >= NOTICE_AFTER_S:
                await on_wait(eta_s, ahead)
            await self._turn(lane, waiter, deadline_s=deadline_s)
            return self._admit(lane, tokens=tokens, start_s=start_s)
        finally:
            lane.leave(waiter)

    def heed(self, model: ModelSpec, verdict: Verdict, *, reason: str) -> None:
        """Do what a failed attempt asks for besides its outcome: pause, slow down, or park."""
        lane, now_s = self._lane(model), self._clock.monotonic_s()
        if verdict.park:
            until_s = math.inf
            if verdict.kind in _PASSING:
                until_s = now_s + (verdict.retry_after_s or RECHECK_S)
            lane.breaker.park(reason, until_s=until_s)
        elif verdict.kind is Kind.RATE:
            lane.limiter.slow_down(now_s=now_s)
            lane.limiter.pause(until_s=now_s + (verdict.retry_after_s or DEFAULT_PAUSE_S))
        elif verdict.retry_after_s is not None:
            lane.limiter.pause(until_s=now_s + verdict.retry_after_s)
        lane.wake_first()

    def unpark(self) -> None:
        """Try every parked model again: staff say that what was wrong is right now."""
        for lane in self._lanes.values():
            lane.breaker.unpark()

    def states(self) -> list[LaneState]:
        """How every lane used so far stands."""
        now_s = self._clock.monotonic_s()
        return [
            LaneState(
                endpoint_key=endpoint_key,
                model_name=model_name,
                state=lane.breaker.state(now_s=now_s),
                reason=lane.breaker.parked_reason,
                in_flight=lane.limiter.in_flight,
                waiting=len(lane.waiters),
                rate_factor=lane.limiter.factor(now_s=now_s),
            )
            for (endpoint_key, model_name), lane in sorted(self._lanes.items())
        ]

    def _lane(self, model: ModelSpec, *, stamp: str | None = None) -> _Lane:
        key, now_s = (model.endpoint.key, model.name), self._clock.monotonic_s()
        if key not in self._lanes:
            breaker = Breaker(random=self._random, policy=self._policy)
            self._lanes[key] = _Lane(breaker=breaker, now_s=now_s)
        if stamp is not None:
            self._lanes[key].take_over(model, stamp=stamp, share=self._share, now_s=now_s)
        return self._lanes[key]

    def _admit(self, lane: _Lane, *, tokens: int, start_s: float) -> Permit:
        now_s = self._clock.monotonic_s()
        leave = lane.breaker.admit(now_s=now_s)
        assert leave is not None
        held = lane.limiter.take(tokens, now_s=now_s)
        return Permit(lane, held=held, leave=leave, clock=self._clock, waited_s=now_s - start_s)

    async def _turn(self, lane: _Lane, waiter: _Waiter, *, deadline_s: float) -> None:
        """Come back when this waiter is first and its call may start."""
        while True:
            now_s = self._clock.monotonic_s()
            lane.check_open(now_s)
            wait_s = math.inf
            if lane.waiters[0] is waiter:
                wait_s = lane.limiter.wait_s(waiter.tokens, now_s=now_s)
                if wait_s <= 0:
                    return
            left_s = deadline_s - now_s
            if left_s <= 0 or left_s < wait_s < math.inf:
                raise _too_late(wait_s)
            await self._sleep(min(wait_s, left_s), wake=waiter.wake)

    async def _sleep(self, delay_s: float, *, wake: asyncio.Event) -> None:
        """Wait for the time, or for being woken, whichever is first."""

        def ring(_: asyncio.Future[None]) -> None:
            wake.set()

        wake.clear()
        alarm = asyncio.ensure_future(self._clock.sleep(delay_s))
        alarm.add_done_callback(ring)
        try:
            await wake.wait()
        finally:
            alarm.remove_done_callback(ring)  # a cancelled alarm must not ring for the next wait
            alarm.cancel()


def _too_late(wait_s: float) -> WouldMissDeadline:
    known_s = None if math.isinf(wait_s) else wait_s
    return WouldMissDeadline("its turn would come too late", retry_after_s=known_s)
