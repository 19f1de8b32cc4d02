"""The engine that runs an exported model by ONNX Runtime, and the folder such a model is kept in.

A kept engine is one folder: the graph (transformer, pooling and normalising in one), the model's own
tokenizer, the reference vectors of the equality test, and a manifest with the checksum of every
file and its own. It is written beside and renamed, so a reader sees all of it or nothing. A torn
or foreign folder raises `Unusable` and is made anew.

Batch-invariant to 1e-6: shorter texts of a batch are padded on the right, masked out of attention
and out of pooling, and no value is scaled by what else is in the batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NoSuchFile,
    RuntimeException,
)
from tokenizers import Encoding, Tokenizer

from cache.embedding_check import MIN_EQUAL_COSINE, lowest_cosine, texts
from cache.embedding_source import file_digest

GRAPH, TOKENIZER, REFERENCE, MANIFEST = (
    "model.onnx",
    "tokenizer.json",
    "reference.npy",
    "manifest.json",
)
RUNS_ON = "ONNX Runtime"
_RUNTIME_ERRORS = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile)
Matrix = NDArray[np.float32]


class EngineFailed(Exception):
    """The runtime could not encode a batch."""


class Unusable(Exception):
    """A kept engine that cannot be used: torn, foreign, or not equal to sentence-transformers."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a kept engine says of itself. `refusal` is the reason why this model has none."""

    engine_id: str
    dimension: int = 0
    window_tokens: int = 0
    unknown_token: int | None = None
    pad_token: int = 0
    inputs: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    refusal: str = ""


class OnnxEngine:
    """Encodes texts by the graph in `folder`; safe to use from several threads."""

    runs_on = RUNS_ON

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the largest batch's memory for ever
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except _RUNTIME_ERRORS as error:
            message = f"ONNX Runtime does not load the graph: {error}"
            raise Unusable(message) from error
        self._cutting = Tokenizer.from_file(str(folder / TOKENIZER))
        self._cutting.enable_truncation(manifest.window_tokens)
        self._counting = Tokenizer.from_file(str(folder / TOKENIZER))
        self._counting.no_truncation()
        for tokenizer in (self._cutting, self._counting):
            tokenizer.no_padding()
        self._inputs = manifest.inputs
        self._pad_token = manifest.pad_token
        self.engine_id = manifest.engine_id
        self.dimension = manifest.dimension
        self.window_tokens = manifest.window_tokens
        self.unknown_token = manifest.unknown_token

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without the model's own marks and not cut at its window."""
        found = self._counting.encode_batch(list(texts), add_special_tokens=False)
        return [list(encoding.ids) for encoding in found]

    def encode_all(self, batches: Sequence[Sequence[str]], *, threads: int) -> list[Matrix]:
        """Unit vectors of each batch, of shape (texts, dimension). Raises EngineFailed."""
        if threads == 1 or len(batches) == 1:
            return [self._encode(batch) for batch in batches]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self._encode, batches))

    def _encode(self, batch: Sequence[str]) -> Matrix:
        encodings = self._cutting.encode_batch(list(batch))
        fields = _padded(encodings, pad_token=self._pad_token)
        try:
            (vectors,) = self._session.run(None, {name: fields[name] for name in self._inputs})
        except (*_RUNTIME_ERRORS, RuntimeException) as error:
            message = f"ONNX Runtime could not encode a batch: {error}"
            raise EngineFailed(message) from error
        return np.asarray(vectors, dtype=np.float32)


def read_engine(folder: Path, *, engine_id: str) -> OnnxEngine:
    """Open a kept engine and put it to the equality test.

    Raises FileNotFoundError when there is none and Unusable, with the reason, for one that must not be used.
    """
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    manifest = read_manifest(folder)
    if manifest.engine_id != engine_id:
        message = f"it belongs to {manifest.engine_id}"
        raise Unusable(message)
    if manifest.refusal:
        raise Refused(manifest.refusal)
    for name, digest in manifest.files:
        if not (folder / name).is_file() or file_digest(folder / name) != digest:
            message = f"{name} is torn"
            raise Unusable(message)
    engine = OnnxEngine(folder, manifest)
    check_equal(engine, np.load(folder / REFERENCE))
    return engine


class Refused(Unusable):
    """The export was tried before with the same versions, and this model has to do without."""


def check_equal(engine: OnnxEngine, reference: Matrix) -> None:
    """Raises Unusable unless the engine gives sentence-transformers' vectors for the fixed texts."""
    found = engine.encode_all(
        [[text] for text in texts(window_tokens=engine.window_tokens)], threads=1
    )
    cosine = lowest_cosine(reference, np.concatenate(found))
    if cosine < MIN_EQUAL_COSINE:
        message = f"its vectors are not those of sentence-transformers (lowest cosine {cosine:.6f})"
        raise Unusable(message)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with its own checksum; the last file of a kept engine."""
    fields = json.dumps(asdict(manifest), ensure_ascii=False, sort_keys=True)
    text = json.dumps({"checksum": _checksum(fields), "fields": fields}, ensure_ascii=False)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """What a kept engine says of itself. Raises Unusable when that is torn."""
    try:
        stored: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        fields = str(stored["fields"])
        if stored["checksum"] != _checksum(fields):
            message = "its manifest is torn"
            raise Unusable(message)
        values = json.loads(fields)
        values["inputs"] = tuple(values["inputs"])
        values["files"] = tuple((name, digest) for name, digest in values["files"])
        return Manifest(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = "its manifest is torn"
        raise Unusable(message) from error


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _padded(encodings: Sequence[Encoding], *, pad_token: int) -> dict[str, NDArray[np.int64]]:
    """The graph's inputs, each of shape (texts, longest), padded on the right."""
    shape = (len(encodings), max(len(encoding.ids) for encoding in encodings))
    ids = np.full(shape, pad_token, dtype=np.int64)
    mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        ids[row, :length] = encoding.ids
        mask[row, :length] = 1
        types[row, :length] = encoding.type_ids
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
