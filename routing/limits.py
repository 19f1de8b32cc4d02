"""All limits of one model at one endpoint, taken together: requests, tokens, in flight, pauses.

A call takes its request and its tokens at the same moment or neither. Tokens are reserved as prompt
plus the most that may be answered, and settled with what was used. After a refusal that we did not
expect the rate drops to 70 % and comes back by 2 points every ten seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from routing.buckets import Dimension, Taken
from routing.errors import TooLarge
from routing.specs import Limits

_SLOWDOWN, _SLOWEST = 0.7, 0.1
_RECOVERY_PER_S = 0.002
_USUAL_HOLD_S = 2.0
_HOLD_GAIN = 0.1


@dataclass(slots=True, eq=False)
class Reservation:
    """What one call holds until it is settled."""

    at_s: float
    request: Taken | None
    tokens: Taken | None
    is_open: bool = True


def share_of(limits: Limits, share: float) -> Limits:
    """The part of a key's limits that one of several processes may use, at least 1 of each."""
    if share >= 1.0:
        return limits
    figures = (limits.requests_per_minute, limits.tokens_per_minute, limits.in_flight)
    return Limits(*(None if n is None else max(1, math.floor(n * share)) for n in figures))


class Limiter:
    """The limits in force and what was taken from them."""

    def __init__(self, limits: Limits, *, now_s: float) -> None:
        self._limits = Limits()
        self._requests: Dimension | None = None
        self._tokens: Dimension | None = None
        self._factor = 1.0
        self._factor_at_s = now_s
        self._paused_until_s = -math.inf
        self._hold_s = _USUAL_HOLD_S
        self.in_flight = 0
        self.apply(limits, now_s=now_s)

    def apply(self, limits: Limits, *, now_s: float) -> None:
        """Put limits in force; what was taken before still counts."""
        if limits != self._limits:
            self._limits = limits
            self._adjust(now_s)

    def factor(self, *, now_s: float) -> float:
        """The share of the limits that is used at present, 1 unless the vendor refused lately."""
        grown = max(0.0, now_s - self._factor_at_s) * _RECOVERY_PER_S
        return min(1.0, self._factor + grown)

    def check_size(self, tokens: int) -> None:
        """Raise TooLarge for a call that a whole minute could not take."""
        most = self._limits.tokens_per_minute
        if most is not None and tokens > most:
            message = f"the call needs {tokens} tokens and the limit is {most} per minute"
            raise TooLarge(message)

    def wait_s(self, tokens: int, *, now_s: float) -> float:
        """Seconds until a call may start; infinite while only the end of another can let it in."""
        if self.in_flight >= self._in_flight_cap(now_s):
            return math.inf
        return self._rate_wait_s(tokens, now_s=now_s, requests_ahead=0, tokens_ahead=0)

    def eta_s(
        self, tokens: int, *, now_s: float, requests_ahead: int = 0, tokens_ahead: int = 0
    ) -> float:
        """The wait to expect behind others; an estimate, and finite."""
        wait_s = self._rate_wait_s(
            tokens, now_s=now_s, requests_ahead=requests_ahead, tokens_ahead=tokens_ahead
        )
        cap = self._in_flight_cap(now_s)
        surplus = self.in_flight + requests_ahead + 1 - cap
        return max(wait_s, self._hold_s * surplus / cap) if surplus > 0 else wait_s

    def take(self, tokens: int, *, now_s: float) -> Reservation:
        """Start a call whose `wait_s` is over."""
        self._adjust(now_s)
        self.in_flight += 1
        return Reservation(
            at_s=now_s,
            request=self._requests.take(1, now_s=now_s) if self._requests else None,
            tokens=self._tokens.take(tokens, now_s=now_s) if self._tokens else None,
        )

    def settle(self, reservation: Reservation, *, used_tokens: int | None, now_s: float) -> None:
        """End a call, once; `used_tokens` None keeps the whole reservation charged."""
        if not reservation.is_open:
            return
        reservation.is_open = False
        self.in_flight -= 1
        self._hold_s += _HOLD_GAIN * (max(0.0, now_s - reservation.at_s) - self._hold_s)
        if reservation.tokens is not None and self._tokens is not None and used_tokens is not None:
            self._tokens.settle(reservation.tokens, amount=used_tokens, now_s=now_s)

    def pause(self, *, until_s: float) -> None:
        """Let nothing through before `until_s`."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def slow_down(self, *, now_s: float) -> None:
        """The vendor refused a call that fitted its stated limits: go slower for a while."""
        self._factor = max(_SLOWEST, self.factor(now_s=now_s) * _SLOWDOWN)
        self._factor_at_s = now_s
        self._adjust(now_s)

    def _rate_wait_s(
        self, tokens: int, *, now_s: float, requests_ahead: int, tokens_ahead: int
    ) -> float:
        waits_s = [0.0, self._paused_until_s - now_s]
        if self._requests is not None:
            waits_s.append(self._requests.wait_s(1, now_s=now_s, ahead=requests_ahead))
        if self._tokens is not None:
            waits_s.append(self._tokens.wait_s(tokens, now_s=now_s, ahead=tokens_ahead))
        return max(waits_s)

    def _in_flight_cap(self, now_s: float) -> float:
        if self._limits.in_flight is None:
            return math.inf
        return max(1, math.floor(self._limits.in_flight * self.factor(now_s=now_s)))

    def _adjust(self, now_s: float) -> None:
        """Bring both rates in line with the limits and the factor."""
        factor = self.factor(now_s=now_s)
        self._requests = _adjusted(
            self._requests, self._limits.requests_per_minute, factor=factor, now_s=now_s
        )
        self._tokens = _adjusted(
            self._tokens, self._limits.tokens_per_minute, factor=factor, now_s=now_s
        )


def _adjusted(
    dimension: Dimension | None, per_minute: int | None, *, factor: float, now_s: float
) -> Dimension | None:
    if per_minute is None:
        return None
    dimension = dimension or Dimension(per_minute, now_s=now_s)
    dimension.change(per_minute, factor=factor, now_s=now_s)
    return dimension
