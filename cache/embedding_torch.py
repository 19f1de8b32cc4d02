"""The engine that is sentence-transformers itself. The only importer of it and of torch.

Loading it takes seconds and half a gigabyte, so this module is imported only where it is needed: for
the export of a model and where no exported one may be used.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

Matrix = NDArray[np.float32]


class TorchEngine:
    """Encodes texts by a sentence-transformers model; one batch at a time."""

    def __init__(self, model: SentenceTransformer, *, engine_id: str, why: str) -> None:
        torch.set_num_threads(1)
        self._model = model
        # A copy: counting turns truncation off, and another thread may be encoding meanwhile.
        self._tokenizer = copy.deepcopy(model.tokenizer)
        self._encoding = threading.Lock()
        self.engine_id = engine_id
        self.runs_on = f"sentence-transformers: {why}"
        self.window_tokens = int(model.max_seq_length or 512)
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.unknown_token: int | None = self._tokenizer.unk_token_id

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without the model's own marks and not cut at its window."""
        with self._encoding:
            tokenized = self._tokenizer(
                list(texts), add_special_tokens=False, truncation=False, verbose=False
            )
        return [list(ids) for ids in tokenized["input_ids"]]

    def encode_all(self, batches: Sequence[Sequence[str]], *, threads: int) -> list[Matrix]:
        """Unit vectors of each batch, of shape (texts, dimension)."""
        with self._encoding:
            torch.set_num_threads(threads)
            try:
                return [self._encode(batch) for batch in batches]
            finally:
                torch.set_num_threads(1)

    def _encode(self, batch: Sequence[str]) -> Matrix:
        vectors = self._model.encode(
            list(batch), batch_size=len(batch), normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def load_model(name_or_folder: str) -> SentenceTransformer:
    """Load a model by name or folder, on the processor, quietly."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped library
    return SentenceTransformer(name_or_folder, device="cpu")
