"""Small caches to fit on: some questions of a set, in an order of their own. Pure.

A set that is played whole says little about a shop's first hours. Each small cache draws a few hundred
questions; in some a few subjects are asked again and again, in the others all alike.
"""

from __future__ import annotations

import math
import random
from collections import Counter

from cache.labelled import Labelled

CACHES = 20
FEWEST, MOST = 120, 500
POPULAR_SHARE = 0.6
# The n-th most popular subject is asked n ** -POPULARITY times as often as the first one.
POPULARITY = 0.8


def small_caches(questions: Labelled, *, seed: int) -> list[Labelled]:
    """CACHES draws without replacement, of FEWEST to MOST questions (or all, where a set is smaller)."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    drawn = []
    for _ in range(CACHES):
        size = round(math.exp(rng.uniform(math.log(FEWEST), math.log(MOST))))
        drawn.append(_drawn(questions, size, rng, popular=rng.random() < POPULAR_SHARE))
    return drawn


def _drawn(questions: Labelled, size: int, rng: random.Random, *, popular: bool) -> Labelled:
    """Weighted draws without replacement: the smallest exponential waiting times come first."""
    subjects = sorted(set(questions.labels))
    rng.shuffle(subjects)
    exponent = POPULARITY if popular else 0.0
    counts = Counter(questions.labels)
    rates = {
        subject: (place + 1) ** -exponent / counts[subject]
        for place, subject in enumerate(subjects)
    }
    waits = [
        (rng.expovariate(rates[label]), number) for number, label in enumerate(questions.labels)
    ]
    numbers = [number for _, number in sorted(waits)[:size]]
    rng.shuffle(numbers)
    return Labelled(
        texts=[questions.texts[number] for number in numbers],
        labels=[questions.labels[number] for number in numbers],
        vectors=questions.vectors[numbers],
    )
