"""How a method's bound is fixed and counted: the same rule for every method.

Rows are split in two halves by their number. On the first half the bound with the most hits is taken whose wrong
answers stay within TUNED_WRONG_SHARE of the half's rows; what it does on the second half is the
result. The tuning share lies below the goal of 1 %, so that chance does not decide whether the other
half meets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.cache_quality.methods import Outcome

TUNED_WRONG_SHARE = 0.008
K = TypeVar("K", bound=float)


@dataclass(frozen=True, slots=True)
class Shares:
    """Of all rows counted: served, and served wrongly."""

    hit: float
    wrong: float


def shares(outcomes: Sequence[Outcome]) -> Shares:
    """Counted over all these rows."""
    count = max(1, len(outcomes))
    return Shares(
        hit=sum(outcome is not None for outcome in outcomes) / count,
        wrong=sum(outcome is False for outcome in outcomes) / count,
    )


def halves(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Even rows fix the bound, odd rows are tested; the cache saw both."""
    return list(outcomes[::2]), list(outcomes[1::2])


def fixed_bound(tried: Mapping[K, Sequence[Outcome]]) -> K | None:
    """The bound that the first half chooses; None when no bound is strict enough."""
    best: tuple[float, K] | None = None
    for bound, outcomes in tried.items():
        counted = shares(halves(outcomes)[0])
        if counted.wrong <= TUNED_WRONG_SHARE and (best is None or counted.hit > best[0]):
            best = (counted.hit, bound)
    return None if best is None else best[1]
