"""Which program encodes: ONNX Runtime where it was found equal to sentence-transformers, else that itself.

The exported form of a model is kept in a folder whose name carries a digest of the model's files, the
versions of the libraries and the processor's kind. It is put to its equality test at every start,
against vectors that sentence-transformers made when it was exported, so a start needs neither torch nor
trust in an old verdict. That a model cannot be exported is kept too. Every fall-back is logged with its
reason and shows in `/readyz`.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from base.ids import new_token
from cache.embedding_onnx import Refused, Unusable, read_engine
from cache.embedding_source import ModelSource, NotFetched, source_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent
EXPORT_WITHIN_S = 600.0
_FORM = 1
_LIBRARIES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "tokenizers",
    "onnx",
    "onnxruntime",
)
_NO_FOLDER = "it was given no folder for the exported model"


class Engine(Protocol):
    """What turns texts into unit vectors; see `OnnxEngine` and `TorchEngine`."""

    @property
    def engine_id(self) -> str:
        """Name of the vector space."""

    @property
    def dimension(self) -> int:
        """Numbers per vector."""

    @property
    def window_tokens(self) -> int:
        """Tokens that count, the model's own marks included."""

    @property
    def unknown_token(self) -> int | None:
        """Id of the token for what the model does not know, if it has one."""

    @property
    def runs_on(self) -> str:
        """The program in words, with the reason when it is not the faster one."""

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, uncut and without marks."""

    def encode_all(
        self, batches: Sequence[Sequence[str]], *, threads: int
    ) -> list[NDArray[np.float32]]:
        """Unit vectors of each batch."""


def open_engine(model_name: str, *, folder: Path | None) -> Engine:
    """The engine of a configured model (empty: the packaged one). Blocking: the first time takes some seconds."""
    try:
        source = source_of(model_name)
    except NotFetched:
        _load(model_name)  # fetches it, or says why not
        source = source_of(model_name)
    if folder is None:
        return _fallen_back(source, why=_NO_FOLDER)
    kept = folder / f"engine-{_name(source)}"
    try:
        return read_engine(kept, engine_id=source.engine_id)
    except FileNotFoundError:
        logger.info("the embedding model is exported for ONNX Runtime, once")
    except Refused as error:
        return _fallen_back(source, why=str(error))
    except Unusable as error:
        logger.warning("%s cannot be used (%s) and is made anew", kept.name, error)
        _discard(kept)
    return _made(source, kept)


def _made(source: ModelSource, kept: Path) -> Engine:
    """Export beside and rename; of several processes that do so at once, the first one's stays.

    A process of its own exports, so that the half gigabyte of torch does not stay in this one.
    """
    beside = kept.with_name(f"{kept.name}.{new_token()}.tmp")
    beside.mkdir(parents=True)
    failure = _export(source, beside)
    if not failure:
        with suppress(OSError):  # another process was faster, or the folder cannot be written
            beside.rename(kept)
    shutil.rmtree(beside, ignore_errors=True)
    try:
        return read_engine(kept, engine_id=source.engine_id)
    except (OSError, Unusable) as error:
        return _fallen_back(source, why=failure or str(error))


def _export(source: ModelSource, folder: Path) -> str:
    """Let another process fill `folder`; returns what went wrong, if anything did."""
    arguments = [str(source.folder), source.engine_id, str(folder)]
    try:
        ended = subprocess.run(  # noqa: S603  our own module, and paths of ours
            [sys.executable, "-m", "cache.embedding_export", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=EXPORT_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        return f"the export did not end within {EXPORT_WITHIN_S:g} s"
    if ended.returncode == 0:
        return ""
    last_line = " ".join(ended.stderr.strip().splitlines()[-1:])
    return f"the export ended with status {ended.returncode}: {last_line}"


def _discard(kept: Path) -> None:
    """Move a folder away, then delete it: nobody finds half of it."""
    old = kept.with_name(f"{kept.name}.{new_token()}.tmp")
    with suppress(OSError):  # another process was faster
        kept.rename(old)
    shutil.rmtree(old, ignore_errors=True)


def _fallen_back(source: ModelSource, *, why: str) -> Engine:
    from cache.embedding_torch import TorchEngine  # noqa: PLC0415  it loads torch

    if why != _NO_FOLDER:
        logger.warning("sentence-transformers encodes, and not ONNX Runtime: %s", why)
    return TorchEngine(_load(str(source.folder)), engine_id=source.engine_id, why=why)


def _load(name_or_folder: str) -> SentenceTransformer:
    from cache.embedding_torch import load_model  # noqa: PLC0415  it loads torch

    return load_model(name_or_folder)


def _name(source: ModelSource) -> str:
    parts = [source.digest, str(_FORM), platform.machine()]
    parts += [f"{name} {version(name)}" for name in _LIBRARIES]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
