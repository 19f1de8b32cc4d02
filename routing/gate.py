"""The gate before every attempt: breaker, then the queue, then all limits together, per model.

Whoever must wait waits for a computed time or for a place to be given back. A wait that is longer
than the caller's time is refused at once, and so is a waiting caller whose turn moves beyond it
because more urgent ones came. One `Gate` belongs to one process; where the limits' state lives is
the business of `LaneLimits`. Its state outlives changes of the configuration, which take effect with
the next call.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable

from base.clock import Clock
from routing.breaker import DEFAULT_POLICY, Breaker, Outcome, Policy, State
from routing.errors import Kind, Verdict
from routing.lanes import Bar, Held, Lane, LaneLimits, LocalLimits, Wait, too_late
from routing.limits import check_size
from routing.permits import NOBODY, Caller, LaneState, LaneView, Permit, state_of
from routing.shaper import Full, Place, Urgency
from routing.specs import HoldSpec, ModelSpec, Need

__all__ = ["Caller", "Gate", "LaneState", "LaneView", "LimitsFor", "OnWait", "Permit"]

OnWait = Callable[[float, int], Awaitable[None]]
LimitsFor = Callable[[tuple[str, str]], LaneLimits]

NOTICE_AFTER_S = 1.0
# What is shown is a promise that most waits keep, so a little is added to what is expected.
SHOWN_MARGIN = 1.2
MAX_WAITING = 1_000
DEFAULT_PAUSE_S = 1.0
# A longer wait is a mistake or a quota; after an hour the vendor is asked again.
LONGEST_PAUSE_S = 3_600.0
# Money and quota come back without any change of our configuration, so they are asked for again.
RECHECK_S = 600.0
_PASSING = frozenset({Kind.QUOTA, Kind.PAYMENT})


class Gate:
    """All lanes of one process. `random` gives numbers in [0, 1).

    `limits_for` says where a lane's limits live; without it they live here, and `share` is this
    process's part of every limit where several use the same keys.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Callable[[], float],
        policy: Policy = DEFAULT_POLICY,
        max_waiting: int = MAX_WAITING,
        share: float = 1.0,
        limits_for: LimitsFor | None = None,
    ) -> None:
        self._clock = clock
        self._random = random
        self._policy = policy
        self._max_waiting = max_waiting
        self._limits_for = limits_for or (lambda _: LocalLimits(clock=clock, share=share))
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._decisions: dict[tuple[str, str], HoldSpec] | None = None

    def eta_s(
        self,
        model: ModelSpec,
        *,
        tokens: int,
        output_tokens: int = 0,
        stamp: str = "",
        caller: Caller = NOBODY,
    ) -> float:
        """Seconds until a call could start, 0 for now. Raises BreakerOpen, Parked or TooLarge."""
        need = Need(tokens - output_tokens, output_tokens)
        lane, now_s = self._lane(model, stamp=stamp), self._clock.monotonic_s()
        check_size(need, model.limits)
        lane.check_open(now_s)
        place = lane.queue.planned(
            need, flow=caller.flow, urgency=caller.urgency, deadline_s=math.inf
        )
        return lane.eta_s(place)

    async def enter(
        self,
        model: ModelSpec,
        *,
        tokens: int,
        output_tokens: int = 0,
        deadline_s: float,
        stamp: str = "",
        caller: Caller = NOBODY,
        on_wait: OnWait | None = None,
    ) -> Permit:
        """Wait for the turn of this call; `tokens` is its prompt plus the most it may answer.

        `output_tokens` is the part of them that the answer may take. `stamp` stands for the key and
        address in use: when it or the model's row changes, a parked model is tried again.
        `on_wait(eta_s, ahead)` is told once when the wait will be noticed. Raises TooLarge,
        BreakerOpen, Parked or WouldMissDeadline; then nothing is held.
        """
        need = Need(tokens - output_tokens, output_tokens)
        lane, start_s = self._lane(model, stamp=stamp), self._clock.monotonic_s()
        check_size(need, model.limits)
        lane.check_open(start_s)
        place = lane.queue.planned(
            need, flow=caller.flow, urgency=caller.urgency, deadline_s=deadline_s
        )
        self._join(lane, place, now_s=start_s)
        permit = None
        try:
            permit = await self._turn(lane, place, start_s=start_s, on_wait=on_wait)
            return permit
        finally:
            lane.queue.leave(place, served=permit is not None)
            lane.queue.wake_first()

    def heed(self, model: ModelSpec, verdict: Verdict, *, reason: str) -> None:
        """Do what a failed attempt asks for besides its outcome: pause, slow down, or park."""
        lane, now_s = self._lane(model), self._clock.monotonic_s()
        if verdict.park:
            until_s = math.inf
            if verdict.kind in _PASSING:
                until_s = now_s + max(verdict.retry_after_s or 0.0, RECHECK_S)
            lane.breaker.park(reason, until_s=until_s)
            lane.limits.tell_parked(reason, until_s=until_s)
        elif verdict.kind is Kind.RATE:
            lane.limits.slow_down()
            wait_s = verdict.retry_after_s or DEFAULT_PAUSE_S
            lane.limits.pause(until_s=now_s + min(wait_s, LONGEST_PAUSE_S))
        elif verdict.retry_after_s is not None:
            lane.limits.pause(until_s=now_s + min(verdict.retry_after_s, LONGEST_PAUSE_S))
        lane.queue.wake_first()

    def unpark(self) -> None:
        """Try every parked model again: staff say that what was wrong is right now."""
        for lane in self._lanes.values():
            lane.breaker.unpark()
            lane.limits.tell_reset()
            lane.queue.wake_first()

    def hold(self, decisions: Iterable[HoldSpec]) -> None:
        """Put in force what staff decided by hand, as a whole; who waits for a barred model is sent on.

        A reset counts once: what stands at the first call of all was obeyed before this process began.
        """
        before = self._decisions
        self._decisions = {(one.endpoint_key, one.model_name): one for one in decisions}
        for key, decision in self._decisions.items():
            is_news = before is not None and before.get(key) != decision
            if is_news and decision.kind == "reset":
                self._lane_of(key).reset()
        for key, lane in self._lanes.items():
            lane.bar = self._bar_of(key)
            lane.queue.wake_first()

    def states(self) -> list[LaneState]:
        """How every lane used so far stands."""
        now_s = self._clock.monotonic_s()
        return [state_of(key, lane, now_s=now_s) for key, lane in sorted(self._lanes.items())]

    async def look(self, models: Iterable[ModelSpec], *, need: Need) -> list[LaneView]:
        """How these models stand, limits included, and the wait that a call of `need` may expect."""
        views = []
        for model in models:
            key, lane = (model.endpoint.key, model.name), self._lane(model)
            lane.limits.apply(model.limits)
            sight = await lane.limits.look()
            place = lane.queue.planned(need, flow="", urgency=Urgency.USUAL, deadline_s=math.inf)
            state = state_of(key, lane, now_s=self._clock.monotonic_s())
            views.append(LaneView(state, sight, lane.eta_s(place)))
        return views

    def _bar_of(self, key: tuple[str, str]) -> Bar | None:
        decision, now = (self._decisions or {}).get(key), self._clock.now()
        if decision is None or not decision.bars_at(now):
            return None
        until_s = math.inf
        if decision.until is not None:
            until_s = self._clock.monotonic_s() + (decision.until - now).total_seconds()
        state = State.OPEN if decision.kind == "trip" else State.PARKED
        return Bar(state, decision.reason, until_s)

    def _lane_of(self, key: tuple[str, str]) -> Lane:
        if key not in self._lanes:
            breaker = Breaker(random=self._random, policy=self._policy)
            lane = Lane(
                breaker=breaker, limits=self._limits_for(key), max_waiting=self._max_waiting
            )
            lane.bar = self._bar_of(key)
            self._lanes[key] = lane
        return self._lanes[key]

    def _lane(self, model: ModelSpec, *, stamp: str | None = None) -> Lane:
        lane = self._lane_of((model.endpoint.key, model.name))
        if stamp is not None:
            lane.take_over(model, stamp=stamp)
        return lane

    def _join(self, lane: Lane, place: Place, *, now_s: float) -> None:
        """Take the place, unless its turn would come too late or the queue is full."""
        eta_s = lane.eta_s(place)
        if len(lane.queue) and now_s + eta_s > place.deadline_s:
            raise too_late(eta_s)
        try:
            lane.queue.join(place)
        except Full:
            raise too_late(eta_s) from None
        if place is not lane.queue.last:
            lane.shed_hopeless(now_s=now_s)

    async def _turn(
        self, lane: Lane, place: Place, *, start_s: float, on_wait: OnWait | None
    ) -> Permit:
        """Come back with leave to call when this place is first and the limits allow it."""
        told = on_wait is None
        while True:
            lane.check_open(self._clock.monotonic_s())
            wait_s = math.inf
            if lane.queue.first is place:
                entered = await self._try(lane, place, start_s=start_s)
                if isinstance(entered, Permit):
                    return entered
                wait_s = entered
            now_s = self._clock.monotonic_s()
            left_s = place.deadline_s - now_s
            if place.shed or left_s <= 0 or left_s < wait_s < math.inf:
                raise too_late(wait_s)
            if not told and on_wait is not None:
                told = True
                await self._tell(lane, place, wait_s=wait_s, on_wait=on_wait)
            await self._sleep(min(wait_s, left_s, lane.limits.recheck_s), wake=place.wake)
            if place.shed:
                raise too_late(math.inf)

    async def _try(self, lane: Lane, place: Place, *, start_s: float) -> Permit | float:
        """A permit, or the seconds to wait. Raises BreakerOpen or Parked."""
        answer = await lane.limits.take(place.need, waiting=len(lane.queue), breaker=lane.breaker)
        now_s = self._clock.monotonic_s()
        if isinstance(answer, Wait):
            return answer.wait_s
        if not isinstance(answer, Held):
            lane.hear(answer, now_s=now_s)
            lane.check_open(now_s)
            return 0.0
        leave = lane.breaker.admit(now_s=now_s)
        if leave is None:
            lane.limits.settle(answer, used=Need(0), outcome=Outcome.IGNORED)
            lane.check_open(now_s)
            return 0.0
        return Permit(lane, held=answer, leave=leave, clock=self._clock, waited_s=now_s - start_s)

    async def _tell(self, lane: Lane, place: Place, *, wait_s: float, on_wait: OnWait) -> None:
        """Say how long the wait will be, if it will be noticed."""
        eta_s = max(lane.eta_s(place), 0.0 if math.isinf(wait_s) else wait_s)
        if eta_s >= NOTICE_AFTER_S:
            ahead, _ = lane.queue.ahead_of(place)
            await on_wait(SHOWN_MARGIN * eta_s, ahead)

    async def _sleep(self, delay_s: float, *, wake: asyncio.Event) -> None:
        """Wait for the time, or for being woken, whichever is first."""

        def ring(_: asyncio.Future[None]) -> None:
            wake.set()

        alarm = asyncio.ensure_future(self._clock.sleep(delay_s))
        alarm.add_done_callback(ring)
        try:
            await wake.wait()
        finally:
            alarm.remove_done_callback(ring)  # a cancelled alarm must not ring for the next wait
            alarm.cancel()
            wake.clear()
