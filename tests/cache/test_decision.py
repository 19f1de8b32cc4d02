"""The decision: the best candidate at or above the bound against which no veto speaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.decision import FLOOR_COSINE, MIN_COSINE, Candidate, Decision, decide


def candidates(*cosines: float) -> list[Candidate[int]]:
    return [
        Candidate(entry=number, text=f"wording {number}", cosine=cosine)
        for number, cosine in enumerate(cosines)
    ]


def decided(
    *cosines: float, vetoed: tuple[int, ...] = (), bound: float = MIN_COSINE
) -> Decision[int]:
    forbidden = {f"wording {number}" for number in vetoed}
    return decide(
        candidates(*cosines),
        vetoes_for=lambda text: ("numbers differ",) if text in forbidden else (),
        min_cosine=bound,
    )


def test_nothing_stored_is_a_miss() -> None:
    """Without candidates there is neither a hit nor a nearest."""
    decision = decided()
    assert decision.hit is None
    assert decision.nearest is None


def test_the_bound_itself_is_enough() -> None:
    """A cosine equal to the bound is served, one below it is not."""
    assert decided(MIN_COSINE).hit is not None
    assert decided(MIN_COSINE - 1e-6).hit is None


def test_a_vetoed_candidate_gives_way_to_the_next() -> None:
    """The first candidate without a veto is served, and the veto is reported."""
    decision = decided(0.99, 0.95, vetoed=(0,))
    assert decision.hit is not None
    assert decision.hit.entry == 1
    assert decision.vetoes == ("numbers differ",)


def test_all_vetoed_is_a_miss_with_the_reason() -> None:
    """When every near candidate is vetoed the reason names the veto and the nearest is kept."""
    decision = decided(0.99, 0.95, vetoed=(0, 1))
    assert decision.hit is None
    assert decision.nearest is not None
    assert "numbers differ" in decision.reason


def test_no_setting_goes_below_the_floor() -> None:
    """A bound below the floor counts as the floor."""
    assert decided(FLOOR_COSINE - 0.01, bound=0.1).hit is None
    assert decided(FLOOR_COSINE, bound=0.1).hit is not None


@given(
    st.lists(st.floats(min_value=-1, max_value=1), max_size=8),
    st.sets(st.integers(min_value=0, max_value=7)),
    st.floats(min_value=0, max_value=1),
)
def test_a_hit_is_the_best_that_may_be_served(
    cosines: list[float], vetoed: set[int], bound: float
) -> None:
    """The hit is the first candidate at the bound without a veto, for any order of vetoes."""
    ordered = sorted(cosines, reverse=True)
    decision = decided(*ordered, vetoed=tuple(vetoed), bound=bound)
    reached = max(bound, FLOOR_COSINE)
    allowed = [n for n, cosine in enumerate(ordered) if cosine >= reached and n not in vetoed]
    assert (decision.hit.entry if decision.hit else None) == (allowed[0] if allowed else None)


@pytest.mark.parametrize("cosine", [0.5, 0.95])
def test_every_decision_says_why(cosine: float) -> None:
    """A decision always carries a reason in words."""
    assert decided(cosine).reason
