"""The index agrees with brute force over the vectors that it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cache.index import VectorIndex

DIMENSION = 8

Steps = list[tuple[str, int, int]]


def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def played(steps: Steps) -> tuple[VectorIndex, dict[int, NDArray[np.float32]]]:
    """The index and a plain dict after the same steps."""
    index, held = VectorIndex(DIMENSION), dict[int, NDArray[np.float32]]()
    for action, item_id, seed in steps:
        if action == "add":
            held[item_id] = unit(seed)
            index.add(item_id, held[item_id])
        else:
            held.pop(item_id, None)
            index.remove(item_id)
    return index, held


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "remove"]), st.integers(0, 12), st.integers(0, 10_000)
    ),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 10_000), st.integers(1, 10))
def test_search_is_brute_force(steps: Steps, seed: int, count: int) -> None:
    """After any adds, replacements and removals the nearest are those of a full comparison."""
    index, held = played(steps)
    question = unit(seed)
    expected = sorted((float(vector @ question) for vector in held.values()), reverse=True)
    found = index.search(question, count=count)
    assert [cosine for _, cosine in found] == pytest.approx(expected[:count], abs=1e-5)
    assert all(held[key] @ question == pytest.approx(cosine, abs=1e-5) for key, cosine in found)


@settings(deadline=None)
@given(STEPS)
def test_length_and_uniqueness(steps: Steps) -> None:
    """The index counts each id once and finds all of them."""
    index, held = played(steps)
    assert len(index) == len(held)
    assert {key for key, _ in index.search(unit(1), count=50)} == held.keys()


def test_a_removed_vector_is_never_found() -> None:
    """A removed id is gone from every search, and removing it again says so."""
    index, _ = played([("add", 1, 1), ("add", 2, 2)])
    assert index.remove(1)
    assert not index.remove(1)
    assert [key for key, _ in index.search(unit(1), count=5)] == [2]


def test_another_dimension_is_refused() -> None:
    """A vector of another shape raises ValueError and changes nothing."""
    index = VectorIndex(DIMENSION)
    with pytest.raises(ValueError, match="shape"):
        index.add(1, np.ones(DIMENSION + 1, dtype=np.float32))
    assert len(index) == 0


def test_many_at_once_are_as_one_by_one() -> None:
    """Filling an empty index in parts gives what adding gives; a filled one or wrong shapes are refused."""
    vectors = np.stack([unit(seed) for seed in range(1_000)])
    filled, added = VectorIndex(DIMENSION), VectorIndex(DIMENSION)
    filled.add_all(range(1_000), [vectors[:300], vectors[300:]])
    for item_id, vector in enumerate(vectors):
        added.add(item_id, vector)
    assert filled.search(unit(7), count=20) == added.search(unit(7), count=20)
    for index, ids in ((filled, [1]), (VectorIndex(DIMENSION), [1, 2])):
        with pytest.raises(ValueError, match="empty index"):
            index.add_all(ids, [vectors[:1]])
    with pytest.raises(ValueError, match="empty index"):
        VectorIndex(DIMENSION).add_all([1], [vectors[:1, :4]])
