"""All limits of one model at one endpoint, taken together: requests, tokens, in flight, pauses.

A call takes its request and its tokens at the same moment or neither. Tokens are reserved as prompt
plus the most that may be answered, in one bucket or input and output apart, and settled with what
was used. After a refusal that we did not expect the rate drops to 70 % and comes back by 2 points
every ten seconds. Limits that a vendor's responses tell stand in for configured ones that are
higher or missing, until they were not told for ten minutes.

This is the state of one process; `redis_limits` keeps the same state for a fleet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from routing.buckets import DayCount, Dimension, Taken
from routing.errors import TooLarge
from routing.sights import DAY_REQUESTS, Bucket, Sight
from routing.specs import Limits, Need, RateState

SLOWDOWN, SLOWEST = 0.7, 0.1
RECOVERY_PER_S = 0.002
TOLD_FOR_S = 600.0
_USUAL_HOLD_S = 2.0
_GAIN = 0.1

AMOUNTS: dict[str, Callable[[Need], int]] = {
    "requests": lambda _: 1,
    "tokens": lambda need: need.tokens,
    "input_tokens": lambda need: need.input_tokens,
    "output_tokens": lambda need: need.output_tokens,
}


@dataclass(slots=True, eq=False)
class Reservation:
    """What one call holds until it is settled."""

    at_s: float
    need: Need
    taken: dict[str, Taken] = field(default_factory=dict)
    is_open: bool = True


def per_minute(limits: Limits) -> dict[str, int]:
    """The limits per minute by dimension, only those that are stated."""
    stated = {name: getattr(limits, f"{name}_per_minute") for name in AMOUNTS}
    return {name: limit for name, limit in stated.items() if limit is not None}


def share_of(limits: Limits, share: float) -> Limits:
    """The part of a key's limits that one of several processes may use, at least 1 of each."""
    if share >= 1.0:
        return limits

    def part(limit: int | None) -> int | None:
        return None if limit is None else max(1, math.floor(limit * share))

    return Limits(
        requests_per_minute=part(limits.requests_per_minute),
        tokens_per_minute=part(limits.tokens_per_minute),
        in_flight=part(limits.in_flight),
        input_tokens_per_minute=part(limits.input_tokens_per_minute),
        output_tokens_per_minute=part(limits.output_tokens_per_minute),
        requests_per_day=part(limits.requests_per_day),
    )


def check_size(need: Need, limits: Limits) -> None:
    """Raise TooLarge for a call that a whole minute could not take."""
    for name, limit in per_minute(limits).items():
        amount = AMOUNTS[name](need)
        if amount > limit:
            unit = name.replace("_", " ")
            message = f"the call needs {amount} {unit} and the limit is {limit} per minute"
            raise TooLarge(message)


class Told:
    """The limits that responses told lately, as far as they are lower than the configured ones."""

    def __init__(self) -> None:
        self._limits: dict[str, tuple[int, float]] = {}

    def hear(self, state: RateState, *, now_s: float) -> None:
        """Remember what a response says about limits per minute."""
        for name in AMOUNTS:
            limit = getattr(state, f"limit_{name}")
            if limit is not None and limit > 0:
                self._limits[name] = (limit, now_s + TOLD_FOR_S)

    def applied(self, limits: Limits, *, now_s: float) -> dict[str, int]:
        """The limits per minute to keep: the lower of configured and told ones."""
        kept = per_minute(limits)
        for name, (limit, until_s) in self._limits.items():
            if now_s < until_s:
                kept[name] = min(limit, kept.get(name, limit))
        return kept


class Limiter:
    """The limits in force and what was taken from them."""

    def __init__(self, limits: Limits, *, now_s: float) -> None:
        self._limits = Limits()
        self._told = Told()
        self._dimensions: dict[str, Dimension] = {}
        self._day: DayCount | None = None
        self._factor = 1.0
        self._factor_at_s = now_s
        self._paused_until_s = -math.inf
        self._hold_s = _USUAL_HOLD_S
        self._used_share = 1.0
        self.in_flight = 0
        self.apply(limits, now_s=now_s)

    def apply(self, limits: Limits, *, now_s: float) -> None:
        """Put limits in force; what was taken before still counts."""
        if limits != self._limits:
            self._limits = limits
            if limits.requests_per_day is None:
                self._day = None
            elif self._day is None:
                self._day = DayCount(limits.requests_per_day)
            else:
                self._day.per_day = limits.requests_per_day
            self._adjust(now_s)

    def observe(self, state: RateState, *, now_s: float) -> None:
        """Heed what a response told: never believe in more than the vendor says is left."""
        self._told.hear(state, now_s=now_s)
        self._adjust(now_s)
        for name, dimension in self._dimensions.items():
            remaining = getattr(state, f"remaining_{name}")
            if remaining is not None:
                dimension.cap(remaining, now_s=now_s)

    def factor(self, *, now_s: float) -> float:
        """The share of the limits that is used at present, 1 unless the vendor refused lately."""
        grown = max(0.0, now_s - self._factor_at_s) * RECOVERY_PER_S
        return min(1.0, self._factor + grown)

    def wait_s(self, need: Need, *, now_s: float) -> float:
        """Seconds until a call may start; infinite while only the end of another can let it in."""
        if self.in_flight >= self._in_flight_cap(now_s):
            return math.inf
        return self._rate_wait_s(need, now_s=now_s, requests_ahead=0, ahead=Need(0))

    def eta_s(
        self, need: Need, *, now_s: float, requests_ahead: int = 0, ahead: Need | None = None
    ) -> float:
        """The wait to expect behind others; an estimate, and finite.

        Those ahead are expected to use the share of their reservation that others used lately.
        """
        queue = ahead or Need(0)
        expected = Need(
            math.ceil(queue.input_tokens * self._used_share),
            math.ceil(queue.output_tokens * self._used_share),
        )
        wait_s = self._rate_wait_s(need, now_s=now_s, requests_ahead=requests_ahead, ahead=expected)
        cap = self._in_flight_cap(now_s)
        surplus = self.in_flight + requests_ahead + 1 - cap
        return max(wait_s, self._hold_s * surplus / cap) if surplus > 0 else wait_s

    def take(self, need: Need, *, now_s: float) -> Reservation:
        """Start a call whose `wait_s` is over."""
        self._adjust(now_s)
        self.in_flight += 1
        if self._day is not None:
            self._day.add(1, now_s=now_s)
        taken = {
            name: dimension.take(AMOUNTS[name](need), now_s=now_s)
            for name, dimension in self._dimensions.items()
        }
        return Reservation(at_s=now_s, need=need, taken=taken)

    def settle(self, reservation: Reservation, *, used: Need | None, now_s: float) -> None:
        """End a call, once; `used` None keeps the whole reservation charged."""
        if not reservation.is_open:
            return
        reservation.is_open = False
        self.in_flight -= 1
        self._hold_s += _GAIN * (max(0.0, now_s - reservation.at_s) - self._hold_s)
        if used is None:
            return
        share = used.tokens / max(1, reservation.need.tokens)
        self._used_share += _GAIN * (min(1.0, share) - self._used_share)
        for name, taken in reservation.taken.items():
            if name != "requests" and name in self._dimensions:
                amount = AMOUNTS[name](used)
                self._dimensions[name].settle(taken, amount=amount, now_s=now_s)

    def pause(self, *, until_s: float) -> None:
        """Let nothing through before `until_s`."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def slow_down(self, *, now_s: float) -> None:
        """The vendor refused a call that fitted its stated limits: go slower for a while."""
        self._factor = max(SLOWEST, self.factor(now_s=now_s) * SLOWDOWN)
        self._factor_at_s = now_s
        self._adjust(now_s)

    def look(self, *, now_s: float) -> Sight:
        """How everything stands."""
        buckets = [
            Bucket(name, dimension.per_minute, dimension.used(now_s=now_s))
            for name, dimension in self._dimensions.items()
        ]
        if self._day is not None:
            buckets.append(Bucket(DAY_REQUESTS, self._day.per_day, self._day.used(now_s=now_s)))
        return Sight(
            buckets=tuple(buckets),
            in_flight=self.in_flight,
            factor=self.factor(now_s=now_s),
            paused_s=max(0.0, self._paused_until_s - now_s),
        )

    def _rate_wait_s(self, need: Need, *, now_s: float, requests_ahead: int, ahead: Need) -> float:
        waits_s = [0.0, self._paused_until_s - now_s]
        for name, dimension in self._dimensions.items():
            before = requests_ahead if name == "requests" else AMOUNTS[name](ahead)
            waits_s.append(dimension.wait_s(AMOUNTS[name](need), now_s=now_s, ahead=before))
        if self._day is not None:
            waits_s.append(self._day.wait_s(requests_ahead + 1, now_s=now_s))
        return max(waits_s)

    def _in_flight_cap(self, now_s: float) -> float:
        if self._limits.in_flight is None:
            return math.inf
        return max(1, math.floor(self._limits.in_flight * self.factor(now_s=now_s)))

    def _adjust(self, now_s: float) -> None:
        """Bring every rate in line with the limits and the factor."""
        factor = self.factor(now_s=now_s)
        kept = self._told.applied(self._limits, now_s=now_s)
        for name, limit in kept.items():
            if name not in self._dimensions:
                self._dimensions[name] = Dimension(limit, now_s=now_s)
            self._dimensions[name].change(limit, factor=factor, now_s=now_s)
        for name in self._dimensions.keys() - kept.keys():
            del self._dimensions[name]
