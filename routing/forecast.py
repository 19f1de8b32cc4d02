"""When a budget or quota will be gone if calls go on as they do now. Pure.

The present pace is what the last PACE_S seconds spent, divided by PACE_S; a call counts when it began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

PACE_S = 900.0
_LONGEST_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`gone_at` is None when it lasts until its period ends; `idle`: nothing was spent lately."""

    gone_at: datetime | None
    idle: bool = False


def forecast(limits: Iterable[tuple[int, int]], *, now: datetime, ends: datetime) -> Forecast:
    """`limits` holds (left, spent within PACE_S) for money, tokens or both; the first to be reached
    counts. `ends` is when the period begins anew."""
    pairs = list(limits)
    waits_s = [
        0.0 if left <= 0 else min(_LONGEST_S, left / lately * PACE_S)
        for left, lately in pairs
        if left <= 0 or lately > 0
    ]
    if not waits_s:
        return Forecast(None, idle=True)
    gone_at = now + timedelta(seconds=min(waits_s))
    return Forecast(gone_at if gone_at < ends else None)
