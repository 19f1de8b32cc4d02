"""Fitting the decision model: what is learned, the measured bounds, the confidence limit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cache.fitting import GRID, Judged, fit, least_bound, play, play_small, upper_share
from cache.labelled import Labelled
from cache.small_caches import CACHES, FEWEST, MOST, small_caches

DIMENSION = 16
RNG = np.random.default_rng(5)


def questions(*, count: int, labels: int) -> Labelled:
    """Clustered questions: those of one label lie near each other and share a word."""
    middles = RNG.normal(size=(labels, DIMENSION))
    numbers = RNG.integers(0, labels, size=count)
    vectors = middles[numbers] + 0.45 * RNG.normal(size=(count, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Labelled(
        texts=[f"word{number} said {place % 7} ways" for place, number in enumerate(numbers)],
        labels=[f"label-{number}" for number in numbers],
        vectors=vectors.astype(np.float32),
    )


def test_the_model_learns_to_tell_right_from_wrong() -> None:
    """On questions it has not seen, right favourites get a higher probability than wrong ones."""
    model = fit([questions(count=150, labels=6), questions(count=150, labels=9)], name="test")
    judged = play(questions(count=200, labels=7), probability=model.probability)
    right = [item.probability for item in judged if item.right]
    wrong = [item.probability for item in judged if not item.right]
    assert right
    assert wrong
    assert np.mean(right) > np.mean(wrong) + 0.2


def test_small_caches_hold_some_questions_each_once() -> None:
    """A few hundred of the set's own questions in another order, the same ones for the same seed."""
    whole = questions(count=700, labels=40)
    drawn = small_caches(whole, seed=3)
    assert len(drawn) == CACHES
    for some in drawn:
        assert FEWEST <= len(some.texts) <= MOST
        rows = [tuple(row) for row in some.vectors.tolist()]
        assert len(set(rows)) == len(rows)
        asked = dict(zip(map(tuple, whole.vectors.tolist()), whole.labels, strict=True))
        assert [asked[row] for row in rows] == list(some.labels)
    assert [some.texts for some in drawn] == [some.texts for some in small_caches(whole, seed=3)]
    assert len({some.texts[0] for some in drawn}) > 1


def test_in_some_small_caches_few_subjects_are_popular() -> None:
    """The most asked subject of a popular one has several times its even share."""
    whole = questions(count=2_000, labels=50)
    shares = [
        Counter(some.labels).most_common(1)[0][1] / len(some.texts)
        for some in small_caches(whole, seed=3)
    ]
    assert max(shares) > 4 / 50
    assert min(shares) < 3.5 / 50


def test_play_small_counts_every_question() -> None:
    """Each question of the small caches is asked once; the first of a cache has nothing near."""
    whole = questions(count=600, labels=8)
    count, judged = play_small(whole, probability=lambda features: 0.0)
    assert CACHES * FEWEST <= count <= CACHES * MOST
    assert 0.8 * count < len(judged) <= count - CACHES


def test_the_bound_keeps_the_budget() -> None:
    """The lowest bound whose upper wrong share is within the budget, on every set."""
    judged = [
        Judged(np.zeros(1), right=number % 100 != 0, probability=0.5 + number / 4_000)
        for number in range(2_000)
    ]
    bound = least_bound([(2_000, judged)], budget=0.01)
    assert bound in GRID
    wrong = sum(not item.right and item.probability >= bound for item in judged)
    assert upper_share(wrong, of=2_000) <= 0.01


def test_no_bound_is_strict_enough_for_what_is_always_wrong() -> None:
    """Where the surest are wrong there is no bound."""
    judged = [Judged(np.zeros(1), right=False, probability=1.0)] * 50
    assert least_bound([(50, judged)], budget=0.01) is None


@pytest.mark.parametrize(("count", "of", "share"), [(0, 299, 0.00997), (3, 1_000, 0.00773)])
def test_the_confidence_limit_is_clopper_and_pearsons(count: int, of: int, share: float) -> None:
    """Known values: no error in 299 shows at most 1 % with 95 % confidence."""
    assert upper_share(count, of=of) == pytest.approx(share, rel=0.01)
