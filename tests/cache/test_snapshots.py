"""The snapshot of the vectors: a start takes it where it holds, and the rows everywhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cache_parts import DIMENSION, NOW, SHOP, Parts, always, new, stands, started, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from cache import replica
from cache.changes import record_changes
from cache.models import Answer, Change, Wording
from cache.partitions import Partitions
from cache.snapshots import SnapshotFile, Stand, coarse_block, rows_block
from cache.store import Store

pytestmark = pytest.mark.django_db(transaction=True)
STAND = Stand(seq=7, mark="add 3 then")
WORDS = ("which courier", "what does it cost", "how do I return it")


async def kept(parts: Parts, folder: Path) -> None:
    """A process stored three answers and wrote a snapshot; the rows lost their vectors since.

    So a vector that is found afterwards can only come from the snapshot.
    """
    store = await parts.store(folder=folder)
    for place, words in enumerate(WORDS):
        await store.remember(new(words, vector=unit(place * 60)), still_current=stands)
    await store.follow()
    await store._vectors.keep(store._seen_seq)
    await parts.rows(lambda: Wording.objects.update(vector=None))


async def found(store: Store) -> list[str]:
    """The wordings that are found by meaning, by their angle."""
    near = await store.nearest(SHOP, unit(0), is_current=always)
    return [candidate.text for candidate in near]


async def test_start_reads_the_snapshot(tmp_path: Path) -> None:
    """Vectors come from the file; what they lead to comes from the rows as they are now."""

    def edit() -> None:
        Answer.objects.filter(wordings__key=WORDS[0]).update(text="corrected")

    async with started() as parts:
        await kept(parts, tmp_path)
        await parts.rows(edit)
        store = await parts.store(folder=tmp_path)
        near = await store.nearest(SHOP, unit(0), is_current=always)
        assert [candidate.text for candidate in near] == list(WORDS)
        assert near[0].entry.text == "corrected"


async def test_changes_after_the_snapshot_win(tmp_path: Path) -> None:
    """Removed, new and rewritten wordings are as the rows say, whatever the file holds."""

    def change() -> None:
        first, second, _ = Wording.objects.order_by("id")
        first.vector, first.engine_id = unit(90).tobytes(), "engine-a"
        first.save()
        second.answer.status = Answer.REVOKED
        second.answer.save()
        record_changes([first.id], op=Change.ADD, now=NOW)

    async with started() as parts:
        await kept(parts, tmp_path)
        await parts.rows(change)
        other = await parts.store()
        await other.remember(new("a new one", vector=unit(10)), still_current=stands)
        store = await parts.store(folder=tmp_path)
        near = await store.nearest(SHOP, unit(0), is_current=always)
        assert [candidate.text for candidate in near] == ["a new one", WORDS[0], WORDS[2]]
        assert near[1].cosine == pytest.approx(0.0, abs=1e-6)


def tear(folder: Path) -> None:
    """Cut the end off."""
    (path,) = folder.glob("index-*")
    path.write_bytes(path.read_bytes()[:-20])


def count_kept(folder: Path) -> int:
    """How many snapshots are there."""
    return len(list(folder.glob("index-*")))


@pytest.mark.parametrize("what", ["torn", "engine", "database", "restored"])
async def test_foreign_snapshot_is_not_used(tmp_path: Path, what: str) -> None:
    """A file that is torn, of another engine or of another database leads nowhere."""

    def become_another(seq: int) -> None:
        if what == "restored":
            Change.objects.filter(seq=seq).delete()
        if what == "database":
            Change.objects.filter(seq=seq).update(at=NOW.replace(year=2025))

    async with started() as parts:
        await kept(parts, tmp_path)
        if what == "torn":
            tear(tmp_path)
        await parts.rows(lambda: become_another(3))
        engine_id = "engine-b" if what == "engine" else "engine-a"
        store = await parts.store(folder=tmp_path, engine_id=engine_id)
        assert (len(store), await found(store)) == (3, [])


async def test_snapshot_is_written_when_much_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process keeps one by itself after enough changes, and none before."""
    monkeypatch.setattr(replica, "KEEP_AFTER_CHANGES", 2)
    async with started() as parts:
        store = await parts.store(folder=tmp_path)
        written = []
        for words in WORDS[:2]:
            await store.remember(new(words), still_current=stands)
            await store.follow()
            if store._vectors._keeping is not None:
                await store._vectors._keeping
            written.append(count_kept(tmp_path))
        assert written == [0, 1]


def snapshot(folder: Path) -> SnapshotFile:
    """A small file with two partitions."""
    file = SnapshotFile(folder, engine_id="engine-a", dimension=DIMENSION)
    rows = np.stack([unit(0), unit(30)])
    blocks: list[Any] = [
        rows_block("a", [1, 2], rows),
        rows_block("a", [3], rows[:1]),
        rows_block("b", [4, 5], rows),
        coarse_block("b", np.arange(9, dtype=np.uint8)),
    ]
    file.write(STAND, iter(blocks))
    return file


def test_snapshot_comes_back_whole(tmp_path: Path) -> None:
    """What was written is what is read."""
    read = snapshot(tmp_path).read()
    assert read is not None
    assert read.stand == STAND
    assert {name: part.ids for name, part in read.parts.items()} == {"a": [1, 2, 3], "b": [4, 5]}
    assert np.array_equal(np.concatenate(read.parts["a"].vectors)[1], unit(30))
    assert read.parts["b"].coarse is not None
    assert read.parts["b"].coarse.tolist() == list(range(9))
    assert [path.name for path in tmp_path.iterdir()] == [snapshot(tmp_path).path.name]


@settings(max_examples=150)
@given(st.data())
def test_damaged_snapshot_counts_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut anywhere, or with any byte changed, it is none: never a wrong vector, never an exception."""
    file = snapshot(tmp_path_factory.mktemp("snapshot"))
    content = bytearray(file.path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    file.path.write_bytes(content)
    assert file.read() is None


async def test_large_partition_comes_back_with_its_file(tmp_path: Path) -> None:
    """A large partition is searched through its kept inverted file at once, without a new build."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(1_000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    file = SnapshotFile(tmp_path, engine_id="engine-a", dimension=8)
    first, second = Partitions(8, large_from=400), Partitions(8, large_from=400)
    try:
        await first.fill({"p": dict(enumerate(vectors))}, {})
        while not first.built:
            await first.search("p", vectors[0], count=1)
        with ThreadPoolExecutor(1) as beside:
            assert beside.submit(first.write, file, STAND).result()
        read = file.read()
        assert read is not None
        await second.fill({"p": {2_000: vectors[0]}}, read.parts)
        assert second._indexes["p"].is_large
        assert not second._indexes["p"].builds
        near = await second.search("p", vectors[0], count=2)
        assert {item_id for item_id, _ in near} == {0, 2_000}
        assert [cosine for _, cosine in near] == pytest.approx([1.0, 1.0], abs=1e-5)
    finally:
        first.stop()
        second.stop()
