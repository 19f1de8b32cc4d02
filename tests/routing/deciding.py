"""Rules, situations and sets for tests of deciding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.classifier import Classifier, LabelledExample, Parameters
from routing.rules import RuleSpec, Situation
from routing.specs import Tier

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_rule(position: int = 1, **fields: Any) -> RuleSpec:
    """A rule to COMPLEX unless told otherwise."""
    fields.setdefault("tier", Tier.COMPLEX)
    return RuleSpec(position=position, name=fields.pop("name", f"r{position}"), **fields)


def a_situation(text: str = "where is my parcel", **fields: Any) -> Situation:
    """An English question on a Friday at noon."""
    fields.setdefault("language", "en")
    fields.setdefault("at", FRIDAY_NOON)
    return Situation(text=text, **fields)


def unit(*values: float) -> NDArray[np.float32]:
    """A unit vector."""
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def a_classifier(
    *rules: RuleSpec,
    examples: tuple[LabelledExample, ...] = (),
    near: dict[str, NDArray[np.float32] | None] | None = None,
    **parameters: float,
) -> Classifier:
    """A set of version 1."""
    return Classifier(
        rules=rules,
        examples=examples,
        parameters=Parameters.of(parameters),
        rule_set_version=1,
        near=near,
    )


def an_example(
    text: str, tier: Tier, *, language: str = "en", vector: NDArray[np.float32] | None = None
) -> LabelledExample:
    """A labelled question."""
    return LabelledExample(text, language, tier, vector)
