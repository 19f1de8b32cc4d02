"""A sentence-transformers model as one ONNX graph, with pooling and normalising inside.

Only a pipeline of transformer, pooling and (optionally) normalising is exported; any other raises
`NotExportable` with the reason, and sentence-transformers stays in charge. Nothing is kept before the
exported engine has passed the equality test.

As a program (`python -m cache.embedding_export MODEL_FOLDER ENGINE_ID FOLDER`) it fills an empty folder, with an
engine or with the reason why this model has none.
"""

from __future__ import annotations

import io
import logging
import sys
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import cast

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling

from cache.embedding_check import texts
from cache.embedding_onnx import (
    GRAPH,
    REFERENCE,
    TOKENIZER,
    Manifest,
    OnnxEngine,
    Unusable,
    check_equal,
    write_manifest,
)
from cache.embedding_source import file_digest
from cache.embedding_torch import TorchEngine, load_model

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_POOLING = ("mean", "cls")
_OPSET = 17


class NotExportable(Exception):
    """This model cannot be run outside sentence-transformers; the message says why."""


class _Graph(torch.nn.Module):
    """Token ids -> unit vectors."""

    def __init__(self, model: SentenceTransformer, names: tuple[str, ...]) -> None:
        super().__init__()
        self._model = model
        self._names = names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        features = dict(zip(self._names, inputs, strict=True))
        vectors = self._model(features)["sentence_embedding"]
        return torch.nn.functional.normalize(vectors, p=2, dim=1)


def export(model: SentenceTransformer, *, engine_id: str, folder: Path) -> None:
    """Fill the empty `folder` with a tested engine. Raises NotExportable, or Unusable from its test."""
    _check_pipeline(model)
    names = _inputs_of(model)
    _write_graph(model, names, folder / GRAPH)
    model.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    own = TorchEngine(model, engine_id=engine_id, why="reference")
    fixed = texts(window_tokens=own.window_tokens)
    reference = np.concatenate(own.encode_all([[text] for text in fixed], threads=1))
    np.save(folder / REFERENCE, reference)
    manifest = Manifest(
        engine_id=engine_id,
        dimension=own.dimension,
        window_tokens=own.window_tokens,
        unknown_token=own.unknown_token,
        pad_token=int(model.tokenizer.pad_token_id or 0),
        inputs=names,
        files=tuple((path.name, file_digest(path)) for path in sorted(folder.iterdir())),
    )
    check_equal(OnnxEngine(folder, manifest), reference)
    write_manifest(folder, manifest)


def _check_pipeline(model: SentenceTransformer) -> None:
    modules = list(model.children())
    kinds = [type(module) for module in modules]
    if kinds not in ([Transformer, Pooling], [Transformer, Pooling, Normalize]):
        found = ", ".join(kind.__name__ for kind in kinds)
        message = f"its pipeline is not transformer and pooling but {found}"
        raise NotExportable(message)
    pooling = cast(Pooling, modules[1]).pooling_mode
    if pooling not in _POOLING:
        message = f"its pooling is {pooling}"
        raise NotExportable(message)
    if model.default_prompt_name is not None or model.truncate_dim is not None:
        message = "it puts a prompt before every text or cuts its vectors"
        raise NotExportable(message)
    tokenizer = model.tokenizer
    if not getattr(tokenizer, "is_fast", False) or tokenizer.padding_side != "right":
        message = "its tokenizer has no fast form that pads on the right"
        raise NotExportable(message)


def _inputs_of(model: SentenceTransformer) -> tuple[str, ...]:
    features = model.preprocess(["a text"])
    return tuple(name for name in _INPUTS if name in features)


def _write_graph(model: SentenceTransformer, names: tuple[str, ...], path: Path) -> None:
    features = model.preprocess(["a text of some length", "short"])
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in names}
    # The tracer warns of each Python condition it passes and prints more; the equality test judges the result.
    told = logging.getLogger("torch.onnx")
    level = told.level
    told.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Graph(model, names).eval(),
                tuple(features[name] for name in names),
                str(path),
                input_names=list(names),
                output_names=["vectors"],
                dynamic_axes={**axes, "vectors": {0: "batch"}},
                opset_version=_OPSET,
                dynamo=False,
            )
    except (RuntimeError, ValueError, TypeError, NotImplementedError, OSError) as error:
        message = f"torch cannot export it: {error}"
        raise NotExportable(message) from error
    finally:
        told.setLevel(level)


def main(model: str, engine_id: str, folder: str) -> None:
    """Fill `folder` with the model's engine, or with its refusal."""
    try:
        export(load_model(model), engine_id=engine_id, folder=Path(folder))
    except (NotExportable, Unusable) as error:
        write_manifest(Path(folder), Manifest(engine_id=engine_id, refusal=str(error)))


if __name__ == "__main__":
    main(*sys.argv[1:])
