"""How well rules and examples find the tier of labelled questions. Pure: no framework, no clock; seeded randomness.

Nothing is fitted: examples are drawn from the labelled questions and vote on the others. Without held-out
questions each fifth is judged by examples from the other four.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import numpy as np
from numpy.typing import NDArray

from routing.classifier import Classified, Classifier, LabelledExample, Parameters
from routing.rules import RuleSpec, Situation
from routing.specs import Tier

SIZES: tuple[int | None, ...] = (5, 20, 100, None)
FOLDS, DRAWS = 5, 10
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_TIERS = (Tier.FAQ, Tier.REGULAR, Tier.COMPLEX)
Row = Mapping[str, str | int | float | None]
Make = Callable[[Sequence["Labelled"]], Classifier]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with its tier, where it comes from and what it is about."""

    text: str
    language: str
    tier: Tier
    source: str
    intent: str
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A question and what was decided."""

    question: Labelled
    decision: Classified

    @property
    def right(self) -> bool:
        """Whether the site would have given it its tier."""
        return self.decision.tier is self.question.tier

    @property
    def guessed(self) -> bool:
        """Whether its tier was the favoured one, abstained or not."""
        guess = self.decision.guess if self.decision.guess is not None else self.decision.tier
        return guess is self.question.tier


def evaluate(
    known: Sequence[Labelled],
    *,
    held_out: Sequence[Labelled],
    rules: Sequence[RuleSpec],
    seed: int,
) -> Iterator[Row]:
    """Rows for one language: keyword rules, examples by their number per tier, rules with examples, unseen intents.

    Every row has `language`, `source` and `method`. `held_out` may be empty.
    """
    splits = list(_splits(known, held_out, seed=seed))
    examples_only, with_rules = _maker(()), _maker(rules)
    keywords = [judged for _, asked in splits for judged in _judge(with_rules([]), asked)]
    yield from _by_source(keywords, method="keyword rules", size=0)
    for size in SIZES:
        judged = _over(splits, examples_only, size=size, seed=seed)
        yield from _by_source(judged, method="examples", size=size)
    both = _over(splits, with_rules, size=None, seed=seed)
    yield from _by_source(both, method="rules and examples", size=None)
    yield _unseen(known, examples_only, seed=seed)


def _maker(rules: Sequence[RuleSpec]) -> Make:
    def make(examples: Sequence[Labelled]) -> Classifier:
        rows = [LabelledExample(e.text, e.language, e.tier, e.vector) for e in examples]
        return Classifier(rules=rules, examples=rows, parameters=Parameters(), rule_set_version=0)

    return make


def _judge(classifier: Classifier, asked: Sequence[Labelled]) -> list[Judged]:
    return [
        Judged(q, classifier.decide(Situation(q.text, q.language, _NOON, vector=q.vector)))
        for q in asked
    ]


def _splits(
    known: Sequence[Labelled], held_out: Sequence[Labelled], *, seed: int
) -> Iterator[tuple[list[Labelled], list[Labelled]]]:
    """Pairs of examples to draw from and questions to judge; every question is judged once."""
    if held_out:
        yield list(known), list(held_out)
        return
    folds: list[list[Labelled]] = [[] for _ in range(FOLDS)]
    for tier in _TIERS:
        own = [row for row in known if row.tier is tier]
        Random(f"{seed} {tier}").shuffle(own)  # noqa: S311  a draw for statistics
        for place, row in enumerate(own):
            folds[place % FOLDS].append(row)
    for number, asked in enumerate(folds):
        yield [row for other in folds if other is not folds[number] for row in other], asked


def _over(
    splits: Sequence[tuple[list[Labelled], list[Labelled]]],
    make: Make,
    *,
    size: int | None,
    seed: int,
) -> list[Judged]:
    found: list[Judged] = []
    for number, (pool, asked) in enumerate(splits):
        drawn = pool if size is None else _drawn(pool, size=size, seed=seed + number)
        found += _judge(make(drawn), asked)
    return found


def _drawn(pool: Sequence[Labelled], *, size: int, seed: int) -> list[Labelled]:
    drawn: list[Labelled] = []
    for tier in _TIERS:
        own = [row for row in pool if row.tier is tier]
        drawn += Random(f"{seed} {tier}").sample(own, min(size, len(own)))  # noqa: S311  statistics
    return drawn


def _by_source(judged: Sequence[Judged], *, method: str, size: int | None) -> Iterator[Row]:
    sources = sorted({item.question.source for item in judged})
    for source in ["all", *(sources if len(sources) > 1 else [])]:
        own = [item for item in judged if source in ("all", item.question.source)]
        answered = [item for item in own if not item.decision.abstained]
        yield {
            "language": own[0].question.language,
            "source": source,
            "method": method,
            "examples_per_tier": "all" if size is None else size,
            "questions": len(own),
            "accuracy": _share(own, lambda item: item.right),
            "macro_f1": round(_macro_f1(own), 4),
            "accuracy_without_abstaining": _share(own, lambda item: item.guessed),
            "abstained_share": _share(own, lambda item: item.decision.abstained),
            "accuracy_where_answered": _share(answered, lambda item: item.right),
        }


def _unseen(known: Sequence[Labelled], make: Make, *, seed: int) -> Row:
    """Examples of half the intents of each tier vote on the other half; what they get wrong should be abstained."""
    found: list[Judged] = []
    for draw in range(DRAWS):
        seen = _half_of_intents(known, seed=seed + draw)
        classifier = make([row for row in known if row.intent in seen])
        found += _judge(classifier, [row for row in known if row.intent not in seen])
    errors = [item for item in found if not item.guessed]
    return {
        "language": known[0].language,
        "source": "all",
        "method": "unseen intents",
        "draws": DRAWS,
        "questions": len(found),
        "accuracy_without_abstaining": _share(found, lambda item: item.guessed),
        "abstained_share": _share(found, lambda item: item.decision.abstained),
        "errors": len(errors),
        "errors_caught_share": _share(errors, lambda item: item.decision.abstained),
    }


def _half_of_intents(known: Sequence[Labelled], *, seed: int) -> set[str]:
    seen: set[str] = set()
    for tier in _TIERS:
        intents = sorted({row.intent for row in known if row.tier is tier})
        seen |= set(Random(f"{seed} {tier}").sample(intents, len(intents) // 2))  # noqa: S311  statistics
    return seen


def _share(items: Sequence[Judged], holds: Callable[[Judged], bool]) -> float | None:
    return round(sum(map(holds, items)) / len(items), 4) if items else None


def _macro_f1(judged: Sequence[Judged]) -> float:
    """Mean over the tiers that occur of 2 * hits / (decided + labelled)."""
    scores = []
    for tier in {item.question.tier for item in judged}:
        hits = sum(item.right for item in judged if item.question.tier is tier)
        decided = sum(item.decision.tier is tier for item in judged)
        labelled = sum(item.question.tier is tier for item in judged)
        scores.append(2 * hits / (decided + labelled))
    return sum(scores) / len(scores)
