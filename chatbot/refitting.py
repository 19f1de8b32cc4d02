"""The decision models learn from live labels: in the background, and only when that makes them better.

Labels are few and lopsided (shoppers complain more than they praise), so nothing but the calibration is fitted:
a scale and a shift of the shipped model's logit, drawn towards no change. A fifth of the labels is held back by
the question's words; the old model stays until the new one has the lower log loss on those.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction

from base.revision import bump
from cache.evidence import FEATURES
from cache.judgement import Fitted, recalibrated, shipped
from cache.models import Label, Recalibration

NEWEST_LABELS = 20_000
FEWEST_LABELS = 200
FEWEST_HELD_BACK = 50
FEWEST_OF_EACH = 10
HELD_BACK_OF_16 = 3
STEADINESS = 20.0  # the weight of "no change", in labels
BETTER_BY = 0.002
LEAST_SCALE, MOST_SCALE, MOST_SHIFT = 0.3, 3.0, 3.0
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Labelled:
    """What the shipped model said about a pair, whether it was right, and whether it is held back."""

    probability: float
    right: bool
    held_back: bool


def refit(*, now: datetime) -> list[Recalibration]:
    """Fit every shipped model to its labels; returns the rows of those that became better."""
    found = []
    for model in shipped().values():
        labels = _labels(model)
        row = fitted(labels, judgement=model.name, before=in_force(model.name), now=now)
        if row is not None:
            with transaction.atomic():
                row.save()
                bump()
            found.append(row)
    return found


def in_force(judgement: str) -> tuple[float, float]:
    """Scale and shift of the newest recalibration, (1, 0) where there is none."""
    row = Recalibration.objects.filter(judgement=judgement).first()
    return (1.0, 0.0) if row is None else (row.scale, row.shift)


def fitted(
    labels: Sequence[Labelled], *, judgement: str, before: tuple[float, float], now: datetime
) -> Recalibration | None:
    """An unsaved row when there are labels enough and the new calibration beats `before`; else None."""
    held = [label for label in labels if label.held_back]
    seen = [label for label in labels if not label.held_back]
    wrong = sum(not label.right for label in seen)
    if len(seen) < FEWEST_LABELS or len(held) < FEWEST_HELD_BACK:
        return None
    if not FEWEST_OF_EACH <= wrong <= len(seen) - FEWEST_OF_EACH:
        return None
    scale, shift = _fit(seen)
    loss_before, loss_after = log_loss(held, *before), log_loss(held, scale, shift)
    if loss_after > loss_before - BETTER_BY:
        return None
    return Recalibration(
        judgement=judgement,
        scale=scale,
        shift=shift,
        labels=len(seen),
        held_back=len(held),
        loss_before=loss_before,
        loss_after=loss_after,
        at=now,
    )


def log_loss(labels: Sequence[Labelled], scale: float, shift: float) -> float:
    """Mean log loss of the calibrated probabilities, in nats."""
    total = 0.0
    for label in labels:
        sure = recalibrated(label.probability, scale=scale, shift=shift)
        total -= math.log(max(_TINY, sure if label.right else 1 - sure))
    return total / len(labels)


def _fit(labels: Sequence[Labelled]) -> tuple[float, float]:
    # Loaded when it is needed: its linear algebra starts threads, and a server may fork after its imports.
    from scipy.optimize import minimize  # noqa: PLC0415  it starts threads

    def loss(parameters: np.ndarray) -> float:
        scale, shift = float(parameters[0]), float(parameters[1])
        change = math.log(scale) ** 2 + shift**2
        return log_loss(labels, scale, shift) * len(labels) + STEADINESS * change

    bounds = [(LEAST_SCALE, MOST_SCALE), (-MOST_SHIFT, MOST_SHIFT)]
    best = minimize(loss, x0=np.array([1.0, 0.0]), method="L-BFGS-B", bounds=bounds)
    return float(best.x[0]), float(best.x[1])


def _labels(model: Fitted) -> list[Labelled]:
    """The newest judgement of every pair that this model judged; several on one pair are one."""
    stem = model.name.split("*", maxsplit=1)[0]
    rows = Label.objects.filter(features__judged_by__startswith=stem).order_by("-id")
    pairs: dict[tuple[str, int], Labelled] = {}
    told: defaultdict[tuple[str, int], list[bool]] = defaultdict(list)
    for row in rows[:NEWEST_LABELS]:
        evidence = row.features.get("evidence", [])
        if len(evidence) != len(FEATURES):
            continue
        pair = (row.question_key, row.answer_id)
        told[pair].append(row.right)
        right = 2 * sum(told[pair]) >= len(told[pair])
        held_back = int(row.question_key[:1] or "0", 16) < HELD_BACK_OF_16
        pairs[pair] = Labelled(model.probability(np.array(evidence)), right, held_back)
    return list(pairs.values())
