"""Fitting the decision model: labelled questions are played through a shelf, the evidence is learned.

Which wordings are stored depends on the decisions, so the model is fitted in rounds: first on a
cache that stores every question, then also on caches that the model of the round before fills
(only what it does not serve is stored). Beside each set stand many small caches with some of its
questions (`small_caches.py`): a shop's first hours, in which few neighbours vote. No Django; scikit-learn
is imported by the caller's command, not by the running server.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from cache.evidence import FEATURES, Neighbour, evidence
from cache.judgement import FARTHEST_SD, Fitted
from cache.labelled import Labelled, Vectors
from cache.lexicon import words_of
from cache.shelf import Shelf
from cache.small_caches import small_caches

ROUNDS = 2
# So many questions of a set are learned from, so that a long one takes no longer to play.
MOST_ROWS = 3_600
# Answers are recognised by comparing them (`identity.py`), not from labels: as many wordings get an
# answer of their own though theirs was known, and as many are attached to their nearest wrong neighbour.
LOST_SHARE = 0.06
MERGED_SHARE = 0.015
# So many stay lost once answers that were stored twice have been linked and merged: then more is served, at the same
# bound, and more of it wrongly.
LINKED_LOST_SHARE = 0.02
# In a small cache the judge of answers has seen little: up to half of the identities are not known yet.
SMALL_LOST_SHARES = (LOST_SHARE, 0.3, 0.5)
ROUND_BOUND = 0.9
STRENGTH = 0.002
SEED = 7
SMALL_WEIGHT = 0.5
PAIRS_WEIGHT = 0.08
CONFIDENCE = 0.95
BUDGETS = (0.0025, 0.005, 0.01, 0.02)
GRID = tuple(1 - 10 ** (-step / 20) for step in range(10, 61))
NOTHING_NEAR = 0.10

Probability = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True, slots=True)
class Paired:
    """A stored text, one that is asked, whether one answer serves both; `vectors` (2, dimension)."""

    stored: str
    asked: str
    same: bool
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Judged:
    """One question for which something was near: its features (n,) and whether the favourite is right."""

    features: NDArray[np.float64]
    right: bool
    probability: float


def play(
    questions: Labelled,
    *,
    probability: Probability | None,
    bound: float = ROUND_BOUND,
    lost_share: float = LOST_SHARE,
    seed: int = SEED,
) -> list[Judged]:
    """Ask the questions one after the other of an empty cache.

    Without a model every question is stored; with one, those that it does not serve from `bound` on. Of the
    stored ones `lost_share` get an answer of their own though theirs was known.
    """
    shelf = Shelf(questions.vectors.shape[1])
    answers = _Answers(lost_share=lost_share, seed=seed)
    judged: list[Judged] = []
    rows = zip(questions.texts, questions.labels, questions.vectors, strict=True)
    for number, (text, label, vector) in enumerate(rows):
        words = words_of(text)
        near = shelf.near(vector)
        served = False
        if near and near[0].cosine >= NOTHING_NEAR:
            facts = shelf.facts
            found = evidence(
                words, vector, neighbours=near, standings=facts.standings, lexicon=facts.lexicon
            )
            sure = probability(found.features) if probability else 0.0
            right = answers.label_of[found.answer_id] == label
            judged.append(Judged(found.features, right, sure))
            served = sure >= bound
        if not served:
            answer_id = answers.identify(label, near)
            shelf.add(number, answer_id=answer_id, text=text, vector=vector)
    return judged


class _Answers:
    """Which answer a stored question gets, with the errors that comparing answers makes."""

    def __init__(self, *, lost_share: float, seed: int) -> None:
        self.label_of: dict[int, str] = {}
        self._first_of: dict[str, int] = {}
        self._lost_share = lost_share
        self._rng = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def identify(self, label: str, near: Sequence[Neighbour]) -> int:
        """The label's answer; sometimes a new one, or that of a neighbour with another label."""
        drawn = self._rng.random()
        foreign = (item.answer_id for item in near if self.label_of[item.answer_id] != label)
        if drawn < MERGED_SHARE and (wrong := next(foreign, None)) is not None:
            return wrong
        if label in self._first_of and drawn >= MERGED_SHARE + self._lost_share:
            return self._first_of[label]
        answer_id = len(self.label_of)
        self.label_of[answer_id] = label
        self._first_of.setdefault(label, answer_id)
        return answer_id


def play_pairs(pairs: Sequence[Paired]) -> list[Judged]:
    """Judge the second text of each pair by a cache that holds the first ones: alone, and all of them."""
    everyone = Shelf(pairs[0].vectors.shape[1]) if pairs else Shelf(1)
    for number, pair in enumerate(pairs):
        everyone.add(number, answer_id=number, text=pair.stored, vector=pair.vectors[0])
    judged: list[Judged] = []
    for number, pair in enumerate(pairs):
        alone = Shelf(pair.vectors.shape[1])
        alone.add(number, answer_id=number, text=pair.stored, vector=pair.vectors[0])
        for shelf in (alone, everyone):
            found = evidence(
                words_of(pair.asked),
                pair.vectors[1],
                neighbours=shelf.near(pair.vectors[1]),
                standings=shelf.facts.standings,
                lexicon=shelf.facts.lexicon,
            )
            right = pair.same and found.answer_id == number
            judged.append(Judged(found.features, right, 0.0))
    return judged


def fit(sets: Sequence[Labelled], *, name: str, pairs: Sequence[Paired] = ()) -> Fitted:
    """One model for all sets; each set weighs the same, its small caches together SMALL_WEIGHT of it.

    All pairs together weigh PAIRS_WEIGHT of a set. `bounds` are still empty.
    """
    small = [small_caches(questions, seed=SEED) for questions in sets]
    contrasts = (PAIRS_WEIGHT, play_pairs(pairs))
    rows: list[list[Judged]] = [[] for _ in sets]
    few: list[list[Judged]] = [[] for _ in sets]
    probability: Probability | None = None
    for _ in range(1 + ROUNDS):
        for number, questions in enumerate(sets):
            rows[number] += play(questions, probability=probability)
            few[number] += _play_small(small[number], probability=probability)
        weighed = [*((1.0, judged) for judged in rows), *((SMALL_WEIGHT, judged) for judged in few)]
        model = _regression([*weighed, contrasts], name=name)
        probability = model.probability
    return model


def play_small(questions: Labelled, *, probability: Probability) -> tuple[int, list[Judged]]:
    """Small caches of a set, other ones than those of `fit`: how many questions, and what was judged."""
    judged: list[Judged] = []
    caches = small_caches(questions, seed=SEED + 1)
    for seed, some in enumerate(caches):
        judged += play(some, probability=probability, seed=seed)
    return sum(len(some.texts) for some in caches), judged


def _play_small(caches: Sequence[Labelled], *, probability: Probability | None) -> list[Judged]:
    judged: list[Judged] = []
    shares = cycle(SMALL_LOST_SHARES)
    for seed, (questions, lost_share) in enumerate(zip(caches, shares, strict=False)):
        judged += play(questions, probability=probability, lost_share=lost_share, seed=seed)
    return judged


def least_bound(plays: Sequence[tuple[int, Sequence[Judged]]], *, budget: float) -> float | None:
    """The lowest probability of GRID whose wrong share is within `budget` in every play.

    `plays` holds, per set that the model was not fitted on, how many questions were asked and what
    was judged. Within means that the upper bound of the share (Clopper-Pearson, one-sided
    CONFIDENCE) is not above the budget. None when no bound of GRID is strict enough.
    """
    for bound in GRID:
        wrong = [
            (sum(not item.right and item.probability >= bound for item in judged), count)
            for count, judged in plays
        ]
        if all(upper_share(count, of=of) <= budget for count, of in wrong):
            return bound
    return None


def upper_share(count: int, *, of: int, confidence: float = CONFIDENCE) -> float:
    """One-sided upper confidence bound of a share (Clopper-Pearson)."""
    if count >= of:
        return 1.0
    return float(beta.ppf(confidence, count + 1, of - count))


def _regression(weighed: Sequence[tuple[float, Sequence[Judged]]], *, name: str) -> Fitted:
    """Fit groups of judged questions, each with what the whole group weighs."""
    features = np.array([item.features for _, judged in weighed for item in judged])
    right = np.array([item.right for _, judged in weighed for item in judged])
    weights = np.concatenate(
        [np.full(len(judged), weight / max(1, len(judged))) for weight, judged in weighed]
    )
    weights *= len(right) / weights.sum()
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    z = np.clip((features - mean) / spread, -FARTHEST_SD, FARTHEST_SD)
    upper = np.triu_indices(len(FEATURES))
    inputs = np.concatenate([z, z[:, upper[0]] * z[:, upper[1]]], axis=1)
    middle, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    regression = LogisticRegression(C=STRENGTH, max_iter=2_000)
    regression.fit((inputs - middle) / scale, right, sample_weight=weights)
    slopes = regression.coef_[0] / scale
    products = np.zeros((len(FEATURES), len(FEATURES)))
    products[upper] = slopes[len(FEATURES) :]
    intercept = float(regression.intercept_[0] - slopes @ middle)
    if not math.isfinite(intercept):
        message = f"the regression for {name} did not converge"
        raise ValueError(message)
    return Fitted(
        name=name,
        mean=mean,
        spread=spread,
        linear=slopes[: len(FEATURES)],
        products=products,
        intercept=intercept,
        bounds=(),
    )
