"""Chinese without a Chinese model: a text as a unit vector of its character n-grams. Pure.

Each 1-, 2- and 3-gram of a Han run (and each Latin word or number) is hashed with a sign into one of
DIMENSION places and weighs the more the rarer it is in shoppers' Chinese. Two texts are near when they
share rare n-grams; a text in other characters is never near. This finds rewordings, not synonyms:
meaning needs a model that knows Chinese. The frequencies come with the product; they were counted
by `manage.py fit_decision` on the project's own questions.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.text import char_ngrams, tokens

DIMENSION = 2_048
LONGEST = 3
ENGINE = f"ngrams:{DIMENSION}"
FREQUENCIES_PATH = Path(__file__).resolve().parent / "decision_data" / "ngrams_zh.json"
# A triple mostly repeats its pairs.
_WEIGHT_OF_LENGTH = {1: 1.0, 2: 1.0, 3: 0.5}
# N-grams that were never counted are mostly chance neighbours of two words, not rare subjects.
_UNSEEN_RARITY, _HIGHEST_RARITY = 4.0, 6.0
_FEWEST_TEXTS = 3


@dataclass(frozen=True, slots=True)
class Frequencies:
    """In how many of `texts` texts each n-gram stands; rare ones are left out and count as unseen."""

    texts: int
    counts: Mapping[str, int]

    def weight(self, gram: str) -> float:
        """Smoothed inverse document frequency times the weight of the n-gram's length."""
        count = self.counts.get(gram)
        rarity = _UNSEEN_RARITY if count is None else math.log((self.texts + 2) / (count + 1))
        return min(rarity, _HIGHEST_RARITY) * _WEIGHT_OF_LENGTH.get(len(gram), 1.0)


def ngram_vector(text: str, *, frequencies: Frequencies) -> NDArray[np.float32] | None:
    """Unit float32 vector of shape (DIMENSION,), or None for a text without words."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    for gram, count in Counter(_grams(text)).items():
        place, sign = _place(gram)
        vector[place] += sign * frequencies.weight(gram) * (1 + math.log(count))
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else None


def count_frequencies(texts: Iterable[str]) -> Frequencies:
    """The frequencies of these texts."""
    counts: Counter[str] = Counter()
    number = 0
    for text in texts:
        counts.update(set(_grams(text)))
        number += 1
    kept = {gram: count for gram, count in sorted(counts.items()) if count >= _FEWEST_TEXTS}
    return Frequencies(texts=number, counts=kept)


@cache
def shipped_frequencies() -> Frequencies:
    """The frequencies that come with the product."""
    stored = json.loads(FREQUENCIES_PATH.read_text(encoding="utf-8"))
    return Frequencies(texts=stored["texts"], counts=stored["counts"])


def _grams(text: str) -> Iterable[str]:
    for token in tokens(text):
        if "\u3400" <= token[0] <= "\u9fff":
            yield from char_ngrams(token, smallest=1, largest=LONGEST)
        else:
            yield token


@lru_cache(maxsize=100_000)
def _place(gram: str) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest(), "little")
    return digest % DIMENSION, 1.0 if digest >> 40 & 1 else -1.0
