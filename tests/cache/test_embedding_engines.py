"""The exported engine is the model itself, only faster; where it is not, the model itself encodes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import WINDOW_TOKENS, tiny_model

from cache import embedding_engines
from cache.embedding import MAX_BATCH, MAX_STRETCH, SPARE_TOKENS, Embedder, buckets
from cache.embedding_check import MIN_EQUAL_COSINE, lowest_cosine, texts
from cache.embedding_onnx import (
    GRAPH,
    MANIFEST,
    REFERENCE,
    RUNS_ON,
    TOKENIZER,
    Unusable,
    read_engine,
    read_manifest,
    write_manifest,
)
from cache.embedding_source import file_digest, source_of
from tests.conftest import ROOT

QUESTIONS = [
    "Which courier do you use?",
    "hi",
    "How long does delivery to Hong Kong take, and who pays the duty?",
    "退货运费谁出",
    "size " * 300,
]


@pytest.fixture(scope="module")
def itself() -> Embedder:
    """sentence-transformers without an exported model."""
    return Embedder()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that can be exported."""
    return tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def exported(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the small model's exported form is kept."""
    folder = tmp_path_factory.mktemp("data")
    assert Embedder(str(tiny), folder=folder).runs_on == RUNS_ON
    return folder


@pytest.fixture
def kept(exported: Path, tmp_path: Path) -> Path:
    """A copy of the kept engine."""
    (found,) = exported.glob("engine-*")
    return Path(shutil.copytree(found, tmp_path / found.name))


def vectors(embedder: Embedder, asked: list[str]) -> np.ndarray:
    return np.stack([item.vector for item in embedder.embed_now(asked)])


def test_exported_engine_equals_the_model(embedder: Embedder, itself: Embedder) -> None:
    """Vectors, unknown shares, window, dimension and id are those of sentence-transformers."""
    asked = [*QUESTIONS, *texts(window_tokens=itself.window_tokens)]
    assert embedder.runs_on == RUNS_ON
    assert lowest_cosine(vectors(itself, asked), vectors(embedder, asked)) >= MIN_EQUAL_COSINE
    one, other = embedder.embed_now(asked), itself.embed_now(asked)
    assert [(item.unknown_share, item.fits) for item in one] == [
        (item.unknown_share, item.fits) for item in other
    ]
    names = ("engine_id", "dimension", "window_tokens")
    assert [getattr(embedder, name) for name in names] == [getattr(itself, name) for name in names]


@settings(max_examples=12)
@given(st.lists(st.text("abc de?货", min_size=1, max_size=60), min_size=1, max_size=MAX_BATCH))
def test_vector_does_not_depend_on_its_neighbours(embedder: Embedder, others: list[str]) -> None:
    """In one batch with any other texts, padded or not, a text keeps its vector to 1e-6."""
    asked = [*QUESTIONS[:4], *others][:MAX_BATCH]
    (together,) = embedder._engine.encode_all([asked], threads=1)
    alone = np.concatenate(embedder._engine.encode_all([[text] for text in asked], threads=1))
    assert float(np.abs(together - alone).max()) <= 1e-6


@given(st.lists(st.integers(0, 400), max_size=80))
def test_buckets_hold_each_text_once_and_like_lengths(lengths: list[int]) -> None:
    """No text is lost or doubled, no bucket is too large, and none mixes short and long."""
    found = buckets(lengths)
    assert sorted(place for bucket in found for place in bucket) == list(range(len(lengths)))
    for bucket in found:
        sizes = [lengths[place] for place in bucket]
        assert len(bucket) <= MAX_BATCH
        assert max(sizes) <= min(sizes) * MAX_STRETCH + SPARE_TOKENS


@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_start_loads_no_torch(tiny: Path, exported: Path, tmp_path: Path, *, first: bool) -> None:
    """A process encodes without torch and sentence-transformers, also when it has the model exported."""
    folder = tmp_path if first else exported
    program = (
        "import json, sys, pathlib; from cache.embedding import Embedder;"
        f"e = Embedder({str(tiny)!r}, folder=pathlib.Path({str(folder)!r}));"
        "v = e.embed_now(['refund'])[0].vector.tolist();"
        "print(json.dumps([v, 'torch' in sys.modules, 'sentence_transformers' in sys.modules]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    vector, *loaded = json.loads(ended.stdout.strip().splitlines()[-1])
    assert loaded == [False, False]
    assert np.allclose(vector, vectors(Embedder(str(tiny)), ["refund"])[0], atol=1e-6)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER, REFERENCE, MANIFEST])
@pytest.mark.parametrize("content", [None, b"", b"\x00 torn"], ids=["gone", "empty", "torn"])
def test_torn_engine_is_not_used(kept: Path, tiny: Path, name: str, content: bytes | None) -> None:
    """Whichever file is damaged, the engine is not opened, and says what is torn."""
    if content is None:
        (kept / name).unlink()
    else:
        (kept / name).write_bytes(content)
    with pytest.raises(Unusable, match="torn"):
        read_engine(kept, engine_id=source_of(str(tiny)).engine_id)


def test_torn_engine_is_made_anew(kept: Path, tiny: Path) -> None:
    """The next start has a whole engine again, and leaves nothing else behind."""
    (kept / MANIFEST).unlink()
    assert Embedder(str(tiny), folder=kept.parent).runs_on == RUNS_ON
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert len(list(kept.iterdir())) == 4


def test_engine_that_differs_is_not_used(kept: Path, tiny: Path, tmp_path: Path) -> None:
    """An engine of other weights fails its test at every start, even one that bears this model's name."""
    other = tiny_model(tmp_path / "other", seed=2)
    own_id, its_id = source_of(str(tiny)).engine_id, source_of(str(other)).engine_id
    with pytest.raises(Unusable, match="belongs to"):
        read_engine(kept, engine_id=its_id)
    np.save(kept / REFERENCE, other_reference(other))
    files = tuple((name, file_digest(kept / name)) for name in (GRAPH, TOKENIZER, REFERENCE))
    write_manifest(kept, replace(read_manifest(kept), files=files))
    with pytest.raises(Unusable, match="lowest cosine"):
        read_engine(kept, engine_id=own_id)


def other_reference(model: Path) -> np.ndarray:
    """What another model makes of the fixed texts."""
    return vectors(Embedder(str(model)), texts(window_tokens=WINDOW_TOKENS))


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"dense": True}, "pipeline"), ({"pooling": "max"}, "pooling is max")],
    ids=["another-pipeline", "another-pooling"],
)
def test_other_models_run_on_sentence_transformers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, object], why: str
) -> None:
    """A model that is not transformer and pooling is encoded by its own library, said once and for all starts."""
    folder = tiny_model(tmp_path / "model", **changes)  # type: ignore[arg-type]
    said = []
    for _ in range(2):
        caplog.clear()
        embedder = Embedder(str(folder), folder=tmp_path)
        said.append((embedder.runs_on.split(":")[0], why in embedder.runs_on, why in caplog.text))
        norms = np.linalg.norm(vectors(embedder, ["refund", "size"]), axis=1)
        assert np.allclose(norms, 1.0, atol=1e-5)
    assert said == [("sentence-transformers", True, True)] * 2


def test_export_that_breaks_off_falls_back(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the exporting process dies or hangs, the model itself encodes, with the reason; nothing is left."""
    for patched, why in (
        (("ROOT", tmp_path), "No module named"),
        (("EXPORT_WITHIN_S", 0.01), "did not end within"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(embedding_engines, *patched)
            embedder = Embedder(str(tiny), folder=tmp_path)
        assert embedder.runs_on.startswith("sentence-transformers")
        assert why in embedder.runs_on
        assert list(tmp_path.iterdir()) == []


def test_model_trained_anew_is_another_engine(tmp_path: Path) -> None:
    """The same folder with other weights has another id, so that their vectors never meet."""
    one = source_of(str(tiny_model(tmp_path / "a" / "shop"))).engine_id
    two = source_of(str(tiny_model(tmp_path / "b" / "shop", seed=2))).engine_id
    same = source_of(str(tiny_model(tmp_path / "c" / "shop"))).engine_id
    assert one != two
    assert one == same
    assert max(map(len, (one, two))) <= 120


def test_window_of_a_model_holds(tiny: Path, exported: Path) -> None:
    """Of a longer text the first tokens count, and it says so."""
    embedder = Embedder(str(tiny), folder=exported)
    cut, longer = embedder.embed_now(["a " * (WINDOW_TOKENS - 2), "a " * 200])
    assert (cut.fits, longer.fits) == (True, False)
    assert np.allclose(cut.vector, longer.vector, atol=1e-6)
