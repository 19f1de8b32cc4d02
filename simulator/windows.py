"""Sliding-window limits, exact to the nanosecond.

An event admitted at `t` counts in a window of length `w` at every `now` with `t <= now < t + w`.
Requests count one; tokens are charged at admission with what may be used and settled to what was
used, at the time of the admission. Refused requests are not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

NS_PER_S = 1_000_000_000
_MINUTE_S = 60

REQUESTS, TOKENS = "requests", "tokens"
INPUT_TOKENS, OUTPUT_TOKENS = "input_tokens", "output_tokens"
IN_FLIGHT = "concurrency"


@dataclass(frozen=True, slots=True)
class Window:
    """A window of `length_s` that lets through `factor` times the per-minute rate."""

    length_s: int
    factor: float = 1.0

    def cap(self, per_minute: int) -> int:
        """Amount allowed within the window, at least 1."""
        return max(1, int(per_minute * self.factor * self.length_s / _MINUTE_S))


MINUTE = Window(_MINUTE_S)


@dataclass(frozen=True, slots=True)
class Limits:
    """Per-minute limits of one (key, model) and its cap of requests in flight; None = no limit."""

    rpm: int | None = None
    tpm: int | None = None
    input_tpm: int | None = None
    output_tpm: int | None = None
    in_flight: int | None = None

    def per_minute(self) -> dict[str, int]:
        """Limits by dimension, only those that are set."""
        named = {
            REQUESTS: self.rpm,
            TOKENS: self.tpm,
            INPUT_TOKENS: self.input_tpm,
            OUTPUT_TOKENS: self.output_tpm,
        }
        return {name: limit for name, limit in named.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not admitted; `wait_s` is when it would fit if nothing else came."""

    dimension: str
    limit: int
    used: int
    asked: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Level:
    """State of one dimension: `full_in_s` is the time until nothing counts any more."""

    limit: int
    remaining: int
    full_in_s: float


@dataclass(slots=True, eq=False)
class _Event:
    at_ns: int
    amount: int


class SlidingLog:
    """Events of one window; `now_ns` must not go back between calls."""

    def __init__(self, window: Window) -> None:
        self._length_ns = window.length_s * NS_PER_S
        self._events: deque[_Event] = deque()
        self._used = 0

    def used(self, now_ns: int) -> int:
        """Sum of the amounts that count now."""
        events = self._events
        while events and events[0].at_ns + self._length_ns <= now_ns:
            self._used -= events.popleft().amount
        return self._used

    def add(self, event: _Event) -> None:
        """Append an event; events come in order of time."""
        self._events.append(event)
        self._used += event.amount

    def change(self, event: _Event, *, by: int, now_ns: int) -> None:
        """Take over a change of an event's amount if the event still counts."""
        self.used(now_ns)
        if event.at_ns + self._length_ns > now_ns:
            self._used += by

    def wait_ns(self, amount: int, *, cap: int, now_ns: int) -> int:
        """Time until `amount` fits under `cap`; 0 = now, a full window if it never would."""
        over = self.used(now_ns) + amount - cap
        for event in self._events:
            if over <= 0:
                break
            over -= event.amount
            if over <= 0:
                return event.at_ns + self._length_ns - now_ns
        return 0 if over <= 0 else self._length_ns

    def full_in_ns(self, now_ns: int) -> int:
        """Time until the newest event stops counting."""
        self.used(now_ns)
        return self._events[-1].at_ns + self._length_ns - now_ns if self._events else 0


class Meter:
    """Windows and in-flight count of one (vendor, key, model)."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._logs: dict[str, list[SlidingLog]] = {}
        self.in_flight = 0

    def logs(self, dimension: str) -> list[SlidingLog]:
        """The logs of a dimension, one per window."""
        if dimension not in self._logs:
            self._logs[dimension] = [SlidingLog(window) for window in self._windows]
        return self._logs[dimension]

    def refusal(self, amounts: Mapping[str, int], *, limits: Limits, now_ns: int) -> Refusal | None:
        """The first limit the request breaks, None if it may pass. Changes nothing."""
        if limits.in_flight is not None and self.in_flight >= limits.in_flight:
            return Refusal(IN_FLIGHT, limits.in_flight, self.in_flight, 1, 1.0)
        for dimension, limit in limits.per_minute().items():
            amount = amounts[dimension]
            for window, log in zip(self._windows, self.logs(dimension), strict=True):
                used = log.used(now_ns)
                if window.length_s < _MINUTE_S and used == 0:
                    continue  # a short window must not forbid what the minute allows
                wait_ns = log.wait_ns(amount, cap=window.cap(limit), now_ns=now_ns)
                if wait_ns:
                    return Refusal(dimension, limit, used, amount, wait_ns / NS_PER_S)
        return None

    def levels(self, limits: Limits, *, now_ns: int) -> dict[str, Level]:
        """What is left of each limit, measured in the longest window."""
        levels = {}
        for dimension, limit in limits.per_minute().items():
            log = self.logs(dimension)[0]
            remaining = max(0, limit - log.used(now_ns))
            levels[dimension] = Level(limit, remaining, log.full_in_ns(now_ns) / NS_PER_S)
        return levels


class Ticket:
    """One admitted request; settle it once with what was used."""

    def __init__(self, meter: Meter, *, amounts: Mapping[str, int], now_ns: int) -> None:
        self._meter = meter
        self._events = {name: _Event(now_ns, amount) for name, amount in amounts.items()}
        self._open = True
        for name, event in self._events.items():
            for log in meter.logs(name):
                log.add(event)
        meter.in_flight += 1

    def settle(self, amounts: Mapping[str, int], *, now_ns: int) -> None:
        """Replace the charged amounts and leave the in-flight count; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        self._meter.in_flight -= 1
        for name, amount in amounts.items():
            event = self._events[name]
            by = amount - event.amount
            for log in self._meter.logs(name):
                log.change(event, by=by, now_ns=now_ns)
            event.amount = amount


class Gate:
    """All meters, by (vendor, key, model)."""

    def __init__(self, windows: tuple[Window, ...] = (MINUTE,)) -> None:
        self._windows = windows
        self._meters: dict[tuple[str, str, str], Meter] = {}

    def meter(self, name: tuple[str, str, str]) -> Meter:
        """The meter of a (vendor, key, model)."""
        if name not in self._meters:
            self._meters[name] = Meter(self._windows)
        return self._meters[name]

    def admit(
        self, name: tuple[str, str, str], *, amounts: Mapping[str, int], limits: Limits, now_ns: int
    ) -> Ticket | Refusal:
        """Charge the request and give its ticket, or say which limit it breaks."""
        meter = self.meter(name)
        refusal = meter.refusal(amounts, limits=limits, now_ns=now_ns)
        return refusal or Ticket(meter, amounts=amounts, now_ns=now_ns)
