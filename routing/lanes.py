"""One lane: breaker, limits and queue of one model at one endpoint, with its limits' state behind a port.

`LaneLimits` is the port. `LocalLimits` keeps the state in this process; `redis_limits.RedisLimits`
keeps it for a fleet. Both are tested by one suite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from base.clock import Clock
from routing.breaker import Breaker, Outcome, Pass, State
from routing.errors import BreakerOpen, Parked, WouldMissDeadline
from routing.limits import Limiter, Reservation, share_of
from routing.shaper import Place, Shaper
from routing.sights import Sight
from routing.specs import Limits, ModelSpec, Need, RateState


@dataclass(frozen=True, slots=True)
class Held:
    """What a grant holds until it is settled; `reference` is the backend's own."""

    need: Need
    at_s: float
    reference: Reservation | str


@dataclass(frozen=True, slots=True)
class Wait:
    """No grant now; infinite while only the end of another call can bring one."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class FleetOpen:
    """Other processes found this model ill; nothing passes for so long."""

    open_for_s: float


@dataclass(frozen=True, slots=True)
class FleetProbing:
    """The fleet's half-open permits are all in use; the first of them ends in so long at the latest."""

    within_s: float


@dataclass(frozen=True, slots=True)
class FleetParked:
    """Another process parked this model; None = until something changes."""

    reason: str
    parked_for_s: float | None


Answer = Held | Wait | FleetOpen | FleetProbing | FleetParked


@dataclass(frozen=True, slots=True)
class Standing:
    """How the limits stand, for people to look at."""

    in_flight: int
    factor: float
    degraded: bool = False


class LaneLimits(Protocol):
    """The limits of one lane, wherever their state lives. Times are readings of the clock passed in.

    `recheck_s` is how often the first waiter must ask again, since others may free something; infinite
    where this process would know.
    """

    recheck_s: float

    def apply(self, limits: Limits) -> None:
        """Put the configured limits in force; what was taken before still counts."""
        ...

    async def take(self, need: Need, *, waiting: int, breaker: Breaker) -> Answer:
        """All dimensions at once, or none. Being cancelled gives a late grant back."""
        ...

    def settle(self, held: Held, *, used: Need | None, outcome: Outcome) -> None:
        """End a call, once; `used` None keeps the reservation charged. Never waits."""
        ...

    def eta_s(self, need: Need, *, requests_ahead: int, ahead: Need) -> float:
        """The wait to expect behind others of this process; finite, an estimate."""
        ...

    def pause(self, *, until_s: float) -> None:
        """Let nothing through before `until_s`, in the whole fleet."""
        ...

    def slow_down(self) -> None:
        """The vendor refused unexpectedly: lower the rate for a while."""
        ...

    def observe(self, state: RateState) -> None:
        """Heed what a response told of the limits."""
        ...

    def tell_open(self, *, until_s: float) -> None:
        """This process's breaker opened."""
        ...

    def tell_parked(self, reason: str, *, until_s: float) -> None:
        """This process parked the model; infinite `until_s` = until something changes."""
        ...

    def tell_reset(self) -> None:
        """Staff or a changed configuration say that the model may be tried again."""
        ...

    def standing(self) -> Standing:
        """How the limits stand, as far as is known without asking anybody."""
        ...

    async def look(self) -> Sight:
        """How every limit stands now."""
        ...


class LocalLimits:
    """The state of one process. `share` is its part where processes do not share state."""

    recheck_s = math.inf

    def __init__(self, *, clock: Clock, share: float = 1.0) -> None:
        self._clock = clock
        self._share = share
        self._limiter = Limiter(Limits(), now_s=clock.monotonic_s())

    def apply(self, limits: Limits) -> None:
        self._limiter.apply(share_of(limits, self._share), now_s=self._clock.monotonic_s())

    async def take(self, need: Need, *, waiting: int, breaker: Breaker) -> Answer:
        now_s = self._clock.monotonic_s()
        wait_s = self._limiter.wait_s(need, now_s=now_s)
        if wait_s > 0:
            return Wait(wait_s)
        return Held(need, now_s, self._limiter.take(need, now_s=now_s))

    def settle(self, held: Held, *, used: Need | None, outcome: Outcome) -> None:
        assert isinstance(held.reference, Reservation)
        self._limiter.settle(held.reference, used=used, now_s=self._clock.monotonic_s())

    def eta_s(self, need: Need, *, requests_ahead: int, ahead: Need) -> float:
        now_s = self._clock.monotonic_s()
        return self._limiter.eta_s(need, now_s=now_s, requests_ahead=requests_ahead, ahead=ahead)

    def pause(self, *, until_s: float) -> None:
        self._limiter.pause(until_s=until_s)

    def slow_down(self) -> None:
        self._limiter.slow_down(now_s=self._clock.monotonic_s())

    def observe(self, state: RateState) -> None:
        self._limiter.observe(state, now_s=self._clock.monotonic_s())

    def tell_open(self, *, until_s: float) -> None:
        """Nobody else to tell."""

    def tell_parked(self, reason: str, *, until_s: float) -> None:
        """Nobody else to tell."""

    def tell_reset(self) -> None:
        """Nobody else to tell."""

    def standing(self) -> Standing:
        now_s = self._clock.monotonic_s()
        return Standing(self._limiter.in_flight, self._limiter.factor(now_s=now_s))

    async def look(self) -> Sight:
        return self._limiter.look(now_s=self._clock.monotonic_s())


@dataclass(frozen=True, slots=True)
class Bar:
    """Staff let nothing through, until `until_s` (infinite: until they reset it)."""

    state: State
    reason: str
    until_s: float

    def refusal(self, now_s: float) -> BreakerOpen | Parked:
        """The error for whoever wants to call."""
        left_s = self.until_s - now_s
        kind = BreakerOpen if self.state is State.OPEN else Parked
        return kind(
            f"staff let nothing through: {self.reason}",
            retry_after_s=None if math.isinf(left_s) else left_s,
        )


class Lane:
    """Breaker, limits and queue of one model at one endpoint."""

    def __init__(self, *, breaker: Breaker, limits: LaneLimits, max_waiting: int) -> None:
        self.breaker = breaker
        self.limits = limits
        self.queue = Shaper(max_waiting=max_waiting)
        self.bar: Bar | None = None
        self._configuration: tuple[ModelSpec, str] | None = None

    def take_over(self, model: ModelSpec, *, stamp: str) -> None:
        """Put the configuration in force; where it changed, a parked model may be tried again."""
        if self._configuration != (model, stamp):
            if self._configuration is not None:
                self.breaker.unpark()
                self.limits.tell_reset()
            self._configuration = (model, stamp)
            self.limits.apply(model.limits)
            self.queue.wake_first()

    def check_open(self, now_s: float) -> None:
        """Raise Parked or BreakerOpen while no call may pass."""
        if (bar := self.barred(now_s)) is not None:
            raise bar.refusal(now_s)
        if self.breaker.may_admit(now_s=now_s):
            return
        retry_after_s = self.breaker.retry_after_s(now_s=now_s)
        if self.breaker.state(now_s=now_s) is State.PARKED:
            known_s = None if math.isinf(retry_after_s) else retry_after_s
            raise Parked(self.breaker.parked_reason, retry_after_s=known_s)
        message = "it failed too often lately"
        raise BreakerOpen(message, retry_after_s=retry_after_s)

    def barred(self, now_s: float) -> Bar | None:
        """What staff decided, while it holds."""
        return self.bar if self.bar is not None and now_s < self.bar.until_s else None

    def reset(self) -> None:
        """Close the breaker and end any parking, here and in the shared state."""
        self.breaker.reset()
        self.limits.tell_reset()

    def eta_s(self, place: Place) -> float:
        """The wait to expect at this place of the queue."""
        requests_ahead, ahead = self.queue.ahead_of(place)
        return self.limits.eta_s(place.need, requests_ahead=requests_ahead, ahead=ahead)

    def shed_hopeless(self, *, now_s: float) -> None:
        """Turn away those at the end whose turn would now come too late; they are told at once."""
        while (last := self.queue.last) is not None and len(self.queue) > 1:
            if now_s + self.eta_s(last) <= last.deadline_s:
                return
            self.queue.shed(last)

    def report(self, leave: Pass, outcome: Outcome, *, now_s: float) -> None:
        """Tell the breaker how a call ended, and the fleet if that opened it."""
        generation = self.breaker.generation
        self.breaker.report(leave, outcome, now_s=now_s)
        if self.breaker.generation != generation and self.breaker.state(now_s=now_s) is State.OPEN:
            until_s = now_s + self.breaker.retry_after_s(now_s=now_s)
            self.limits.tell_open(until_s=until_s)

    def hear(self, answer: FleetOpen | FleetProbing | FleetParked, *, now_s: float) -> None:
        """Take over what another process found out. Raises BreakerOpen while others try the model."""
        if isinstance(answer, FleetProbing):
            message = "it failed too often lately and is being tried again"
            raise BreakerOpen(message, retry_after_s=answer.within_s)
        if isinstance(answer, FleetOpen):
            self.breaker.open_until(now_s + answer.open_for_s)
        else:
            left_s = math.inf if answer.parked_for_s is None else answer.parked_for_s
            self.breaker.park(answer.reason, until_s=now_s + left_s)


def too_late(wait_s: float) -> WouldMissDeadline:
    """The refusal of a call whose turn would come after its time."""
    known_s = None if math.isinf(wait_s) else wait_s
    return WouldMissDeadline("its turn would come too late", retry_after_s=known_s)
