"""A limit per minute, kept: a token bucket that spreads calls and a log that proves the minute.

The bucket refills at 95 % of the limit and holds at most one second of it (at least one request),
so that a vendor that checks shorter slices is content too. An amount larger than the bucket waits
until it is full and takes it into debt. The log keeps what was taken within the last 62 seconds as
it counts for the vendor: the reservation from its start, what was really used once that is known.
An amount is let through only if the log stays within the full limit. The two seconds beyond the
minute cover calls that reach the vendor later than others.

Seconds are passed in; steps back of the clock are read as no time passed.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

SHARE = 0.95
BURST_S = 1.0
WINDOW_S = 62.0
_TINY = 1e-6


@dataclass(slots=True, eq=False)
class Taken:
    """An amount that was let through."""

    at_s: float
    amount: int


class MinuteLog:
    """What was taken within the last `WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._taken: deque[Taken] = deque()
        self._sum = 0

    def used(self, *, now_s: float) -> int:
        """The sum that still counts."""
        while self._taken and self._taken[0].at_s + WINDOW_S <= now_s + _TINY:
            self._sum -= self._taken.popleft().amount
        return self._sum

    def wait_s(self, amount: int, *, limit: int, now_s: float) -> float:
        """Seconds until `amount` fits under `limit` if nothing else comes."""
        over = self.used(now_s=now_s) + amount - limit
        if over <= 0:
            return 0.0
        for taken in self._taken:
            over -= taken.amount
            if over <= 0:
                return taken.at_s + WINDOW_S - now_s
        return WINDOW_S

    def add(self, taken: Taken) -> None:
        """Count what was let through."""
        self._taken.append(taken)
        self._sum += taken.amount

    def correct(self, taken: Taken, *, amount: int, now_s: float) -> None:
        """Replace an amount by what was really used, if it still counts."""
        self.used(now_s=now_s)
        if self._taken and taken.at_s >= self._taken[0].at_s:
            self._sum += amount - taken.amount
        taken.amount = amount


class Dimension:
    """One limit per minute of one model: requests, or tokens."""

    def __init__(self, per_minute: int, *, now_s: float) -> None:
        self._per_minute = per_minute
        self._share = SHARE
        self._log = MinuteLog()
        self._now_s = now_s
        self._level = self._burst

    @property
    def per_minute(self) -> int:
        """The limit as the vendor states it."""
        return self._per_minute

    @property
    def rate_per_s(self) -> float:
        """How fast it refills at present."""
        return self._per_minute * self._share / 60.0

    @property
    def _burst(self) -> float:
        return max(1.0, self.rate_per_s * BURST_S)

    def used(self, *, now_s: float) -> int:
        """What counts against the minute."""
        return self._log.used(now_s=now_s)

    def change(self, per_minute: int, *, factor: float, now_s: float) -> None:
        """Take over a new limit; `factor` (0 to 1] slows the rate below it. History stays."""
        self._refill(now_s)
        self._per_minute = per_minute
        self._share = SHARE * factor
        self._level = min(self._level, self._burst)

    def wait_s(self, amount: int, *, now_s: float, ahead: int = 0) -> float:
        """Seconds until `amount` may be taken, with `ahead` to be taken before it.

        Exact with nothing ahead; else an estimate that assumes a steady flow.
        """
        self._refill(now_s)
        lacking = ahead + min(float(amount), self._burst) - self._level
        by_bucket_s = lacking / self.rate_per_s if lacking > _TINY else 0.0
        if ahead + amount > self._per_minute:
            return by_bucket_s
        by_log_s = self._log.wait_s(ahead + amount, limit=self._per_minute, now_s=self._now_s)
        return max(by_bucket_s, by_log_s)

    def take(self, amount: int, *, now_s: float) -> Taken:
        """Take `amount`; the caller has seen that its wait is over."""
        self._refill(now_s)
        self._level -= amount
        taken = Taken(self._now_s, amount)
        self._log.add(taken)
        return taken

    def cap(self, remaining: int, *, now_s: float) -> None:
        """The vendor says that no more than `remaining` is left: hold no more than that."""
        self._refill(now_s)
        self._level = min(self._level, float(remaining))

    def settle(self, taken: Taken, *, amount: int, now_s: float) -> None:
        """Replace a reservation by what was used: the rest comes back, or more is owed."""
        self._refill(now_s)
        self._level = min(self._burst, self._level + taken.amount - amount)
        self._log.correct(taken, amount=amount, now_s=self._now_s)

    def _refill(self, now_s: float) -> None:
        elapsed_s = max(0.0, now_s - self._now_s)
        self._now_s += elapsed_s
        self._level = min(self._burst, self._level + elapsed_s * self.rate_per_s)


class DayCount:
    """Requests of the last 24 hours, in slots of ten minutes; a slot counts until all of it is old.

    Of the limit 99 % is used: the vendor's day may be counted from another moment than ours.
    """

    SHARE = 0.99
    _SLOT_S, _SLOTS = 600.0, 145

    def __init__(self, per_day: int) -> None:
        self.per_day = per_day
        self._slots: deque[list[float]] = deque()
        self._sum = 0.0

    def wait_s(self, amount: int, *, now_s: float) -> float:
        """Seconds until `amount` more requests fit into the day."""
        self._drop(now_s)
        over = self._sum + amount - max(1.0, math.floor(self.per_day * self.SHARE))
        if over <= 0:
            return 0.0
        for slot, count in self._slots:
            over -= count
            if over <= 0:
                return (slot + self._SLOTS) * self._SLOT_S - now_s
        return self._SLOTS * self._SLOT_S

    def used(self, *, now_s: float) -> int:
        """Requests that still count."""
        self._drop(now_s)
        return int(self._sum)

    def add(self, amount: int, *, now_s: float) -> None:
        """Count requests as made now."""
        self._drop(now_s)
        slot = math.floor(now_s / self._SLOT_S)
        if not self._slots or self._slots[-1][0] < slot:
            self._slots.append([slot, 0.0])
        self._slots[-1][1] += amount
        self._sum += amount

    def _drop(self, now_s: float) -> None:
        while self._slots and (self._slots[0][0] + self._SLOTS) * self._SLOT_S <= now_s + _TINY:
            self._sum -= self._slots.popleft()[1]
