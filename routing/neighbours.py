"""How near a question is to labelled texts: by vectors, by words, or by both. Pure.

Words are counted as Latin words with their pairs and Chinese one- and two-character n-grams, weighted
by rarity among the texts themselves (tf-idf: Salton and Buckley, 1988, doi:10.1016/0306-4573(88)90021-0), so a
language that no embedding model speaks is compared too. Nothing is fitted. Sets mostly share their texts: the
words of the same texts are counted once.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from base.text import char_ngrams, tokens

Vector = NDArray[np.float32]
_NOWHERE, _NOTHING = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
_HAN_FROM = "\u3400"
# A larger product is shared out to threads, which wait for each other on busy cores: tens of milliseconds.
_BLOCK = 512
_KEPT = 4


class Neighbours:
    """Texts of one rule set. Scores are float32 of shape (texts,), 0 to 1, 0 where nothing can be said."""

    def __init__(
        self,
        texts: Sequence[str],
        *,
        languages: Sequence[str],
        vectors: Sequence[Vector | None],
        cosine_weight: float,
    ) -> None:
        """`vectors` are unit; `cosine_weight` is the vectors' say where both sides have one."""
        self._languages = np.array(languages, dtype=np.str_)
        self._known = np.array([vector is not None for vector in vectors], dtype=bool)
        known = [vector for vector in vectors if vector is not None]
        self._blocks = [
            np.stack(known[start : start + _BLOCK]).astype(np.float32)
            for start in range(0, len(known), _BLOCK)
        ]
        self._cosine_weight = cosine_weight
        self._words = _words_of(tuple(texts))

    def __len__(self) -> int:
        return len(self._languages)

    def scores(self, text: str, *, language: str, vector: Vector | None) -> Vector:
        """With a vector the texts of every language that have one; without, those of this language."""
        overlaps = self._words.overlaps(text)
        if vector is None or not self._blocks:
            return np.where(self._languages == language, overlaps, np.float32(0))
        blended = np.zeros(len(self), dtype=np.float32)
        cosines = np.maximum(self._products(vector), 0)
        blended[self._known] = (
            self._cosine_weight * cosines + (1 - self._cosine_weight) * overlaps[self._known]
        )
        return blended

    def cosines(self, text: str, *, vector: Vector | None) -> Vector:
        """Of the vectors; where one is missing, of the words."""
        cosines = self._words.overlaps(text)
        if vector is not None and self._blocks:
            cosines[self._known] = self._products(vector)
        return cosines

    def _products(self, vector: Vector) -> Vector:
        return np.concatenate([block @ vector for block in self._blocks])


class _Words:
    """How often which words stand in some texts; never changes."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [_counts(text) for text in texts]
        documents = Counter(gram for grams in counts for gram in grams)
        self._length = len(texts)
        self._rarities = {
            gram: 1 + math.log((len(texts) + 1) / (count + 1)) for gram, count in documents.items()
        }
        self._unseen = 1 + math.log(len(texts) + 1)
        self._postings = self._inverted(counts)

    def overlaps(self, text: str) -> Vector:
        """Cosine of the weighted word counts, float32 of shape (texts,)."""
        weights = self._weighted(_counts(text))
        norm = math.sqrt(sum(weight * weight for weight in weights.values()))
        places, shares = [_NOWHERE], [_NOTHING]
        for gram, weight in weights.items():
            posting = self._postings.get(gram)
            if posting is not None:
                places.append(posting[0])
                shares.append(posting[1] * np.float32(weight / norm))
        summed = np.bincount(
            np.concatenate(places), weights=np.concatenate(shares), minlength=self._length
        )
        return summed.astype(np.float32)

    def _weighted(self, counts: Counter[str]) -> dict[str, float]:
        return {
            gram: (1 + math.log(count)) * self._rarities.get(gram, self._unseen)
            for gram, count in counts.items()
        }

    def _inverted(
        self, counts: Sequence[Counter[str]]
    ) -> dict[str, tuple[NDArray[np.int32], Vector]]:
        """gram -> the texts that hold it and its share of each one's unit length."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        shares: defaultdict[str, list[float]] = defaultdict(list)
        for place, grams in enumerate(counts):
            weights = self._weighted(grams)
            norm = math.sqrt(sum(weight * weight for weight in weights.values()))
            for gram, weight in weights.items():
                places[gram].append(place)
                shares[gram].append(weight / norm)
        return {
            gram: (np.array(found, dtype=np.int32), np.array(shares[gram], dtype=np.float32))
            for gram, found in places.items()
        }


@lru_cache(_KEPT)
def _words_of(texts: tuple[str, ...]) -> _Words:
    return _Words(texts)


def _counts(text: str) -> Counter[str]:
    return Counter(_grams(text))


def _grams(text: str) -> Iterator[str]:
    before = ""
    for token in tokens(text):
        if token[0] >= _HAN_FROM:
            yield from char_ngrams(token, smallest=1, largest=2)
            before = ""
            continue
        yield token
        if before:
            yield f"{before} {token}"
        before = token
