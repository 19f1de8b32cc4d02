"""Vectors kept on disk: of one engine, whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.embedding import Embedder
from cache.vectors import KnownVectors

TEXTS = ["Which courier do you use?", "How do I return something?"]
HAN = "用什么快递"


def opened(embedder: Embedder, folder: Path, *, max_unknown_share: float = 0.1) -> KnownVectors:
    """The vectors of a folder, as a process finds them at its start."""
    return KnownVectors(embedder, folder=folder, max_unknown_share=max_unknown_share)


def stored(folder: Path) -> Path:
    """The one file of the folder."""
    (path,) = folder.iterdir()
    return path


def test_vectors_are_those_of_the_embedder(embedder: Embedder, tmp_path: Path) -> None:
    """In order of the texts, unit length, equal to what the model says."""
    found = opened(embedder, tmp_path).get(TEXTS)
    expected = [item.vector for item in embedder.embed_now(TEXTS)]
    assert all(vector is not None for vector in found)
    assert np.allclose(np.stack(found), np.stack(expected), atol=1e-5)


def test_next_start_reads_them_from_disk(embedder: Embedder, tmp_path: Path) -> None:
    """The second process gets the same numbers and writes nothing."""
    first = opened(embedder, tmp_path).get([*TEXTS, HAN])
    written_ns = stored(tmp_path).stat().st_mtime_ns
    second = opened(embedder, tmp_path).get([HAN, *TEXTS])
    assert second[0] is None
    assert np.array_equal(np.stack(first[:2]), np.stack(second[1:]))
    assert stored(tmp_path).stat().st_mtime_ns == written_ns


def test_unknown_texts_have_no_vector(embedder: Embedder, tmp_path: Path) -> None:
    """Where the model does not know the words it is not asked."""
    assert opened(embedder, tmp_path).get([HAN, TEXTS[0]])[0] is None
    assert opened(embedder, tmp_path, max_unknown_share=1.0).get([HAN])[0] is None


def test_nothing_wanted_writes_nothing(embedder: Embedder, tmp_path: Path) -> None:
    """An empty list leaves no file."""
    assert opened(embedder, tmp_path).get([]) == []
    assert list(tmp_path.iterdir()) == []


def test_same_text_twice_in_one_call(embedder: Embedder, tmp_path: Path) -> None:
    """Repeated texts get the same vector each time."""
    one, two, three = opened(embedder, tmp_path).get([TEXTS[0], TEXTS[1], TEXTS[0]])
    assert np.array_equal(one, three)
    assert not np.array_equal(one, two)


def test_file_of_another_engine_is_not_read(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each engine has a file of its own."""
    opened(embedder, tmp_path).get(TEXTS)
    monkeypatch.setattr(embedder, "engine_id", "sentence-transformers:another:fp32")
    opened(embedder, tmp_path).get(TEXTS[:1])
    assert len(list(tmp_path.iterdir())) == 2


def test_file_of_another_dimension_is_made_anew(embedder: Embedder, tmp_path: Path) -> None:
    """Vectors that do not have the engine's length count as none."""
    opened(embedder, tmp_path).get(TEXTS)
    path = stored(tmp_path)
    with np.load(path) as old:
        np.savez(path, keys=old["keys"], vectors=old["vectors"][:, :10], unknown=old["unknown"])
    found = opened(embedder, tmp_path).get(TEXTS)
    assert [vector.shape for vector in found if vector is not None] == [(embedder.dimension,)] * 2


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"\x93NUMPY garbage", b"not an archive", b"PK\x05\x06" + b"\x00" * 18],
    ids=["empty", "two-bytes", "broken-array", "text", "empty-archive"],
)
def test_torn_file_counts_as_empty(embedder: Embedder, tmp_path: Path, content: bytes) -> None:
    """Whatever a crash or a full disk has left, the start goes on and the file is made anew."""
    opened(embedder, tmp_path).get(TEXTS[:1])
    path = stored(tmp_path)
    path.write_bytes(content)
    assert opened(embedder, tmp_path).get(TEXTS[:1])[0] is not None
    assert path.stat().st_size > len(content)


def test_plain_array_in_its_place_counts_as_empty(embedder: Embedder, tmp_path: Path) -> None:
    """A foreign file that numpy can read, but that is none of ours, stops nothing."""
    opened(embedder, tmp_path).get(TEXTS[:1])
    with stored(tmp_path).open("wb") as file:
        np.save(file, np.zeros(3))
    assert opened(embedder, tmp_path).get(TEXTS[:1])[0] is not None


@pytest.fixture(scope="module")
def whole(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """Name and bytes of an undamaged file."""
    folder = tmp_path_factory.mktemp("whole")
    opened(embedder, folder).get([*TEXTS, HAN])
    return stored(folder).name, stored(folder).read_bytes()


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damaged_file_never_stops_a_start(
    embedder: Embedder,
    whole: tuple[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
) -> None:
    """Cut anywhere or with any byte changed, the file is read as it is or counts as empty."""
    name, content = whole
    place = data.draw(st.integers(0, len(content) - 1), label="place")
    damaged = bytearray(content[: place + 1])
    if data.draw(st.booleans(), label="only one byte"):
        damaged[place] ^= data.draw(st.integers(1, 255), label="bits")
        damaged += content[place + 1 :]
    folder = tmp_path_factory.mktemp("damaged")
    (folder / name).write_bytes(damaged)
    found = opened(embedder, folder).get([TEXTS[0], HAN])
    assert [vector is None for vector in found] == [False, True]


def test_reader_never_meets_half_a_file(embedder: Embedder, tmp_path: Path) -> None:
    """While another process writes again and again, every start finds a whole file."""
    opened(embedder, tmp_path).get(TEXTS)
    path, done = stored(tmp_path), threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(15):
                opened(embedder, tmp_path).get([f"question number {number}"])
        except BaseException as error:  # noqa: BLE001  shown by the test's own thread
            failures.append(error)
        finally:
            done.set()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not done.is_set():
        with np.load(path) as archive:
            assert archive["vectors"].shape == (len(archive["keys"]), embedder.dimension)
    for thread in threads:
        thread.join()
    assert failures == []
    assert list(tmp_path.iterdir()) == [path]
