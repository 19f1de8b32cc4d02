"""What the gate hands out: who calls, leave to call, and how a lane stands."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from base.clock import Clock
from routing.breaker import Outcome, Pass, State
from routing.lanes import Held, Lane
from routing.shaper import Urgency
from routing.sights import Sight
from routing.specs import Need, RateState


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
    degraded: bool = False
    open_for_s: float = 0.0


def state_of(key: tuple[str, str], lane: Lane, *, now_s: float) -> LaneState:
    """The lane as this process knows it; what staff decided stands above the breaker.

    `open_for_s` is the time until it is asked again, infinite while something must change first.
    """
    standing, bar = lane.limits.standing(), lane.barred(now_s)
    return LaneState(
        endpoint_key=key[0],
        model_name=key[1],
        state=lane.breaker.state(now_s=now_s) if bar is None else bar.state,
        reason=lane.breaker.parked_reason if bar is None else bar.reason,
        in_flight=standing.in_flight,
        waiting=len(lane.queue),
        rate_factor=standing.factor,
        degraded=standing.degraded,
        open_for_s=(
            lane.breaker.retry_after_s(now_s=now_s) if bar is None else bar.until_s - now_s
        ),
    )


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane with its limits. `eta_s` is the wait to expect for a call of the size asked about."""

    state: LaneState
    sight: Sight
    eta_s: float


@dataclass(frozen=True, slots=True)
class Caller:
    """Who wants to call: the shopper (calls of one flow take turns with others'), and how urgent."""

    flow: str = ""
    urgency: Urgency = Urgency.USUAL


NOBODY = Caller()


class Permit:
    """Leave to make one call now. Close it exactly once; further closings do nothing.

    As a context manager it closes itself as ignored, with the whole reservation charged, when
    nobody has closed it.
    """

    def __init__(
        self, lane: Lane, *, held: Held, leave: Pass, clock: Clock, waited_s: float
    ) -> None:
        self._lane = lane
        self._held = held
        self._leave = leave
        self._clock = clock
        self._is_open = True
        self.waited_s = waited_s

    def close(
        self,
        *,
        outcome: Outcome,
        used_tokens: int | None = None,
        used_output_tokens: int = 0,
    ) -> None:
        """Report how the call ended and settle its tokens; None keeps the reservation charged.

        `used_tokens` are input and output together, `used_output_tokens` the output among them.
        """
        if not self._is_open:
            return
        self._is_open = False
        used = None
        if used_tokens is not None:
            used = Need(used_tokens - used_output_tokens, used_output_tokens)
        self._lane.limits.settle(self._held, used=used, outcome=outcome)
        self._lane.report(self._leave, outcome, now_s=self._clock.monotonic_s())
        self._lane.queue.wake_first()

    def observe(self, state: RateState) -> None:
        """Heed what the response told of the vendor's limits."""
        self._lane.limits.observe(state)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(outcome=Outcome.IGNORED)
