"""Vectors of configuration texts (articles, examples), kept on disk between starts.

A file belongs to one embedding engine: its name carries a digest of the engine id, so vectors of
two engines never meet. A torn or foreign file counts as empty and is written anew; processes that
share the folder may write at once, and the last one's file stays. Texts that the model does not
know (see `max_unknown_share`) are remembered as such and never encoded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.ids import new_token
from cache.embedding import Embedder

logger = logging.getLogger(__name__)
Known = NDArray[np.float32] | None
# What zipfile and numpy raise on damaged bytes; RuntimeError is for flags that the damage has set.
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile)


class KnownVectors:
    """text -> unit vector of shape (dimension,), or None where its words are not known."""

    def __init__(self, embedder: Embedder, *, folder: Path, max_unknown_share: float) -> None:
        digest = hashlib.blake2b(embedder.engine_id.encode(), digest_size=6).hexdigest()
        self._path = folder / f"vectors-{digest}.npz"
        self._embedder = embedder
        self._max_unknown_share = max_unknown_share
        self._vectors: dict[str, Known] = self._read()

    def get(self, texts: Sequence[str]) -> list[Known]:
        """Vectors of `texts` in order; new ones are encoded and kept. Blocking."""
        keys = [_key(text) for text in texts]
        missing = {
            key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors
        }
        if missing:
            self._encode(missing)
            self._write()
        return [self._vectors[key] for key in keys]

    def _encode(self, missing: dict[str, str]) -> None:
        shares = self._embedder.unknown_shares(list(missing.values()))
        known = [
            key
            for key, share in zip(missing, shares, strict=True)
            if share <= self._max_unknown_share
        ]
        self._vectors.update(dict.fromkeys(missing))
        known.sort(key=lambda key: len(missing[key]))
        embedded = self._embedder.embed_now([missing[key] for key in known])
        self._vectors.update((key, item.vector) for key, item in zip(known, embedded, strict=True))

    def _read(self) -> dict[str, Known]:
        try:
            with self._path.open("rb") as file, np.lib.npyio.NpzFile(file) as stored:
                keys, matrix, unknown = stored["keys"], stored["vectors"], stored["unknown"]
        except FileNotFoundError:
            return {}
        except _UNREADABLE:
            logger.warning("%s cannot be read; its vectors are made anew", self._path.name)
            return {}
        if matrix.shape != (len(keys), self._embedder.dimension):
            return {}
        vectors: dict[str, Known] = dict.fromkeys(map(str, unknown))
        vectors.update(zip(map(str, keys), matrix, strict=True))
        return vectors

    def _write(self) -> None:
        """Write beside, sync, rename: a reader sees the old file or the new one."""
        known = {key: vector for key, vector in self._vectors.items() if vector is not None}
        rows = np.stack(list(known.values())) if known else np.zeros((0, self._embedder.dimension))
        beside = self._path.with_suffix(f".{new_token()}.tmp")
        with beside.open("wb") as file:
            np.savez(
                file,
                keys=np.array(list(known), dtype=np.str_),
                vectors=rows.astype(np.float32),
                unknown=np.array(
                    [key for key, vector in self._vectors.items() if vector is None], dtype=np.str_
                ),
            )
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


def _key(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
