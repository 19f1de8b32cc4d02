"""How often a hit was the wrong answer, from labels, with an interval. Pure.

The interval is Wilson's score interval at 95 % (E. B. Wilson, 1927): for w wrong of n labels with p = w / n
and z = 1.96 it is (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n). It stays within 0..1 and holds for few
labels. Labels are not a random sample: staff look at doubtful hits first and shoppers speak up when
something is wrong, so the share among labels is above the share among all hits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from chatbot.reports.facts import LABELS, Facts

# On answers that were served; taps on "did you mean" judge wordings that were only offered.
SOURCES = {"staff": ("staff",), "shoppers": ("thumb", "retry")}
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class WrongHits:
    """Labels of one source: `wrong` of `labels`, and the 95 % interval of the share (0..1)."""

    source: str
    labels: int
    wrong: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """None without a label."""
        return self.wrong / self.labels if self.labels else None


def wrong_hits(facts: Facts) -> list[WrongHits]:
    """Per source of SOURCES, then for `all` of them."""
    found = []
    for source, kinds in (*SOURCES.items(), ("all", sum(SOURCES.values(), ()))):
        labels = wrong = 0
        for (kind, judged), (count,) in facts.of(LABELS):
            if kind in kinds:
                labels += count
                wrong += count if judged == "wrong" else 0
        found.append(WrongHits(source, labels, wrong, *wilson(wrong, labels)))
    return found


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) without a trial."""
    if trials == 0:
        return 0.0, 1.0
    share, spread = successes / trials, _Z**2 / trials
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))
