"""The shop's articles: finding the right ones for a question, and checking an answer's figures.

Retrieval is lexical (BM25 over words for Latin text, over character n-grams for Chinese), per locale, and
fused with the embedding only where the embedding model knows the words (`vector` is then given). Below a
floor no article is used: the shop then says that it does not know. An index is immutable; a
change of any article builds a new one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from base.figures import figures_in
from base.stems import stem
from base.text import char_ngrams, tokens
from chatbot.stopwords import STOP_WORDS
from routing.tokens import estimate_tokens

K1 = 1.2
B = 0.6
TOP_ARTICLES = 3


@dataclass(frozen=True, slots=True)
class ArticleText:
    """One article in one language as it stands at a version."""

    key: str
    locale: str
    version: int
    topic: str
    title: str
    text: str
    asked_as: tuple[str, ...]
    url: str

    def shortened(self, *, to_tokens: int) -> ArticleText:
        """The article cut at paragraph borders to about `to_tokens`; at least its first paragraph."""
        paragraphs = self.text.split("\n\n")
        kept = paragraphs[:1]
        for paragraph in paragraphs[1:]:
            if estimate_tokens("\n\n".join([*kept, paragraph])) > to_tokens:
                break
            kept.append(paragraph)
        return replace(self, text="\n\n".join(kept))


@dataclass(frozen=True, slots=True)
class Found:
    """An article with what speaks for it. `score` is 0..1; `cosine` is None without an embedding."""

    article: ArticleText
    score: float
    lexical: float
    cosine: float | None


@dataclass(frozen=True, slots=True)
class Weights:
    """How the parts are fused, and the floors below which no article is used."""

    asked_as: float = 0.6
    embedding: float = 0.65
    lexical_floor: float = 0.22
    fused_floor: float = 0.45


# The two great sales are written in many ways; one way each for the search.
_SALES = (
    (
        re.compile(
            r"双\s?十一|double eleven|singles['\u2019]? day|(?<!\d)11\.11(?!\d)", re.IGNORECASE
        ),
        "双11 double 11",
    ),
    (re.compile(r"双\s?十二|double twelve|(?<!\d)12\.12(?!\d)", re.IGNORECASE), "双12 double 12"),
)


def terms(text: str) -> list[str]:
    """The units that BM25 counts: stemmed words without stop words; Han runs as 1- and 2-grams."""
    for pattern, name in _SALES:
        text = pattern.sub(name, text)
    units: list[str] = []
    for token in tokens(text):
        if "\u3400" <= token[0] <= "\u9fff":
            units.extend(char_ngrams(token, smallest=1, largest=2))
        elif token not in STOP_WORDS:
            units.append(stem(token))
    return [unit for unit in units if unit not in STOP_WORDS]


class _Corpus:
    """BM25 statistics over the documents of one locale."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._counts = [Counter(document) for document in documents]
        self._lengths = [len(document) for document in documents]
        self._mean_length = sum(self._lengths) / max(1, len(documents))
        frequency = Counter(unit for counts in self._counts for unit in counts)
        total = len(documents)
        self._idf = {
            unit: math.log(1 + (total - count + 0.5) / (count + 0.5))
            for unit, count in frequency.items()
        }
        self._unseen_idf = math.log(1 + (total + 0.5) / 0.5)

    def weight(self, unit: str) -> float:
        """Inverse document frequency; a word that no document holds weighs most."""
        return self._idf.get(unit, self._unseen_idf)

    def coverage(self, query: Counter[str], number: int) -> float:
        """BM25 of document `number`, divided by what a document full of the query would get: 0..1."""
        counts, length = self._counts[number], self._lengths[number]
        norm = K1 * (1 - B + B * length / max(1.0, self._mean_length))
        gained = sum(
            self.weight(unit) * counts[unit] * (K1 + 1) / (counts[unit] + norm) for unit in query
        )
        possible = sum(self.weight(unit) * (K1 + 1) for unit in query)
        return gained / possible if possible else 0.0

    def likeness(self, query: Counter[str], wording: Counter[str]) -> float:
        """Weighted Dice overlap of a question and one typical wording: 0..1."""
        shared = sum(self.weight(unit) for unit in query.keys() & wording.keys())
        both = sum(map(self.weight, query)) + sum(map(self.weight, wording))
        return 2 * shared / both if both else 0.0


class Knowledge:
    """All articles of one locale, searchable. Vectors are unit float32 rows of shape (n, dimension)."""

    def __init__(
        self,
        articles: Sequence[ArticleText],
        *,
        vectors: Mapping[str, NDArray[np.float32]] | None = None,
        weights: Weights | None = None,
    ) -> None:
        self._articles = tuple(articles)
        self._weights = weights or Weights()
        self._vectors = vectors or {}
        self._wordings = [
            [Counter(terms(wording)) for wording in (article.title, *article.asked_as)]
            for article in articles
        ]
        self._corpus = _Corpus(
            [terms(" ".join((a.title, a.title, a.text, *a.asked_as))) for a in self._articles]
        )

    def search(
        self, question: str, *, vector: NDArray[np.float32] | None, count: int = TOP_ARTICLES
    ) -> list[Found]:
        """The best articles above the floor, best first; `vector` only where the model can speak."""
        ranked = self.rank(question, vector=vector)
        if not ranked or not self._is_enough(ranked[0]):
            return []
        return ranked[:count]

    def rank(self, question: str, *, vector: NDArray[np.float32] | None) -> list[Found]:
        """Every article with its scores, best first."""
        query = Counter(terms(question))
        found = [self._score(number, query, vector) for number in range(len(self._articles))]
        return sorted(found, key=lambda item: item.score, reverse=True)

    def _is_enough(self, best: Found) -> bool:
        if best.cosine is None:
            return best.score >= self._weights.lexical_floor
        return best.score >= self._weights.fused_floor

    def _score(self, number: int, query: Counter[str], vector: NDArray[np.float32] | None) -> Found:
        article, weights = self._articles[number], self._weights
        typical = max(
            (self._corpus.likeness(query, wording) for wording in self._wordings[number]),
            default=0.0,
        )
        body = self._corpus.coverage(query, number)
        lexical = weights.asked_as * typical + (1 - weights.asked_as) * body
        rows = self._vectors.get(article.key)
        if vector is None or rows is None:
            return Found(article=article, score=lexical, lexical=lexical, cosine=None)
        cosine = float(np.max(rows @ vector))
        score = weights.embedding * cosine + (1 - weights.embedding) * lexical
        return Found(article=article, score=score, lexical=lexical, cosine=cosine)


def unsupported_figures(answer: str, *, articles: Sequence[ArticleText]) -> tuple[str, ...]:
    """Figures that the answer states and none of `articles` does, as written in the answer."""
    known = {
        figure.value
        for article in articles
        for figure in figures_in(f"{article.title}\n{article.text}")
    }
    return tuple(figure.written for figure in figures_in(answer) if figure.value not in known)
