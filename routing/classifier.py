"""Question -> tier and actions, with the reason in words: staff rules first, then the nearest examples.

The vector is the one that the cache look-up uses. Where the embedding model does not know the words
(`vector` is None) neighbours are found by words alone. When the neighbours are too far away or disagree, the
classifier abstains: the question counts as REGULAR, or as what they favour if that is harder, so what is
not understood is never taken for simple. Pure: no framework, no clock, nothing remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import takewhile
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from routing.neighbours import Neighbours
from routing.rules import NO_ACTIONS, Actions, Nearness, RuleSpec, Situation
from routing.specs import Tier

NOT_YET: Literal["not yet"] = "not yet"
_HARDER = (Tier.FAQ, Tier.REGULAR, Tier.COMPLEX, Tier.HIGH)


@dataclass(frozen=True, slots=True)
class LabelledExample:
    """A question whose tier staff have set. `vector` is unit float32, or None."""

    text: str
    language: str
    tier: Tier
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many neighbours vote, and how near and how united they must be.

    A neighbour's vote is exp(sharpness * score). The winner's best score times its share of the vote
    must reach `min_cosine`, or `min_overlap` where only words were compared.
    """

    neighbours: int = 10
    sharpness: float = 15.0
    cosine_weight: float = 0.7
    min_cosine: float = 0.37
    min_overlap: float = 0.21
    min_share: float = 0.4

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Parameters:
        """Parameters as a rule set holds them; names it does not hold keep their defaults."""
        known = {field.name for field in fields(cls)} & set(values)
        given: dict[str, Any] = {name: float(values[name]) for name in known}
        if "neighbours" in given:
            given["neighbours"] = max(1, int(given["neighbours"]))
        return replace(cls(), **given)


@dataclass(frozen=True, slots=True)
class Classified:
    """The tier and actions, and what led to them.

    `guess` is what the nearest examples favour, also when the classifier abstained. `rule` is the rule that
    matched, None when the examples decided; `example` and `score` are the nearest that voted for the guess.
    """

    tier: Tier
    reason: str
    abstained: bool = False
    guess: Tier | None = None
    rule: RuleSpec | None = None
    example: str = ""
    score: float | None = None
    actions: Actions = NO_ACTIONS


class Classifier:
    """Rules and examples of one set, frozen."""

    def __init__(
        self,
        *,
        rules: Sequence[RuleSpec],
        examples: Sequence[LabelledExample],
        parameters: Parameters,
        rule_set_version: int,
        near: Mapping[str, NDArray[np.float32] | None] | None = None,
    ) -> None:
        """`near` holds the vectors of the rules' own examples, by text."""
        self.rule_set_version = rule_set_version
        self.rules = tuple(sorted(rules, key=lambda rule: rule.position))
        self.parameters = parameters
        self._examples = tuple(examples)
        marks = sorted({rule.near_text for rule in rules if rule.near_text})
        vectors = near or {}
        self._marks = {text: len(examples) + place for place, text in enumerate(marks)}
        self._tiers = [example.tier for example in examples]
        self._near = Neighbours(
            [*(example.text for example in examples), *marks],
            languages=[*(example.language for example in examples), *("" for _ in marks)],
            vectors=[*(example.vector for example in examples), *map(vectors.get, marks)],
            cosine_weight=parameters.cosine_weight,
        )

    @property
    def needs_topic(self) -> bool:
        """Whether a rule looks at the best article's topic."""
        return any(rule.topics for rule in self.rules)

    def decide(self, situation: Situation) -> Classified:
        """The decision; never raises, abstains instead. The same situation gives the same decision."""
        rule, matched = self._first_match(self.rules, situation)
        if rule is None:
            return self._by_examples(situation)
        reason = f"{rule.label} matched {matched}"
        if rule.tier is not None:
            return Classified(rule.tier, reason, rule=rule, actions=rule.actions)
        voted = self._by_examples(situation)
        return replace(voted, reason=f"{reason}; {voted.reason}", rule=rule, actions=rule.actions)

    def before_cache(self, situation: Situation) -> Actions | Literal["not yet"]:
        """What must be known before the cache is read, from a situation without vector and topic.

        NOT_YET: it hangs on a rule that needs them.
        """
        plain = tuple(takewhile(lambda rule: not rule.needs_meaning, self.rules))
        rule, _ = self._first_match(plain, situation)
        if rule is not None:
            return rule.actions
        later = self.rules[len(plain) :]
        return NOT_YET if any(rule.actions.early for rule in later) else NO_ACTIONS

    def _first_match(
        self, rules: Sequence[RuleSpec], situation: Situation
    ) -> tuple[RuleSpec | None, str]:
        nearness = self._nearness(situation)
        for rule in rules:
            matched = rule.matches(situation, nearness=nearness)
            if matched is not None:
                return rule, matched
        return None, ""

    def _nearness(self, situation: Situation) -> Nearness:
        """Cosines of one question, found when a rule first asks for them."""
        return partial(
            self._cosine, partial(self._near.cosines, situation.text, vector=situation.vector)
        )

    def _cosine(self, cosines: partial[NDArray[np.float32]], rule: RuleSpec) -> float:
        found = cosines()
        if rule.near_text:
            return float(found[self._marks[rule.near_text]])
        own = [place for place, tier in enumerate(self._tiers) if tier is rule.near_tier]
        return float(found[own].max()) if own else 0.0

    def _by_examples(self, situation: Situation) -> Classified:
        """The vote of the nearest examples, weighed by how near they are."""
        if not self._examples:
            reason = "abstained: there are no examples to compare with"
            return Classified(Tier.REGULAR, reason, abstained=True)
        scores = self._near.scores(
            situation.text, language=situation.language, vector=situation.vector
        )[: len(self._examples)]
        count = min(self.parameters.neighbours, len(scores))
        places = np.argpartition(-scores, count - 1)[:count]
        places = places[np.argsort(-scores[places], kind="stable")]
        weights = np.exp(self.parameters.sharpness * (scores[places] - scores[places[0]]))
        votes: dict[Tier, float] = {}
        for place, weight in zip(places, weights, strict=True):
            tier = self._tiers[place]
            votes[tier] = votes.get(tier, 0.0) + float(weight)
        guess = max(votes, key=lambda tier: votes[tier])
        best = next(int(place) for place in places if self._tiers[place] is guess)
        floor = (
            self.parameters.min_overlap if situation.vector is None else self.parameters.min_cosine
        )
        return self._judged(
            guess,
            example=self._examples[best].text,
            score=float(scores[best]),
            share=votes[guess] / sum(votes.values()),
            floor=floor,
        )

    def _judged(
        self, guess: Tier, *, example: str, score: float, share: float, floor: float
    ) -> Classified:
        """The guess, or an abstention where it rests on too little."""
        shown = f'like "{example}" (score {score:.2f}, {share:.0%} of the vote)'
        if score * share >= floor and share >= self.parameters.min_share:
            return Classified(guess, shown, guess=guess, example=example, score=score)
        tier = max(guess, Tier.REGULAR, key=_HARDER.index)
        return Classified(
            tier,
            f"abstained: {shown} is under the floor of {floor:.2f}",
            abstained=True,
            guess=guess,
            example=example,
            score=score,
        )
