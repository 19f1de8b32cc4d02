"""How much one shopper may put into what all read. Pure.

What a shopper asks may become a wording that leads everyone to an answer. One shopper's share of that is bounded:
so many new wordings an hour and a day, and none that only varies one's own. What is suspicious, or beyond
the cap, waits until others have got the same answer; beyond a second cap it is not kept at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MOST_PER_HOUR, MOST_PER_DAY = 10, 30
MOST_WAITING_PER_DAY = 20
ENOUGH_ASKERS = 3
NEAR_OWN_COSINE = 0.80
NEAR_OWN_OVERLAP = 0.60  # of three-character pieces, where there are no vectors


class Fate(Enum):
    """What becomes of a new wording."""

    SHARED = "shared"
    WAITING = "waiting"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Influence:
    """What a shopper's own words led to lately, in one partition; `varies_own`: the new one is near one of them."""

    last_hour: int
    last_day: int
    waiting_last_day: int
    varies_own: bool


def fate_of(influence: Influence, *, suspicions: tuple[str, ...]) -> tuple[Fate, str]:
    """What becomes of a shopper's new wording, and why; no reason when it is shared."""
    if influence.varies_own:
        return Fate.DROPPED, "it varies a wording of the same shopper"
    over = _over(influence)
    reasons = (*suspicions, *((over,) if over else ()))
    if not reasons:
        return Fate.SHARED, ""
    if influence.waiting_last_day >= MOST_WAITING_PER_DAY:
        return Fate.DROPPED, f"too many of this shopper's wordings wait; {', '.join(reasons)}"
    return Fate.WAITING, f"it waits for {ENOUGH_ASKERS} askers: {', '.join(reasons)}"


def _over(influence: Influence) -> str:
    if influence.last_hour >= MOST_PER_HOUR:
        return f"{MOST_PER_HOUR} new wordings of this shopper within an hour"
    if influence.last_day >= MOST_PER_DAY:
        return f"{MOST_PER_DAY} new wordings of this shopper within a day"
    return ""
