"""One shopper's share of what all read is bounded, and nothing near one's own words counts twice."""

from __future__ import annotations

import pytest

from cache.influence import (
    MOST_PER_DAY,
    MOST_PER_HOUR,
    MOST_WAITING_PER_DAY,
    Fate,
    Influence,
    fate_of,
)

NOTHING = Influence(last_hour=0, last_day=0, waiting_last_day=0, varies_own=False)


@pytest.mark.parametrize(
    ("influence", "suspicions", "fate"),
    [
        (NOTHING, (), Fate.SHARED),
        (Influence(MOST_PER_HOUR - 1, MOST_PER_DAY - 1, 0, varies_own=False), (), Fate.SHARED),
        (Influence(MOST_PER_HOUR, MOST_PER_HOUR, 0, varies_own=False), (), Fate.WAITING),
        (Influence(0, MOST_PER_DAY, 0, varies_own=False), (), Fate.WAITING),
        (NOTHING, ("an address",), Fate.WAITING),
        (Influence(0, 0, MOST_WAITING_PER_DAY, varies_own=False), (), Fate.SHARED),
        (Influence(0, 0, MOST_WAITING_PER_DAY, varies_own=False), ("x",), Fate.DROPPED),
        (Influence(0, 0, 0, varies_own=True), (), Fate.DROPPED),
    ],
)
def test_fate(influence: Influence, suspicions: tuple[str, ...], fate: Fate) -> None:
    """Shared below the caps, waiting above them or when suspicious, dropped when even that is too much."""
    decided, reason = fate_of(influence, suspicions=suspicions)
    assert decided is fate
    assert bool(reason) == (fate is not Fate.SHARED)
