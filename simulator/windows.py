"""Sliding-window limits, exact to the nanosecond.

An event admitted at `t` counts in a window of length `w` at every `now` with `t <= now < t + w`.
Requests count one; tokens are charged at admission with what may be used and settled to what was
used, at the time of the admission. Refused requests are not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields

NS_PER_S = 1_000_000_000
_MINUTE_S = 60

_DAY_S = 86_400

REQUESTS, TOKENS = "requests", "tokens"
REQUESTS_PER_DAY = "requests_per_day"
INPUT_TOKENS, OUTPUT_TOKENS = "input_tokens", "output_tokens"
IN_FLIGHT = "concurrency"


@dataclass(frozen=True, slots=True)
class Window:
    """A window of `length_s` that lets through `factor` times the per-minute rate."""

    length_s: int
    factor: float = 1.0

    @property
    def label(self) -> str:
        """Its length as refusals name it."""
        return f"{self.length_s}s"

    def cap(self, per_minute: int) -> int:
        """Amount allowed within the window, at least 1."""
        return max(1, int(per_minute * self.factor * self.length_s / _MINUTE_S))


MINUTE = Window(_MINUTE_S)
BURST = Window(2, 2.0)
DAY = Window(_DAY_S)


@dataclass(frozen=True, slots=True)
class Limits:
    """Per-minute limits of one (key, model), requests per day (`rpd`) and its cap of requests in
    flight; None = no limit."""

    rpm: int | None = None
    tpm: int | None = None
    input_tpm: int | None = None
    output_tpm: int | None = None
    in_flight: int | None = None
    rpd: int | None = None

    def scaled(self, factor: float) -> Limits:
        """These limits times a factor, each at least 1."""
        figures = {item.name: getattr(self, item.name) for item in fields(self)}
        return Limits(
            **{
                name: None if figure is None else max(1, int(figure * factor))
                for name, figure in figures.items()
            }
        )

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
    """Why a request was not admitted; `wait_s` is when it would fit if nothing else came.

    `window` is the nominal length of the window that refused, "" if none did.
    """

    dimension: str
    limit: int
    used: int
    asked: int
    wait_s: float
    window: str = ""

    @property
    def reason(self) -> str:
        """`requests/2s`, `tokens/60s`, `requests_per_day`, `concurrency`."""
        return f"{self.dimension}/{self.window}" if self.window else self.dimension


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

    def __init__(self, window: Window, *, scale: float = 1.0) -> None:
        self._length_ns = round(window.length_s * scale * NS_PER_S)
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
    """Windows and in-flight count of one (vendor, key, model); `scale` shortens every window."""

    def __init__(self, windows: tuple[Window, ...], *, scale: float = 1.0) -> None:
        self._windows = windows
        self._scale = scale
        self._logs: dict[str, list[SlidingLog]] = {}
        self._day = SlidingLog(DAY, scale=scale)
        self.in_flight = 0

    def logs(self, dimension: str) -> list[SlidingLog]:
        """The logs of a dimension, one per window."""
        if dimension == REQUESTS_PER_DAY:
            return [self._day]
        if dimension not in self._logs:
            scale = self._scale
            self._logs[dimension] = [SlidingLog(w, scale=scale) for w in self._windows]
        return self._logs[dimension]

    def refusal(self, amounts: Mapping[str, int], *, limits: Limits, now_ns: int) -> Refusal | None:
        """The first limit the request breaks, None if it may pass. Changes nothing."""
        if limits.in_flight is not None and self.in_flight >= limits.in_flight:
            return Refusal(IN_FLIGHT, limits.in_flight, self.in_flight, 1, self._scale)
        if limits.rpd is not None:
            wait_ns = self._day.wait_ns(1, cap=limits.rpd, now_ns=now_ns)
            if wait_ns:
                used = self._day.used(now_ns)
                return Refusal(REQUESTS_PER_DAY, limits.rpd, used, 1, wait_ns / NS_PER_S)
        for dimension, limit in limits.per_minute().items():
            amount = amounts[dimension]
            for window, log in zip(self._windows, self.logs(dimension), strict=True):
                used = log.used(now_ns)
                if window.length_s < _MINUTE_S and used == 0:
                    continue  # a short window must not forbid what the minute allows
                wait_ns = log.wait_ns(amount, cap=window.cap(limit), now_ns=now_ns)
                if wait_ns:
                    wait_s = wait_ns / NS_PER_S
                    return Refusal(dimension, limit, used, amount, wait_s, window.label)
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

    def __init__(self, windows: tuple[Window, ...] = (MINUTE,), *, scale: float = 1.0) -> None:
        self._windows = windows
        self._scale = scale
        self._meters: dict[tuple[str, str, str], Meter] = {}

    def meter(self, name: tuple[str, str, str]) -> Meter:
        """The meter of a (vendor, key, model)."""
        if name not in self._meters:
            self._meters[name] = Meter(self._windows, scale=self._scale)
        return self._meters[name]

    def admit(
        self, name: tuple[str, str, str], *, amounts: Mapping[str, int], limits: Limits, now_ns: int
    ) -> Ticket | Refusal:
        """Charge the request and give its ticket, or say which limit it breaks."""
        meter = self.meter(name)
        refusal = meter.refusal(amounts, limits=limits, now_ns=now_ns)
        return refusal or Ticket(meter, amounts=amounts, now_ns=now_ns)
