"""Question -> tier, with the reason in words: staff rules first, then the nearest labelled examples.

The vector is the one that the cache look-up used. Where the embedding model does not know the words
(`vector` is None) neighbours are found by character n-grams. When the neighbours are too far away or
disagree, the classifier abstains to REGULAR and says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from base.text import char_ngrams, fold, tokens
from routing.rules import RuleSpec
from routing.specs import Tier


@dataclass(frozen=True, slots=True)
class LabelledExample:
    """A question whose tier staff have set. `vector` is unit float32, or None."""

    text: str
    language: str
    tier: Tier
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many neighbours vote, and how near and how united they must be."""

    neighbours: int = 5
    min_cosine: float = 0.35
    min_overlap: float = 0.12
    min_share: float = 0.4

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Parameters:
        """Parameters as a rule set holds them; names it does not hold keep their defaults."""
        defaults = cls()
        return cls(
            neighbours=int(values.get("neighbours", defaults.neighbours)),
            min_cosine=float(values.get("min_cosine", defaults.min_cosine)),
            min_overlap=float(values.get("min_overlap", defaults.min_overlap)),
            min_share=float(values.get("min_share", defaults.min_share)),
        )


@dataclass(frozen=True, slots=True)
class Classified:
    """The tier, why, and whether the classifier abstained."""

    tier: Tier
    reason: str
    abstained: bool = False


class Classifier:
    """Rules and examples of one published set, frozen."""

    def __init__(
        self,
        *,
        rules: Sequence[RuleSpec],
        examples: Sequence[LabelledExample],
        parameters: Parameters,
        rule_set_version: int,
    ) -> None:
        self.rule_set_version = rule_set_version
        self._rules = sorted(rules, key=lambda rule: rule.position)
        self._parameters = parameters
        self._examples = tuple(examples)
        self._with_vector = [example for example in examples if example.vector is not None]
        vectors = [example.vector for example in self._with_vector]
        self._matrix = np.stack(vectors) if vectors else None  # type: ignore[arg-type]  # None filtered above
        self._grams = [_gram_counts(example.text) for example in self._examples]

    def classify(
        self, text: str, *, language: str, vector: NDArray[np.float32] | None
    ) -> Classified:
        """The tier of a question; never raises, abstains instead."""
        for rule in self._rules:
            phrase = rule.matches(text, language=language)
            if phrase is not None:
                return Classified(
                    rule.tier, f'rule {rule.position} "{rule.name}" matched "{phrase}"'
                )
        if vector is not None and self._matrix is not None:
            return self._vote(
                self._nearest_by_vector(vector), floor=self._parameters.min_cosine, unit="cosine"
            )
        neighbours = self._nearest_by_grams(text, language)
        return self._vote(neighbours, floor=self._parameters.min_overlap, unit="overlap")

    def _nearest_by_vector(
        self, vector: NDArray[np.float32]
    ) -> list[tuple[float, LabelledExample]]:
        assert self._matrix is not None
        cosines = self._matrix @ vector
        order = np.argsort(-cosines)[: self._parameters.neighbours]
        return [(float(cosines[position]), self._with_vector[position]) for position in order]

    def _nearest_by_grams(self, text: str, language: str) -> list[tuple[float, LabelledExample]]:
        query = _gram_counts(text)
        scored = [
            (_dice(query, grams), example)
            for grams, example in zip(self._grams, self._examples, strict=True)
            if example.language == language
        ]
        return sorted(scored, key=lambda item: item[0], reverse=True)[: self._parameters.neighbours]

    def _vote(
        self, neighbours: Sequence[tuple[float, LabelledExample]], *, floor: float, unit: str
    ) -> Classified:
        if not neighbours:
            return Classified(
                Tier.REGULAR, "abstained: there are no examples to compare with", abstained=True
            )
        nearest_score, nearest = neighbours[0]
        if nearest_score < floor:
            reason = f'abstained: nearest example "{nearest.text}" has {unit} {nearest_score:.2f} < {floor:.2f}'
            return Classified(Tier.REGULAR, reason, abstained=True)
        votes: defaultdict[Tier, float] = defaultdict(float)
        for score, example in neighbours:
            votes[example.tier] += max(score, 0.0) ** 4
        winner = max(votes, key=lambda tier: votes[tier])
        share = votes[winner] / sum(votes.values())
        if share < self._parameters.min_share:
            return Classified(
                Tier.REGULAR,
                f"abstained: the nearest examples disagree ({share:.0%})",
                abstained=True,
            )
        best = next(example for _, example in neighbours if example.tier is winner)
        return Classified(
            winner, f'like "{best.text}" ({unit} {nearest_score:.2f}, {share:.0%} of the vote)'
        )


def _gram_counts(text: str) -> Counter[str]:
    """Words for Latin, character 1- and 2-grams for Han."""
    grams: Counter[str] = Counter()
    for token in tokens(fold(text)):
        grams.update(char_ngrams(token, smallest=1, largest=2) if token[0] >= "\u3400" else [token])
    return grams


def _dice(left: Counter[str], right: Counter[str]) -> float:
    """Shared grams against all grams: 0..1; longer grams weigh more."""
    weight = len
    shared = sum(min(left[gram], right[gram]) * weight(gram) for gram in left.keys() & right.keys())
    total = sum(count * weight(gram) for grams in (left, right) for gram, count in grams.items())
    return 2 * shared / total if total else 0.0
