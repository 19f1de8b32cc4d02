"""How sure it is that an answer answers a question: a logistic model over the evidence. Pure.

The model is linear in the standardised features of `evidence.py` and their products, fitted by
`manage.py fit_decision` and shipped as data, one per vector space and language ("minilm/en", "ngrams/zh-hans").
Its probability is turned into a decision by `min_probability`: for an error budget (the share of ALL
questions that may be answered wrongly from the cache) the fit measured, on questions it was not
fitted on, from which probability on the upper 95 % confidence bound of the wrong share stays within
the budget. A space without a fitted model is judged by UNFITTED, two plain bounds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cache.evidence import FEATURES

MODEL_PATH = Path(__file__).resolve().parent / "decision_data" / "model.json"
DEFAULT_MAX_WRONG_SHARE = 0.01
# No setting makes the cache less strict than this, whatever the budget says.
FLOOR_PROBABILITY = 0.70
FARTHEST_SD = 5.0
_STEEPEST = 30.0


class Judgement(Protocol):
    """Evidence -> probability (0..1), and the probability that a budget asks for."""

    @property
    def name(self) -> str:
        """The model and what it was fitted on, for receipts."""

    def probability(self, features: NDArray[np.float64]) -> float:
        """How sure it is that the favourite answer is right."""

    def min_probability(self, max_wrong_share: float) -> float:
        """From where on an answer is served; never below FLOOR_PROBABILITY."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights for the features (n,), for their products (n, n; upper triangle) and the intercept.

    `bounds` maps error budgets to the least probability, strictest budget first.
    """

    name: str
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    linear: NDArray[np.float64]
    products: NDArray[np.float64]
    intercept: float
    bounds: tuple[tuple[float, float], ...]

    def probability(self, features: NDArray[np.float64]) -> float:
        """How sure it is that the favourite answer is right, 0..1."""
        z = np.clip((features - self.mean) / self.spread, -FARTHEST_SD, FARTHEST_SD)
        logit = float(self.linear @ z + z @ self.products @ z) + self.intercept
        return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, logit))))

    def min_probability(self, max_wrong_share: float) -> float:
        """The bound of the largest measured budget that is not above `max_wrong_share`.

        A budget below every measured one is served exact hits only (a bound above 1).
        """
        allowed = [bound for budget, bound in self.bounds if budget <= max_wrong_share]
        return max(allowed[-1], FLOOR_PROBABILITY) if allowed else math.inf


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A fitted model whose logit is stretched by `scale` and shifted, as live labels asked for."""

    base: Fitted
    scale: float
    shift: float

    @property
    def name(self) -> str:
        """The base and what was done to it."""
        return f"{self.base.name}*{self.scale:.2f}{self.shift:+.2f}"

    def probability(self, features: NDArray[np.float64]) -> float:
        """How sure it is that the favourite answer is right, 0..1."""
        return recalibrated(self.base.probability(features), scale=self.scale, shift=self.shift)

    def min_probability(self, max_wrong_share: float) -> float:
        """The base's bounds: a calibrated probability means the same."""
        return self.base.min_probability(max_wrong_share)


def recalibrated(probability: float, *, scale: float, shift: float) -> float:
    """The probability whose logit is `scale` times that of `probability` plus `shift`."""
    clipped = min(max(probability, 1e-9), 1 - 1e-9)
    logit = scale * math.log(clipped / (1 - clipped)) + shift
    return 1 / (1 + math.exp(-max(-_STEEPEST, min(_STEEPEST, logit))))


@dataclass(frozen=True, slots=True)
class Unfitted:
    """Two plain bounds for a space that nobody has fitted yet: nearness and agreement.

    Measured on English shop and bank questions with another model they keep wrong answers below 1 %
    of all questions; for the loaded model that is a guess, hence the stricter nearness.
    """

    name: str = "unfitted"
    min_cosine: float = 0.85
    min_vote: float = 0.80

    def probability(self, features: NDArray[np.float64]) -> float:
        """1 when both bounds are reached, else the nearness on its way there (below 0.7)."""
        cosine, vote = features[_COSINE], features[_VOTE]
        if cosine >= self.min_cosine and vote >= self.min_vote:
            return 1.0
        return float(np.clip(cosine, 0, 1)) * 0.69

    def min_probability(self, max_wrong_share: float) -> float:
        """Nothing but certainty; a budget of zero allows no neighbour at all."""
        return 1.0 if max_wrong_share > 0 else math.inf


def judgement_for(space: str, language: str, *, models: Mapping[str, Fitted]) -> Judgement:
    """The fitted model of a vector space and language, else the plain bounds."""
    return models.get(f"{space}/{language}") or Unfitted()


@cache
def shipped() -> Mapping[str, Fitted]:
    """The models that come with the product."""
    return from_json(MODEL_PATH.read_text(encoding="utf-8"))


def from_json(text: str) -> dict[str, Fitted]:
    """Models as `fit_decision` writes them. Raises ValueError when they name other features."""
    models: dict[str, dict[str, Any]] = json.loads(text)
    return {name: _fitted(name, stored) for name, stored in models.items()}


def _fitted(name: str, stored: Mapping[str, Any]) -> Fitted:
    if tuple(stored["features"]) != FEATURES:
        message = f"the decision model {name} was fitted on other features; run fit_decision"
        raise ValueError(message)
    products = np.zeros((len(FEATURES), len(FEATURES)))
    products[np.triu_indices(len(FEATURES))] = stored["products"]
    return Fitted(
        name=f"{name}@{stored['digest']}",
        mean=np.array(stored["mean"]),
        spread=np.array(stored["spread"]),
        linear=np.array(stored["linear"]),
        products=products,
        intercept=float(stored["intercept"]),
        bounds=tuple((float(budget), float(bound)) for budget, bound in stored["bounds"]),
    )


_COSINE = FEATURES.index("cosine")
_VOTE = FEATURES.index("vote")
