"""A circuit breaker for one model at one endpoint. Pure: seconds and randomness are passed in.

Closed: every call passes; the breaker opens when at least 20 calls within 30 s hold 50 % failures
or 80 % slow ones. Open: nothing passes for 10 s, doubled at each re-opening up to 120 s, give or
take 20 %. Half-open: three permits, counted when a call enters; a permit whose call never comes
back is free again after 15 s. Three successes close it, one failure (or slow success) opens it
again.

Every change of state begins a new generation; results of calls that entered in an older one are
ignored. Parking stands above all of it: a parked breaker lets nothing through until it is unparked.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a call ended, as far as the vendor's health goes."""

    SUCCESS = "success"
    SLOW = "slow"
    FAILURE = "failure"
    IGNORED = "ignored"


class State(StrEnum):
    """What the breaker does with calls."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Policy:
    """The breaker's figures."""

    window_s: float = 30.0
    slots: int = 10
    min_calls: int = 20
    failure_share: float = 0.5
    slow_share: float = 0.8
    slow_after_s: float = 8.0
    open_s: float = 10.0
    longest_open_s: float = 120.0
    jitter: float = 0.2
    permits: int = 3
    lease_s: float = 15.0


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one call; handed back with its outcome."""

    generation: int
    number: int


class _Window:
    """Counts of the last seconds, in slots."""

    def __init__(self, policy: Policy) -> None:
        self._slot_s = policy.window_s / policy.slots
        self._length = policy.slots
        self._slots: deque[tuple[int, dict[Outcome, int]]] = deque()

    def add(self, outcome: Outcome, *, now_s: float) -> None:
        slot = math.floor(now_s / self._slot_s)
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append((slot, dict.fromkeys(Outcome, 0)))
        self._slots[-1][1][outcome] += 1
        while self._slots[0][0] <= self._slots[-1][0] - self._length:
            self._slots.popleft()

    def count(self, *outcomes: Outcome) -> int:
        """Calls with one of these outcomes, as of the last addition."""
        return sum(counts[outcome] for _, counts in self._slots for outcome in outcomes)


class Breaker:
    """One breaker. `random` gives numbers in [0, 1)."""

    def __init__(self, *, random: Callable[[], float], policy: Policy = DEFAULT_POLICY) -> None:
        self._random = random
        self._policy = policy
        self._generation = 0
        self._numbers = 0
        self._openings = 0
        self._open_until_s = 0.0
        self._state = State.CLOSED
        self._window = _Window(policy)
        self._leases: dict[int, float] = {}
        self._successes = 0
        self._parked = ""
        self._parked_until_s = math.inf

    @property
    def generation(self) -> int:
        """Rises with every change of state; results of older generations do not count."""
        return self._generation

    @property
    def parked_reason(self) -> str:
        """Why nothing passes until something changes; empty when not parked."""
        return self._parked

    def state(self, *, now_s: float) -> State:
        """The state at `now_s`."""
        if self._parked and now_s >= self._parked_until_s:
            self.unpark()
        if self._state is State.OPEN and now_s >= self._open_until_s:
            self._enter(State.HALF_OPEN)
        return State.PARKED if self._parked else self._state

    def retry_after_s(self, *, now_s: float) -> float:
        """Seconds after which asking again makes sense; infinite while parked for good."""
        state = self.state(now_s=now_s)
        if state is State.PARKED:
            return self._parked_until_s - now_s
        if state is State.OPEN:
            return self._open_until_s - now_s
        if self.may_admit(now_s=now_s):
            return 0.0
        return max(0.0, min(self._leases.values(), default=now_s) - now_s)

    def may_admit(self, *, now_s: float) -> bool:
        """Whether `admit` would give a pass."""
        state = self.state(now_s=now_s)
        if state is not State.HALF_OPEN:
            return state is State.CLOSED
        running = sum(1 for until_s in self._leases.values() if until_s > now_s)
        return running + self._successes < self._policy.permits

    def admit(self, *, now_s: float) -> Pass | None:
        """A pass for one call, or None when it must not be made."""
        if not self.may_admit(now_s=now_s):
            return None
        self._numbers += 1
        if self._state is State.HALF_OPEN:
            self._leases = {n: until for n, until in self._leases.items() if until > now_s}
            self._leases[self._numbers] = now_s + self._policy.lease_s
        return Pass(self._generation, self._numbers)

    def report(self, permit: Pass, outcome: Outcome, *, now_s: float) -> None:
        """Take the outcome of a call; late ones of an older generation or lease do not count."""
        self.state(now_s=now_s)  # an opening that is over ends here
        if permit.generation != self._generation:
            return
        if self._state is State.HALF_OPEN:
            if self._leases.pop(permit.number, -math.inf) > now_s:
                self._report_probe(outcome, now_s=now_s)
        elif outcome is not Outcome.IGNORED:
            self._window.add(outcome, now_s=now_s)
            if self._is_ill():
                self._open(now_s=now_s)

    def park(self, reason: str, *, until_s: float = math.inf) -> None:
        """Let nothing through until `unpark`, or until `until_s`."""
        self._parked, self._parked_until_s = reason, until_s

    def unpark(self) -> None:
        """Something changed: go on in the state from before."""
        self._parked, self._parked_until_s = "", math.inf

    def open_until(self, until_s: float) -> None:
        """Another process found the vendor ill: stay open as long as it does."""
        if self._state is not State.OPEN or until_s > self._open_until_s:
            self._openings += 1
            self._open_until_s = until_s
            self._enter(State.OPEN)

    def reset(self) -> None:
        """Staff, or a whole fleet's probes, say that the vendor is well: close, forget everything."""
        self.unpark()
        self._openings = 0
        self._enter(State.CLOSED)

    def _report_probe(self, outcome: Outcome, *, now_s: float) -> None:
        if outcome in (Outcome.FAILURE, Outcome.SLOW):
            self._open(now_s=now_s)
        elif outcome is Outcome.SUCCESS:
            self._successes += 1
            if self._successes >= self._policy.permits:
                self._openings = 0
                self._enter(State.CLOSED)

    def _is_ill(self) -> bool:
        calls = self._window.count(Outcome.SUCCESS, Outcome.SLOW, Outcome.FAILURE)
        if calls < self._policy.min_calls:
            return False
        failures = self._window.count(Outcome.FAILURE)
        slow = self._window.count(Outcome.SLOW)
        policy = self._policy
        return failures >= policy.failure_share * calls or slow >= policy.slow_share * calls

    def _open(self, *, now_s: float) -> None:
        policy = self._policy
        length_s = min(policy.longest_open_s, policy.open_s * 2.0 ** min(self._openings, 30))
        spread = 1 + policy.jitter * (2 * self._random() - 1)
        self._openings += 1
        self._open_until_s = now_s + length_s * spread
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self._state = state
        self._generation += 1
        self._window = _Window(self._policy)
        self._leases = {}
        self._successes = 0
