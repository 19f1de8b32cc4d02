"""The vector spaces of a replica and what they know: where a question is looked up, and what speaks for an answer.

Two spaces exist beside each other. "model" holds the vectors of the configured embedding model. "ngrams"
holds Chinese wordings that this model does not know, by their character n-grams (`ngrams.py`); its
vectors are made from the texts and stored nowhere. A question is looked up in one of them, and vectors of
two spaces never meet. Both are weighed alike (`decision.py`), each by a judgement of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cache.decision import OPTION_MIN_COSINE, Forbids, Weighed, weigh
from cache.evidence import VOTERS, Neighbour
from cache.facts import Facts
from cache.judgement import Fitted, Judgement, Recalibrated, judgement_for, shipped
from cache.lexicon import words_of
from cache.ngrams import DIMENSION, ngram_vector, shipped_frequencies
from cache.partitions import Partitions

WIDENING = 8
MODEL, NGRAMS = "model", "ngrams"
# From which cosine on a near miss may have been meant.
OPTION_MIN_COSINES = {MODEL: OPTION_MIN_COSINE, NGRAMS: 0.40}
# The packaged model has a fitted judgement; any other model starts with plain bounds.
_FITTED_MODEL = "all-MiniLM-L6-v2"
Vector = NDArray[np.float32]
Serves = Callable[[int], bool]
Recalibrations = Mapping[str, tuple[float, float]]
NO_RECALIBRATIONS: Recalibrations = {}


class Sight(NamedTuple):
    """A question as one space sees it: the space's name and a unit vector of its dimension."""

    space: str
    vector: Vector


def chinese_sight(text: str) -> Sight | None:
    """A Chinese question by its n-grams; None when it has no words."""
    vector = ngram_vector(text, frequencies=shipped_frequencies())
    return None if vector is None else Sight(NGRAMS, vector)


class Space:
    """One space: its indexes by partition and the facts beside them."""

    def __init__(self, vectors: Partitions) -> None:
        self._vectors = vectors
        self._facts: dict[str, Facts] = {}

    def facts(self, partition: str) -> Facts:
        """What is known of a partition; empty facts for one that holds nothing."""
        return self._facts.setdefault(partition, Facts())

    def note(
        self, partition: str, wording_id: int, *, answer_id: int, text: str, vector: Vector
    ) -> None:
        """Know of a wording that the index holds already."""
        self.facts(partition).add(wording_id, answer_id=answer_id, text=text, vector=vector)

    async def add(
        self, partition: str, wording_id: int, *, answer_id: int, text: str, vector: Vector
    ) -> None:
        """Put a wording in, or move it to another answer."""
        await self._vectors.add(partition, wording_id, vector)
        self.note(partition, wording_id, answer_id=answer_id, text=text, vector=vector)

    async def remove(self, partition: str, wording_id: int) -> None:
        """Take a wording away."""
        self.facts(partition).remove(wording_id)
        await self._vectors.remove(partition, wording_id)

    async def near(
        self, partition: str, vector: Vector, *, serves: Serves, count: int = VOTERS
    ) -> list[Neighbour]:
        """The nearest wordings that `serves` allows, best first; at most `count`.

        The search widens until enough are allowed: outdated neighbours hide none behind them.
        """
        wanted = count
        while True:
            found = await self._vectors.search(partition, vector, count=wanted)
            near = self.facts(partition).neighbours(
                (wording_id, cosine) for wording_id, cosine in found if serves(wording_id)
            )
            if len(near) >= count or len(found) < wanted:
                return near[:count]
            wanted *= WIDENING


class Spaces:
    """The two spaces of one replica."""

    def __init__(self, vectors: Partitions, *, engine_id: str) -> None:
        """`vectors` are the configured model's, made by `engine_id`."""
        self._engine_id = engine_id
        self._ngram_vectors = Partitions(DIMENSION)
        self._spaces = {MODEL: Space(vectors), NGRAMS: Space(self._ngram_vectors)}

    def stop(self) -> None:
        """End the n-grams' search thread; the model's is its owner's."""
        self._ngram_vectors.stop()

    def __getitem__(self, name: str) -> Space:
        return self._spaces[name]

    def judgement(
        self, sight: Sight, *, language: str, recalibrations: Recalibrations = NO_RECALIBRATIONS
    ) -> Judgement:
        """Who judges the evidence of this space for this language, as live labels have calibrated it."""
        return judgement_in(
            sight.space,
            engine_id=self._engine_id,
            language=language,
            recalibrations=recalibrations,
        )

    async def add(
        self, partition: str, wording_id: int, *, answer_id: int, text: str, vector: Vector | None
    ) -> None:
        """Put a wording where it can be found: with its vector, else by its n-grams if it is Chinese."""
        space, other = MODEL, NGRAMS
        if vector is None:
            sight = chinese_sight(text) if is_chinese(partition) else None
            if sight is None:
                return
            space, other, vector = NGRAMS, MODEL, sight.vector
        await self._spaces[other].remove(partition, wording_id)
        await self._spaces[space].add(
            partition, wording_id, answer_id=answer_id, text=text, vector=vector
        )

    async def remove(self, partition: str, wording_id: int) -> None:
        """Take a wording away, wherever it is."""
        for space in self._spaces.values():
            await space.remove(partition, wording_id)

    async def weigh(
        self, partition: str, text: str, sight: Sight, *, serves: Serves, vetoes_for: Forbids
    ) -> Weighed:
        """What speaks for which answer, among the wordings that `serves` allows."""
        space = self._spaces[sight.space]
        near = await space.near(partition, sight.vector, serves=serves)
        return weigh(
            near,
            words_of(text),
            sight.vector,
            facts=space.facts(partition),
            vetoes_for=vetoes_for,
        )

    def note_all(self, found: Iterable[tuple[str, int, int, str, Vector]]) -> None:
        """Know of (partition, wording id, answer id, text, vector) that the model's index holds already."""
        for partition, wording_id, answer_id, text, vector in found:
            self._spaces[MODEL].note(
                partition, wording_id, answer_id=answer_id, text=text, vector=vector
            )


def judgement_in(
    space: str, *, engine_id: str, language: str, recalibrations: Recalibrations
) -> Judgement:
    """Who judges the evidence of a space for a language; `engine_id` names what made the model's vectors."""
    if space == MODEL:
        space = "minilm" if _FITTED_MODEL in engine_id else engine_id
    base = judgement_for(space, language, models=shipped())
    scale_and_shift = recalibrations.get(base.name)
    if scale_and_shift is None or not isinstance(base, Fitted):
        return base
    return Recalibrated(base, *scale_and_shift)


def is_chinese(partition: str) -> bool:
    """Whether a partition's questions are Chinese (its second part is the language)."""
    return "/zh" in partition
