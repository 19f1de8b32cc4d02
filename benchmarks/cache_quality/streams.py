"""Labelled streams: rows that the guard lets into the shared cache, with their vectors."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.text import Language, language_of
from cache.embedding import Embedder
from cache.ngrams import DIMENSION, ngram_vector, shipped_frequencies
from chatbot.guard import Guard


@dataclass(frozen=True, slots=True)
class Stream:
    """Questions that may be shared, in order. `vectors` is float32 (questions, dimension), unit rows.

    `model_vectors` are the embedding model's, also where the product would not trust them (Chinese).
    `rows` counts all rows, the refused ones included.
    """

    name: str
    texts: Sequence[str]
    labels: Sequence[str]
    vectors: NDArray[np.float32]
    model_vectors: NDArray[np.float32]
    rows: int
    language: Language

    @property
    def chinese(self) -> bool:
        """Whether the product looks these up by their n-grams."""
        return self.language == "zh-hans"

    @property
    def guarded(self) -> int:
        """How many rows the guard refused."""
        return self.rows - len(self.texts)


def read(path: Path, *, guard: Guard, embedder: Embedder, limit: int | None = None) -> Stream:
    """One stream; its language is that of most rows."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)][:limit]
    chinese = sum(language_of(text) == "zh-hans" for text, _ in rows) * 2 > len(rows)
    language: Language = "zh-hans" if chinese else "en"
    kept = [row for row in rows if guard.inspect(row[0], language=language).may_share]
    texts = [text for text, _ in kept]
    by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    model_vectors = np.zeros((len(texts), embedder.dimension), dtype=np.float32)
    embedded = embedder.embed_now([texts[number] for number in by_length])
    model_vectors[by_length] = np.stack([item.vector for item in embedded])
    return Stream(
        name=path.stem,
        texts=texts,
        labels=[label for _, label in kept],
        vectors=_ngrams(texts) if chinese else model_vectors,
        model_vectors=model_vectors,
        rows=len(rows),
        language=language,
    )


def _ngrams(texts: Sequence[str]) -> NDArray[np.float32]:
    frequencies = shipped_frequencies()
    nothing = np.zeros(DIMENSION, dtype=np.float32)
    found = [ngram_vector(text, frequencies=frequencies) for text in texts]
    return np.stack([nothing if vector is None else vector for vector in found])
