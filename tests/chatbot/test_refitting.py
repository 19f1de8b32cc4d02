"""Learning the calibration from live labels: only when labels are many and the new one is better."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

from cache.judgement import MODEL_PATH, shipped
from cache.spaces import NGRAMS, judgement_in
from chatbot.management.commands.fit_decision import weights_digest
from chatbot.refitting import FEWEST_LABELS, Labelled, fitted, log_loss

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def labels(*, count: int, right_at: dict[float, float]) -> list[Labelled]:
    """Labels whose true share of right ones differs from what the model says."""
    rng = random.Random(3)
    said = list(right_at)
    return [
        Labelled(
            probability=(probability := said[number % len(said)]),
            right=rng.random() < right_at[probability],
            held_back=number % 5 == 0,
        )
        for number in range(count)
    ]


OVERSURE = {0.95: 0.6, 0.99: 0.8, 0.8: 0.3}
HONEST = {0.95: 0.95, 0.99: 0.99, 0.8: 0.8}


def test_an_oversure_model_is_taken_back() -> None:
    """Where fewer are right than it says, its probabilities fall, and held-back labels confirm it."""
    told = labels(count=2_000, right_at=OVERSURE)
    row = fitted(told, judgement="minilm/en", before=(1.0, 0.0), now=NOW)
    assert row is not None
    assert row.loss_after < row.loss_before
    held = [label for label in told if label.held_back]
    assert log_loss(held, row.scale, row.shift) < log_loss(held, 1.0, 0.0)


def test_an_honest_model_stays() -> None:
    """What is calibrated already is not replaced."""
    told = labels(count=2_000, right_at=HONEST)
    assert fitted(told, judgement="minilm/en", before=(1.0, 0.0), now=NOW) is None


def test_few_labels_change_nothing() -> None:
    """Below FEWEST_LABELS nothing is fitted, however wrong the model looks."""
    told = labels(count=FEWEST_LABELS // 2, right_at=OVERSURE)
    assert fitted(told, judgement="minilm/en", before=(1.0, 0.0), now=NOW) is None


def test_what_one_model_learned_is_not_laid_on_the_next() -> None:
    """A recalibration carries the name of the model that it was fitted for, digest and all."""
    name = shipped()["ngrams/zh-hans"].name
    for learned_for, scale in ((name, 2.0), ("ngrams/zh-hans@00000000", 1.0)):
        judgement = judgement_in(
            NGRAMS, engine_id="any", language="zh-hans", recalibrations={learned_for: (2.0, 0.5)}
        )
        assert getattr(judgement, "scale", 1.0) == scale


def test_each_shipped_model_is_named_by_its_own_numbers() -> None:
    """Weights that were fitted anew, or edited, carry another name than the ones before."""
    stored = json.loads(MODEL_PATH.read_text(encoding="utf-8"))
    for data in stored.values():
        assert data["digest"] == weights_digest(data)
        assert data["digest"] != weights_digest(data | {"intercept": data["intercept"] + 0.1})
