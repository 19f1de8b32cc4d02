"""Whether a failed attempt is repeated, and after how long. Pure: randomness is passed in.

One layer of retries, inside one deadline: a model is asked at most twice, a question makes at most
three attempts (or one per usable model, whichever is more, so that every model gets its turn before
any gets a second), and a process spends at most one retry per ten successes once its reserve is
used up: in an outage retries stop by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from routing.errors import Kind, Verdict

MAX_ATTEMPTS = 3
MAX_PER_MODEL = 2
LONGEST_RATE_WAIT_S = 5.0
_PAUSE_S = (0.25, 2.0)
_PAUSES_S = {Kind.CONNECT: (0.05, 0.25), Kind.OVERLOADED: (1.0, 2.0)}
_SPREAD_S = 0.25
_SLOW_KINDS = frozenset({Kind.TIMEOUT, Kind.RESET})
_TIMEOUTS = frozenset({Kind.TIMEOUT, Kind.UPSTREAM_TIMEOUT})
_LATE_SHARE = 0.5


def backoff_s(verdict: Verdict, *, random: Callable[[], float]) -> float:
    """The pause before a repetition: what the vendor asked for, else full jitter in 0.25 to 2 s.

    A connection that failed is tried again fast, an overloaded vendor is given at least a second.
    A wait that was asked for is never cut short, and ends spread over a quarter of a second.
    """
    shortest_s, longest_s = _PAUSES_S.get(verdict.kind, _PAUSE_S)
    if verdict.retry_after_s is None:
        return shortest_s + random() * (longest_s - shortest_s)
    return max(verdict.retry_after_s, shortest_s) + random() * _SPREAD_S


@dataclass(slots=True)
class Attempts:
    """Counts the attempts of one question."""

    usable_models: int
    made: int = 0
    passed_on_once: bool = False

    @property
    def most(self) -> int:
        """How many attempts the question may make."""
        return max(MAX_ATTEMPTS, self.usable_models)

    def may_retry(
        self, verdict: Verdict, *, made_here: int, untried: int, left_s: float, gone_share: float
    ) -> bool:
        """Whether the same model may be asked again.

        `made_here` counts attempts at this model, `untried` the models not asked yet, `gone_share`
        is how much of the question's time is over.
        """
        if not verdict.retry_same or made_here >= MAX_PER_MODEL:
            return False
        if self.made + 1 + untried > self.most:
            return False
        if verdict.kind in _SLOW_KINDS and gone_share > _LATE_SHARE:
            return False
        wait_s = verdict.retry_after_s or 0.0
        return wait_s <= min(left_s, LONGEST_RATE_WAIT_S)

    def fall_back(self, verdict: Verdict) -> bool:
        """Whether another model may be asked. Remembers that the one time allowed is used up."""
        if not verdict.fall_back_once:
            return verdict.fall_back
        was_used, self.passed_on_once = self.passed_on_once, True
        return verdict.fall_back and not was_used


class RetryBudget:
    """What a process may spend on retries: two in reserve, then one for every ten successes.

    So at most a tenth of all calls are retries, in an outage too; the reserve is small, since every
    process of a fleet has its own.
    """

    CAPACITY, COST, TIMEOUT_COST, REFUND = 10.0, 5.0, 10.0, 0.5

    def __init__(self) -> None:
        self._left = self.CAPACITY

    def spend(self, verdict: Verdict) -> bool:
        """Pay for one retry; False when the reserve does not cover it."""
        cost = self.TIMEOUT_COST if verdict.kind in _TIMEOUTS else self.COST
        if cost > self._left:
            return False
        self._left -= cost
        return True

    def refund(self) -> None:
        """A call succeeded."""
        self._left = min(self.CAPACITY, self._left + self.REFUND)
