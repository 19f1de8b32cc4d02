"""The decision: the answer that the neighbours favour, its vetoes, the bound, the near misses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cache.decision import (
    LEAST_COSINE,
    MOST_OPTIONS,
    OPTION_MIN_COSINE,
    Candidate,
    Decision,
    Vetoes,
    decide,
    is_twin,
    sureness,
    weigh,
)
from cache.evidence import FEATURES, Neighbour
from cache.judgement import (
    FLOOR_PROBABILITY,
    Fitted,
    Judgement,
    Unfitted,
    judgement_for,
    shipped,
)
from cache.lexicon import words_of
from cache.ngrams import DIMENSION as NGRAM_DIMENSION
from cache.ngrams import ngram_vector, shipped_frequencies
from cache.shelf import Shelf

DIMENSION = 8
QUESTION = "which courier do you use"


class Sure:
    """Judges by the cosine alone, so that a test says what is decided."""

    name = "by cosine"

    def probability(self, features: NDArray[np.float64]) -> float:
        """The cosine of the favourite's nearest wording."""
        return float(features[FEATURES.index("cosine")])

    def min_probability(self, max_wrong_share: float) -> float:
        """Fixed, whatever the budget."""
        return 0.9


def at(cosine: float, *, axis: int = 1) -> NDArray[np.float32]:
    """A unit vector with this cosine to the question, which is the first axis."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[0], vector[axis] = cosine, math.sqrt(1 - cosine * cosine)
    return vector


def decided(
    *stored: tuple[int, float],
    vetoed: frozenset[int] = frozenset(),
    judgement: Judgement | None = None,
) -> Decision[int]:
    """Decide with (answer id, cosine) stored; wordings are numbered in order; `vetoed` wordings."""
    shelf = Shelf(DIMENSION)
    for number, (answer_id, cosine) in enumerate(stored):
        vector = at(cosine, axis=1 + number % (DIMENSION - 1))
        shelf.add(number, answer_id=answer_id, text=f"wording {number}", vector=vector)

    def vetoes_for(wording_id: int) -> Vetoes:
        return ("numbers differ",) if wording_id in vetoed else ()

    question = at(1.0)
    weighed = weigh(
        shelf.near(question),
        words_of(QUESTION),
        question,
        facts=shelf.facts,
        vetoes_for=vetoes_for,
    )
    return decide(
        weighed,
        words_of(QUESTION),
        judgement=judgement or Sure(),
        candidate_of=candidate,
        vetoes_for=vetoes_for,
    )


def candidate(item: Neighbour) -> Candidate[int]:
    return Candidate(entry=item.answer_id, text=item.text, cosine=item.cosine)


def test_nothing_stored_is_a_miss() -> None:
    """Without neighbours there is neither a hit nor a nearest."""
    decision = decided()
    assert decision.hit is None
    assert decision.nearest is None


def test_the_answer_of_a_sure_neighbour_is_served() -> None:
    """From the bound on the favourite is served; below it nothing is."""
    served = decided((7, 0.95))
    assert served.hit is not None
    assert served.hit.entry == 7
    assert decided((7, 0.85)).hit is None


class Certain(Sure):
    """Sure of everything."""

    def probability(self, features: NDArray[np.float64]) -> float:
        """Certain."""
        return 1.0


@pytest.mark.parametrize(("cosine", "served"), [(LEAST_COSINE - 0.01, False), (0.31, True)])
def test_what_is_far_is_not_served_however_sure_the_model_is(cosine: float, served: bool) -> None:
    """A model that was fitted on near wordings may be sure of anything far away."""
    assert (decided((1, cosine), judgement=Certain()).hit is not None) is served


def test_a_lone_wording_that_has_nothing_in_common_is_not_served() -> None:
    """A cache of one wording, and a question about something else: there the model alone may be nearly certain."""
    stored = "现在最便宜卖几块"
    asked = "颜色和照片差得太远，我白天没空去寄，凭什么这笔运费要由买的人来出"
    vectors = [ngram_vector(text, frequencies=shipped_frequencies()) for text in (stored, asked)]
    assert vectors[0] is not None and vectors[1] is not None
    shelf = Shelf(NGRAM_DIMENSION)
    shelf.add(1, answer_id=1, text=stored, vector=vectors[0])
    weighed = weigh(
        shelf.near(vectors[1]),
        words_of(asked),
        vectors[1],
        facts=shelf.facts,
        vetoes_for=lambda wording_id: (),
    )
    assert sureness(weighed, words_of(asked), judgement=shipped()["ngrams/zh-hans"]) == 0.0


def test_neighbours_vote() -> None:
    """Three near wordings of one answer outvote one that is a little nearer and says something else."""
    decision = decided((1, 0.96), (2, 0.95), (2, 0.95), (2, 0.95))
    assert decision.hit is not None
    assert decision.hit.entry == 2


def test_a_vetoed_answer_is_out_and_does_not_vote() -> None:
    """The answer whose nearest wording is vetoed gives way to the next, and the veto is reported."""
    decision = decided((1, 0.99), (1, 0.98), (2, 0.95), vetoed=frozenset({0}))
    assert decision.hit is not None
    assert decision.hit.entry == 2
    assert decision.vetoes == ("numbers differ",)


def test_all_vetoed_is_a_miss_with_the_reason() -> None:
    """When everything near is vetoed the reason names the veto, and nothing is offered."""
    decision = decided((1, 0.99), (2, 0.98), vetoed=frozenset({0, 1}))
    assert decision.hit is None
    assert "numbers differ" in decision.reason
    assert decision.options == ()


def test_near_misses_are_offered_once_per_answer() -> None:
    """What is near but not sure is offered, best first, each answer once, at most MOST_OPTIONS."""
    decision = decided((1, 0.88), (1, 0.87), (2, 0.86), (3, 0.85), (4, 0.84))
    assert [option.entry for option in decision.options] == [1, 2, 3]
    assert len(decision.options) == MOST_OPTIONS


def test_a_vetoed_wording_is_not_offered() -> None:
    """What must not be served is not suggested either."""
    decision = decided((1, 0.88), (2, 0.86), vetoed=frozenset({1}))
    assert [option.entry for option in decision.options] == [1]


def test_far_wordings_are_not_offered() -> None:
    """Nobody is asked about something that has little to do with the question."""
    assert decided((1, OPTION_MIN_COSINE - 0.4)).options == ()


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(0.05, 0.999)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_what_is_served_is_sure_and_not_vetoed(stored: list[tuple[int, float]]) -> None:
    """Whatever is stored: a hit reaches the bound, and its wording carries no veto."""
    decision = decided(*stored, vetoed=frozenset({0}))
    if decision.hit is not None:
        assert decision.probability is not None
        assert decision.probability >= Sure().min_probability(0.01)
        assert decision.hit.text != "wording 0"


@pytest.mark.parametrize("name", ["minilm/en", "ngrams/zh-hans"])
def test_stricter_budgets_ask_for_more(name: str) -> None:
    """A smaller error budget never lowers the bound; a budget below every measured one allows nothing."""
    model = shipped()[name]
    bounds = [model.min_probability(share) for share in (0.0, 0.0025, 0.005, 0.01, 0.02)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == math.inf
    assert all(bound >= FLOOR_PROBABILITY for bound in bounds)


def test_an_unknown_space_is_judged_by_plain_bounds() -> None:
    """A model that nobody fitted is served only near and agreeing neighbours."""
    judgement = judgement_for("some-model", "zh-hans", models=dict[str, Fitted]())
    assert isinstance(judgement, Unfitted)
    features = np.zeros(len(FEATURES))
    features[FEATURES.index("cosine")] = judgement.min_cosine
    features[FEATURES.index("vote")] = judgement.min_vote
    assert judgement.probability(features) >= judgement.min_probability(0.01)
    features[FEATURES.index("vote")] = judgement.min_vote - 0.01
    assert judgement.probability(features) < judgement.min_probability(0.01)


@pytest.mark.parametrize(
    ("stored", "asked", "twins"),
    [
        ("How do I return a lamp?", "how can I return the lamp please", True),
        ("How do I return a lamp?", "Where do I return a lamp?", False),
        ("How long is delivery?", "How much is delivery?", False),
        ("Do you ship to Norway?", "Do you ship to Sweden?", False),
        ("退货怎么退", "怎么退货", False),
        ("Which courier do you use?", "What courier do you use?", True),
        ("Which courier do you use?", "Which courier service do you use?", False),
        ("Which courier service do you use?", "Which courier partner do you use?", False),
    ],
)
def test_twins_differ_in_neutral_words_only(stored: str, asked: str, twins: bool) -> None:
    """Neutral words, very near, do not make another question; one word more or a replaced one may."""
    wording = Neighbour(1, 1, stored, 1.0, 0.95)
    assert is_twin(words_of(asked), wording) is twins
