"""Rows of rule sets -> what decides: rules, examples with vectors and the book that tells which set is in force."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.classifier import Classifier, LabelledExample, Parameters
from routing.rule_models import Example, KillSwitch, Rule, RuleSet
from routing.rulebook import Edition, RuleBook, in_force, still_needed
from routing.rules import Actions, Audience, CacheUse, RuleSpec
from routing.specs import Tier

EmbedCached = Callable[[Sequence[str]], list[NDArray[np.float32] | None]]
BUILT_IN_DIR = Path(__file__).resolve().parent / "built_in"
EXAMPLES_PATH = BUILT_IN_DIR / "examples.csv"
BUILT_IN_VERSION = 0


def built_in_rules() -> list[dict[str, Any]]:
    """The rules that come with the product, as fields of `Rule`."""
    rows: list[dict[str, Any]] = json.loads((BUILT_IN_DIR / "rules.json").read_text("utf-8"))
    return rows


def built_in_examples() -> list[dict[str, str]]:
    """The examples that come with the product, as fields of `Example`."""
    with EXAMPLES_PATH.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def editions() -> list[Edition[RuleSet]]:
    """Every published set that was not withdrawn."""
    rows = RuleSet.objects.filter(state=RuleSet.PUBLISHED, withdrawn_at__isnull=True)
    return [Edition(row.version, row.published_at, row.starts_at, row.ends_at, row) for row in rows]


def rule_set_in_force(now: datetime) -> RuleSet | None:
    """The published set that decides now if the switch is off; None stands for the built-in one."""
    found = in_force(editions(), at=now)
    return None if found is None else found.content


def switch() -> KillSwitch | None:
    """The newest flip; None when nobody ever flipped it."""
    return KillSwitch.objects.first()


class RuleBooks:
    """Loads what decides as committed. Sealed sets never change, so each is built once per process and engine."""

    def __init__(self, embed: EmbedCached) -> None:
        self._embed = embed
        self._built: dict[int, Classifier] = {}

    def load(self, *, now: datetime) -> RuleBook[Classifier]:
        """What decides from `now` on, until rows change; reads rows and embeds what has no vector yet."""
        newest = switch()
        needed = still_needed(editions(), now=now)
        built = {row.version: self._classifier(row.content) for row in needed}
        built_in = self._built.get(BUILT_IN_VERSION) or built_in_classifier(self._embed)
        self._built = {**built, BUILT_IN_VERSION: built_in}
        return RuleBook(
            [
                Edition(e.version, e.published_at, e.starts_at, e.ends_at, built[e.version])
                for e in needed
            ],
            built_in=built_in,
            killed=newest is not None and newest.on,
        )

    def _classifier(self, rule_set: RuleSet) -> Classifier:
        known = self._built.get(rule_set.version)
        return known if known is not None else classifier_of(rule_set, self._embed)


def classifier_of(rule_set: RuleSet, embed: EmbedCached) -> Classifier:
    """What a set decides, be it published or a draft."""
    return classifier_from(
        rules=[rule_spec(row) for row in rule_set.rules.filter(enabled=True)],
        examples=rule_set.examples.all(),
        parameters=rule_set.parameters,
        version=rule_set.version,
        embed=embed,
    )


def built_in_classifier(embed: EmbedCached) -> Classifier:
    """What the shipped rules and examples decide."""
    return classifier_from(
        rules=built_in_specs(),
        examples=[Example(**row) for row in built_in_examples()],
        parameters={},
        version=BUILT_IN_VERSION,
        embed=embed,
    )


def classifier_from(
    *,
    rules: Sequence[RuleSpec],
    examples: Iterable[Example],
    parameters: Mapping[str, float],
    version: int,
    embed: EmbedCached,
) -> Classifier:
    """Rules and example rows with their vectors."""
    rows = list(examples)
    marks = sorted({rule.near_text for rule in rules if rule.near_text})
    vectors = embed([*(row.text for row in rows), *marks])
    return Classifier(
        rules=rules,
        examples=[
            LabelledExample(row.text, row.language, Tier(row.tier), vector)
            for row, vector in zip(rows, vectors, strict=False)
        ],
        parameters=Parameters.of(parameters),
        rule_set_version=version,
        near=dict(zip(marks, vectors[len(rows) :], strict=True)),
    )


def rule_spec(row: Rule) -> RuleSpec:
    """The rule as a row holds it."""
    return RuleSpec(
        position=row.position,
        name=row.name,
        language=row.language,
        any_of=tuple(row.any_of),
        all_of=tuple(row.all_of),
        none_of=tuple(row.none_of),
        min_characters=row.min_characters,
        max_characters=row.max_characters,
        audience=Audience(row.audience) if row.audience else None,
        from_time=row.from_time,
        until_time=row.until_time,
        weekdays=tuple(row.weekdays),
        topics=tuple(row.topics),
        near_text=row.near_text.strip(),
        near_tier=_tier(row.near_tier),
        min_cosine=row.min_cosine,
        tier=_tier(row.tier),
        actions=Actions(
            prefer_quality=row.prefer_quality,
            chain=_tier(row.chain),
            to_person=row.to_person,
            article=row.article,
            cache=CacheUse(row.cache),
            max_tokens=row.max_tokens,
        ),
    )


@cache
def built_in_specs() -> tuple[RuleSpec, ...]:
    """The rules that come with the product, frozen."""
    return tuple(rule_spec(Rule(**row)) for row in built_in_rules())


def _tier(value: str) -> Tier | None:
    return Tier(value) if value else None
