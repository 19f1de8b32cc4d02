"""Would one question's stored answer be served to another question? By the shipped models, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cache.decision import Candidate, Vetoes, decide, weigh
from cache.embedding import Embedder
from cache.evidence import Neighbour
from cache.judgement import judgement_for, shipped
from cache.lexicon import words_of
from cache.ngrams import DIMENSION, ngram_vector, shipped_frequencies
from cache.shelf import Shelf
from cache.vetoes import ProductNames, conflicts, stated

MAX_WRONG_SHARE = 0.01


class PairJudge:
    """A cache of stored texts, each with an answer of its own, and what it would serve."""

    def __init__(
        self, stored: Sequence[str], *, language: str, embedder: Embedder, products: ProductNames
    ) -> None:
        self._chinese = language == "zh"
        self._embedder = embedder
        self._products = products
        space = "ngrams/zh-hans" if self._chinese else "minilm/en"
        self._judgement = judgement_for(*space.split("/"), models=shipped())
        self._stored = [stated(text, products=products) for text in stored]
        self._shelf = Shelf(DIMENSION if self._chinese else embedder.dimension)
        for number, vector in enumerate(self.vectors(stored)):
            self._shelf.add(number, answer_id=number, text=stored[number], vector=vector)

    def vectors(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Unit vectors in the language's space; zeros for a text without words."""
        if not self._chinese:
            return [item.vector for item in self._embedder.embed_now(list(texts))]
        found = [ngram_vector(text, frequencies=shipped_frequencies()) for text in texts]
        nothing = np.zeros(DIMENSION, dtype=np.float32)
        return [nothing if vector is None else vector for vector in found]

    def served(self, text: str, vector: NDArray[np.float32]) -> int | None:
        """The number of the stored text whose answer is served, or None."""
        question = stated(text, products=self._products)

        def vetoes_for(wording_id: int) -> Vetoes:
            return conflicts(question, self._stored[wording_id])

        weighed = weigh(
            self._shelf.near(vector),
            words_of(text),
            vector,
            facts=self._shelf.facts,
            vetoes_for=vetoes_for,
        )
        decision = decide(
            weighed,
            words_of(text),
            judgement=self._judgement,
            candidate_of=_candidate,
            vetoes_for=vetoes_for,
            max_wrong_share=MAX_WRONG_SHARE,
        )
        return None if decision.hit is None else decision.hit.entry


def _candidate(item: Neighbour) -> Candidate[int]:
    return Candidate(entry=item.answer_id, text=item.text, cosine=item.cosine)
