"""The large index: what it reports is exact, what is removed is gone, and hardly a neighbour is missed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cache import index_large
from cache.index import use_one_thread
from cache.index_large import CoarseIndex, LargeIndex

DIMENSION = 32
LARGE_FROM = 400
COUNT = 8
WAIT_S = 60.0
Matrix = NDArray[np.float32]


def unit_rows(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def clustered(count: int, *, seed: int, spread: float = 0.5) -> Matrix:
    """Unit vectors around one middle per twenty, as wordings lie around what they ask."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(max(1, count // 20), DIMENSION))
    rows = middles[random.integers(0, len(middles), count)]
    return unit_rows(rows + spread * random.normal(size=(count, DIMENSION)))


class Run:
    """An index with its owner's thread, and the vectors it should hold."""

    def __init__(self, owner: ThreadPoolExecutor, **options: Any) -> None:
        self.owner = owner
        self.adopted = threading.Event()
        self.index = LargeIndex(
            DIMENSION,
            owner=owner,
            large_from=LARGE_FROM,
            adopted=self.adopted.set,
            **options,
        )
        self.held: dict[int, Matrix] = {}

    def on_owner(self, work: Callable[[], Any]) -> Any:
        return self.owner.submit(work).result()

    def add(self, item_id: int, vector: Matrix) -> None:
        self.held[item_id] = vector
        self.on_owner(lambda: self.index.add(item_id, vector))

    def remove(self, item_id: int) -> None:
        self.held.pop(item_id, None)
        self.on_owner(lambda: self.index.remove(item_id))

    def fill(self, vectors: Matrix) -> None:
        self.held.update(enumerate(vectors))
        self.on_owner(lambda: self.index.fill(range(len(vectors)), [vectors]))
        self.on_owner(self.index.build_if_due)

    def built(self) -> None:
        """Wait for the build that is running."""
        assert self.adopted.wait(WAIT_S)
        self.adopted.clear()

    def search(self, vector: Matrix, *, count: int = COUNT) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = self.on_owner(
            lambda: self.index.search(vector, count=count)
        )
        return found

    def nearest(self, vector: Matrix, *, count: int = COUNT) -> list[int]:
        """By comparing with every vector."""
        ids = list(self.held)
        order = np.argsort(-(np.stack([self.held[item_id] for item_id in ids]) @ vector))
        return [ids[place] for place in order[:count]]

    def recall(self, questions: Matrix) -> float:
        """Share of the true nearest that a search finds; every answer is checked on the way."""
        hits = 0
        for vector in questions:
            found = self.search(vector)
            assert len({item_id for item_id, _ in found}) == len(found) == COUNT
            assert [cosine for _, cosine in found] == sorted(
                (cosine for _, cosine in found), reverse=True
            )
            for item_id, cosine in found:
                assert float(self.held[item_id] @ vector) == pytest.approx(cosine, abs=1e-5)
            hits += len({item_id for item_id, _ in found} & set(self.nearest(vector)))
        return hits / (COUNT * len(questions))


@pytest.fixture
def owner() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, initializer=use_one_thread) as thread:
        yield thread


def test_recall_and_exact_cosines(owner: ThreadPoolExecutor) -> None:
    """Of the eight nearest at least 99 in 100 are found, and every cosine is exact to 1e-5."""
    run = Run(owner)
    vectors = clustered(12_000, seed=1)
    run.fill(vectors)
    run.built()
    assert run.index.is_large
    near = vectors[::80] + 0.05 * np.random.default_rng(2).normal(size=vectors[::80].shape)
    assert run.recall(unit_rows(near)) >= 0.99


def test_small_index_is_exact(owner: ThreadPoolExecutor) -> None:
    """Below its bound nothing is built and nothing is missed."""
    run = Run(owner)
    run.fill(clustered(LARGE_FROM - 1, seed=3))
    assert not run.index.builds
    assert run.recall(clustered(30, seed=4)) == 1.0


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "replace", "remove"]), st.integers(0, 10_000)), max_size=40
)


class Between:
    """The owner as a builder meets it: before each of its requests some changes come first."""

    def __init__(self, owner: ThreadPoolExecutor, changes: list[tuple[str, int]]) -> None:
        self._owner = owner
        self._changes = changes
        self.run: Run | None = None

    def submit(self, work: Callable[[], Any], /) -> Future[Any]:
        assert self.run is not None
        for _ in range(min(4, len(self._changes))):
            queued(self.run, self._changes.pop(0))
        return self._owner.submit(work)


@settings(max_examples=15)
@given(CHANGES, CHANGES)
def test_changes_take_effect_at_once(between: list[Any], after: list[Any]) -> None:
    """Whatever changes while a build runs and after it: the removed are gone, the added are found."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ThreadPoolExecutor(1, initializer=use_one_thread) as owner,
    ):
        patch.setattr(index_large, "ROWS_AT_ONCE", 64)
        changing = Between(owner, between)
        run = changing.run = Run(owner)
        run.index._owner = changing
        run.fill(clustered(LARGE_FROM, seed=5))
        run.built()
        for change in after:
            queued(run, change).result()
        assert len(run.on_owner(lambda: run.index)) == len(run.held)
        for item_id, vector in list(run.held.items())[-60:]:
            same = [key for key, cosine in run.search(vector, count=60) if cosine > 1 - 1e-6]
            assert item_id in same
        found = {key for key, _ in run.search(clustered(1, seed=6)[0], count=2 * LARGE_FROM)}
        assert found <= run.held.keys()


def queued(run: Run, change: tuple[str, int]) -> Future[Any]:
    """Queue a change at the owner: to a new id, or to one that is held."""
    action, seed = change
    ids = list(run.held)
    item_id = 100_000 + seed if action == "add" else ids[seed % len(ids)]
    if action == "remove":
        del run.held[item_id]
        return run.owner.submit(lambda: run.index.remove(item_id))
    vector = clustered(1, seed=seed + 7)[0]
    run.held[item_id] = vector
    return run.owner.submit(lambda: run.index.add(item_id, vector))


def test_long_delta_is_built_in(owner: ThreadPoolExecutor) -> None:
    """When many were added since the last build, another one takes them over; recall stays."""
    run = Run(owner)
    vectors = clustered(3_000, seed=8)
    run.fill(vectors[:1_000])
    run.built()
    for item_id in range(1_000, 3_000):
        run.add(item_id, vectors[item_id])
    run.built()
    assert run.recall(vectors[::60]) >= 0.99


def test_kept_file_is_adopted_with_what_changed_since(owner: ThreadPoolExecutor) -> None:
    """A file of an earlier process serves, without what is gone and with what came since."""
    run = Run(owner)
    vectors = clustered(1_000, seed=9)
    run.fill(vectors)
    run.built()
    content = run.on_owner(run.index.written_coarse)
    later = Run(owner)
    later.held = {item_id: run.held[item_id] for item_id in range(100, 1_000)}
    later.held[5_000], later.held[300] = clustered(2, seed=10)
    for item_id, vector in later.held.items():
        later.index._all.add(item_id, vector)
    later.on_owner(lambda: later.index.restore(CoarseIndex.read(content), replaced=[300, 5_000]))
    assert later.index.is_large
    assert later.recall(vectors[::20]) >= 0.99
    for item_id in (300, 5_000):
        assert later.search(later.held[item_id], count=1)[0][0] == item_id
    found = {item_id for item_id, _ in later.search(vectors[5], count=50)}
    assert found <= later.held.keys()


def test_build_that_fails_is_tried_again_later(
    owner: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When a build fails the search stays exact, and only a much larger index is tried again."""

    def fail(*_: Any, **__: Any) -> CoarseIndex:
        message = "no room"
        raise RuntimeError(message)

    run = Run(owner)
    vectors = clustered(LARGE_FROM + 100, seed=13)
    with monkeypatch.context() as patch:
        patch.setattr(CoarseIndex, "trained", fail)
        run.fill(vectors[:LARGE_FROM])
        while run.on_owner(lambda: run.index.builds):
            pass
    run.add(LARGE_FROM, vectors[LARGE_FROM])
    assert not run.on_owner(lambda: run.index.builds)
    assert run.recall(vectors[::40]) == 1.0
    assert "no room" in caplog.text
    for item_id in range(LARGE_FROM + 1, LARGE_FROM + 60):
        run.add(item_id, vectors[item_id])
    run.built()
    assert run.index.is_large


def test_owner_that_ended_stops_a_build_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """A process that stops during a build is not held up, and it says so."""
    owner = ThreadPoolExecutor(1)
    run = Run(owner)
    run.fill(clustered(LARGE_FROM - 1, seed=11))
    owner.submit(lambda: run.index.add(9_999, clustered(1, seed=12)[0]))
    owner.shutdown(wait=True, cancel_futures=True)
    (builder,) = [t for t in threading.enumerate() if t.name == "index-build"] or [None]
    if builder is not None:
        builder.join(WAIT_S)
        assert not builder.is_alive()
    assert not run.adopted.is_set() or run.index.is_large
