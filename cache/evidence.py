"""What speaks for and against one stored answer as the answer to a question, in numbers. Pure.

Many wordings lead to one answer, so neighbours vote: not the nearest wording alone counts, but how
the answers of all near wordings are spread, how far the question lies from the middle of each answer's
wordings, and which words those wordings usually hold. `FEATURES` names the numbers in their order;
`judgement.py` turns them into a probability.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cache.lexicon import Lexicon, Words, overlap, words_of

FEATURES = (
    "cosine",
    "margin",
    "vote_narrow",
    "vote",
    "vote_wide",
    "mean_of_3",
    "mean_of_5",
    "mean_of_5_margin",
    "centroid",
    "centroid_margin",
    "behind_the_nearest",
    "near_support",
    "support",
    "answers_near",
    "overlap",
    "best_overlap",
    "overlap_margin",
    "spelling",
    "spelling_margin",
    "words_of_the_question_only",
    "words_of_the_wording_only",
    "typical_words",
    "typical_words_margin",
    "length",
    "stored",
)
# How many neighbours vote by cosine, and how many of the nearest are compared word by word.
VOTERS = 64
READ = 24
# A cosine this much behind the nearest has 1/e of its vote.
NARROW, MIDDLE, WIDE = 0.02, 0.05, 0.10
# What stands in for the second-best answer when every neighbour has the same one.
NOBODY_ELSE = 0.40
MOST_WORDINGS_READ = 5
TYPICAL_SHARE = 5.0
MOST_NEAR = 10
# A cache that holds fewer wordings is small: what is near in it says less. From here on all are alike.
SMALL_BELOW = 1_000
_TINY = 1e-6

Vector = NDArray[np.float32]


class Neighbour(NamedTuple):
    """A stored wording near the question: ids, text, what its words weigh, its cosine (-1..1)."""

    wording_id: int
    answer_id: int
    text: str
    weight: float
    cosine: float

    @property
    def words(self) -> Words:
        """Its words."""
        return words_of(self.text)


@dataclass(slots=True)
class Standing:
    """All wordings of one answer together: the sum of their unit vectors and how many hold each unit.

    `members` counts all of them, `count` those that add to the sums.
    """

    total: Vector
    count: int = 0
    members: int = 0
    units: Counter[str] = field(default_factory=Counter)
    _norm: float = 0.0

    def add(self, vector: Vector, units: Collection[str]) -> None:
        """One more wording leads to this answer."""
        self.total = self.total + vector
        self._norm = float(np.linalg.norm(self.total))
        self.count += 1
        self.units.update(units)

    def remove(self, vector: Vector, units: Collection[str]) -> None:
        """One wording less."""
        self.total = self.total - vector
        self._norm = float(np.linalg.norm(self.total))
        self.count -= 1
        self.units.subtract(units)

    def centroid_cosine(self, vector: Vector) -> float:
        """The cosine of `vector` to the middle of the wordings, 0 when there are none."""
        return float(self.total @ vector) / self._norm if self._norm else 0.0

    def typical(self, weights: Mapping[str, float]) -> float:
        """How much of the question's word weight this answer's wordings usually hold (not divided)."""
        share = TYPICAL_SHARE / max(1, self.count)
        return sum(
            weight * min(1.0, self.units[unit] * share)
            for unit, weight in weights.items()
            if unit in self.units
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answer that the neighbours favour, its nearest wording, and FEATURES as float64 (n,)."""

    answer_id: int
    nearest: Neighbour
    features: NDArray[np.float64]


def favourite(neighbours: Sequence[Neighbour]) -> tuple[int, Neighbour]:
    """The answer with the largest vote, and its nearest wording. `neighbours` best first, not empty."""
    votes = _votes(neighbours, MIDDLE)
    answer_id = max(votes, key=votes.__getitem__)
    return answer_id, next(item for item in neighbours if item.answer_id == answer_id)


def evidence(
    question: Words,
    vector: Vector,
    *,
    neighbours: Sequence[Neighbour],
    standings: Mapping[int, Standing],
    lexicon: Lexicon,
) -> Evidence:
    """The numbers for the favourite answer. `neighbours` best first, not empty; unit vectors."""
    answer_id, nearest = favourite(neighbours)
    weights = lexicon.weights(question.units)
    read = neighbours[:READ]
    behind = neighbours[0].cosine - nearest.cosine
    support = [
        math.log1p(min(sum(item.answer_id == answer_id for item in read), MOST_NEAR)),
        math.log1p(standings[answer_id].count),
        len({item.answer_id for item in read}) / READ,
    ]
    features = [
        *_by_cosine(answer_id, nearest, neighbours=neighbours),
        *_by_standing(answer_id, vector, neighbours=neighbours, standings=standings),
        behind,
        *support,
        *_by_words(question, answer_id, nearest, read=read, weights=weights),
        *_by_usage(answer_id, neighbours=neighbours, standings=standings, weights=weights),
        math.log1p(len(question.units)),
        math.log1p(min(len(lexicon), SMALL_BELOW)),
    ]
    return Evidence(
        answer_id=answer_id, nearest=nearest, features=np.array(features, dtype=np.float64)
    )


def _by_cosine(
    answer_id: int, nearest: Neighbour, *, neighbours: Sequence[Neighbour]
) -> list[float]:
    read = neighbours[:READ]
    other = next((item.cosine for item in read if item.answer_id != answer_id), None)
    margin = NOBODY_ELSE if other is None else nearest.cosine - other
    near: defaultdict[int, list[float]] = defaultdict(list)
    for item in neighbours:
        near[item.answer_id].append(item.cosine)
    five = {answer: _mean_of_5(cosines) for answer, cosines in near.items()}
    rest = max((mean for answer, mean in five.items() if answer != answer_id), default=None)
    mine = near[answer_id]
    return [
        nearest.cosine,
        max(-NOBODY_ELSE, min(NOBODY_ELSE, margin)),
        _share(_votes(read, NARROW), answer_id),
        _share(_votes(read, MIDDLE), answer_id),
        _share(_votes(neighbours, WIDE), answer_id),
        sum(mine[:3]) / len(mine[:3]),
        five[answer_id],
        NOBODY_ELSE if rest is None else five[answer_id] - rest,
    ]


def _by_standing(
    answer_id: int,
    vector: Vector,
    *,
    neighbours: Sequence[Neighbour],
    standings: Mapping[int, Standing],
) -> list[float]:
    others = {item.answer_id for item in neighbours} - {answer_id}
    mine = standings[answer_id].centroid_cosine(vector)
    rest = max((standings[other].centroid_cosine(vector) for other in others), default=None)
    return [mine, NOBODY_ELSE if rest is None else mine - rest]


def _by_words(
    question: Words,
    answer_id: int,
    nearest: Neighbour,
    *,
    read: Sequence[Neighbour],
    weights: Mapping[str, float],
) -> list[float]:
    asked = max(sum(weights.values()), _TINY)
    mine = [item for item in read if item.answer_id == answer_id] or [nearest]
    rest = [item for item in read if item.answer_id != answer_id]
    best = max(_alike(question, asked, item, weights=weights) for item in mine)
    other = max((_alike(question, asked, item, weights=weights) for item in rest), default=0.0)
    spelled = max(overlap(question.trigrams, item.words.trigrams) for item in mine)
    misspelled = max(
        (overlap(question.trigrams, item.words.trigrams) for item in rest), default=0.0
    )
    said = frozenset[str]().union(*(item.words.units for item in mine[:MOST_WORDINGS_READ]))
    in_both = _shared(question, nearest, weights=weights)
    return [
        _alike(question, asked, nearest, weights=weights),
        best,
        best - other,
        spelled,
        spelled - misspelled,
        sum(weight for unit, weight in weights.items() if unit not in said) / asked,
        max(0.0, 1 - in_both / max(nearest.weight, _TINY)),
    ]


def _by_usage(
    answer_id: int,
    *,
    neighbours: Sequence[Neighbour],
    standings: Mapping[int, Standing],
    weights: Mapping[str, float],
) -> list[float]:
    whole = max(sum(weights.values()), _TINY)
    others = {item.answer_id for item in neighbours} - {answer_id}
    mine = standings[answer_id].typical(weights) / whole
    rest = max((standings[other].typical(weights) / whole for other in others), default=0.0)
    return [mine, mine - rest]


def _shared(question: Words, item: Neighbour, *, weights: Mapping[str, float]) -> float:
    return sum(weights[unit] for unit in question.units & item.words.units)


def _alike(
    question: Words, asked: float, item: Neighbour, *, weights: Mapping[str, float]
) -> float:
    """Weighted Dice overlap of the question and one wording, 0..1; `asked` is the question's weight."""
    return 2 * _shared(question, item, weights=weights) / (asked + item.weight + _TINY)


def _votes(neighbours: Sequence[Neighbour], width: float) -> dict[int, float]:
    """answer id -> its neighbours' votes; each falls off with its distance behind the nearest."""
    top = neighbours[0].cosine
    votes: defaultdict[int, float] = defaultdict(float)
    for item in neighbours:
        votes[item.answer_id] += math.exp((item.cosine - top) / width)
    return votes


def _share(votes: Mapping[int, float], answer_id: int) -> float:
    return votes.get(answer_id, 0.0) / sum(votes.values())


def _mean_of_5(cosines: Sequence[float]) -> float:
    """The mean of the best five; where there are fewer, the last one less 0.1 stands in."""
    best = list(cosines[:5])
    return (sum(best) + (5 - len(best)) * (best[-1] - 0.1)) / 5
