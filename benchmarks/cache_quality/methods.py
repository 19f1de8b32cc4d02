"""The methods compared, each playing a stream once: static bound, per-entry verified bounds, GPTCache.

Every method sees the same questions in the same order with the same vectors and stores what it does not
serve. A row's outcome is None (not served) or whether the served answer's label is the question's.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm

from benchmarks.cache_quality.streams import Stream

Outcome = bool | None
Vectors = NDArray[np.float32]
FEWEST_OBSERVATIONS = 6
REFIT_AT = 1.1  # a curve is fitted anew when so many times as much is known
CONFIDENCES = tuple(step / 50 for step in range(1, 50))
GPTCACHE_DEFAULT = 0.8


def static(stream: Stream, *, vectors: Vectors, min_cosine: float) -> list[Outcome]:
    """Serve the nearest stored question's answer when its cosine reaches the bound."""
    stored: list[int] = []
    table = np.zeros_like(vectors)
    outcomes: list[Outcome] = []
    for number, vector in enumerate(vectors):
        outcome: Outcome = None
        if stored:
            cosines = table[: len(stored)] @ vector
            best = int(cosines.argmax())
            if cosines[best] >= min_cosine:
                outcome = stream.labels[stored[best]] == stream.labels[number]
        if outcome is None:
            table[len(stored)] = vector
            stored.append(number)
        outcomes.append(outcome)
    return outcomes


@dataclass(slots=True)
class _Observed:
    """What is known of one stored question: similarities at which its answer was right or wrong."""

    similarities: list[float] = field(default_factory=lambda: [0.0, 1.0])
    right: list[float] = field(default_factory=lambda: [0.0, 1.0])
    curve: tuple[float, float, float] | None = None
    fitted_to: int = 0


def verified(stream: Stream, *, vectors: Vectors, max_error: float, seed: int = 1) -> list[Outcome]:
    """Per-entry bounds with a guarantee (arXiv 2502.03771), written from the paper's formulas.

    For each stored question a logistic curve of P(right | similarity) is fitted to what was observed of
    it; the nearest one's answer is served with the probability that keeps the error below
    `max_error`, taking the curve's place at the edge of its confidence interval. Not served means: ask
    the model, learn from the answer whether serving would have been right.
    """
    rng = random.Random(seed)
    table, stored = np.zeros_like(vectors), []
    known: dict[int, _Observed] = {}
    outcomes: list[Outcome] = []
    for number, vector in enumerate(vectors):
        outcome: Outcome = None
        right = False
        if stored:
            cosines = table[: len(stored)] @ vector
            best = int(cosines.argmax())
            owner, similarity = stored[best], float(cosines[best])
            right = stream.labels[owner] == stream.labels[number]
            if rng.random() > _explore(known[owner], similarity, max_error=max_error):
                outcome = right
            else:
                observed = known[owner]
                observed.similarities.append(similarity)
                observed.right.append(float(right))
        if outcome is None and not right:
            table[len(stored)] = vector
            stored.append(number)
            known[number] = _Observed()
        outcomes.append(outcome)
    return outcomes


def _explore(observed: _Observed, similarity: float, *, max_error: float) -> float:
    """The least probability of asking the model that the guarantee allows."""
    if len(observed.similarities) < FEWEST_OBSERVATIONS:
        return 1.0
    if observed.curve is None or len(observed.right) >= REFIT_AT * observed.fitted_to:
        observed.curve = _curve(tuple(observed.similarities), tuple(observed.right))
        observed.fitted_to = len(observed.right)
    steepness, middle, error = observed.curve
    least = 1.0
    for miss in CONFIDENCES:
        shifted = middle + _quantile(1 - miss) * error
        sure = (1 - miss) / (
            1 + math.exp(-max(-50.0, min(50.0, steepness * (similarity - shifted))))
        )
        least = min(least, max(0.0, (1 - max_error - sure) / (1 - sure)) if sure < 1 else 0.0)
    return least


@lru_cache(maxsize=100)
def _quantile(probability: float) -> float:
    return float(norm.ppf(probability))


def _curve(similarities: Sequence[float], right: Sequence[float]) -> tuple[float, float, float]:
    """Maximum-likelihood steepness and middle of the logistic curve, and the middle's standard error."""
    s, y = np.array(similarities), np.array(right)

    def loss(parameters: NDArray[np.float64]) -> float:
        z = np.clip(parameters[0] * (s - parameters[1]), -50, 50)
        return float(np.sum(np.logaddexp(0, z) - y * z) + 1e-4 * parameters[0] ** 2)

    best = minimize(loss, x0=np.array([10.0, 0.8]), method="L-BFGS-B", bounds=[(1, 200), (0, 1.2)])
    steepness, middle = (float(value) for value in best.x)
    p = 1 / (1 + np.exp(-np.clip(steepness * (s - middle), -50, 50)))
    information = float(np.sum(p * (1 - p)) * steepness**2)
    return steepness, middle, 1 / math.sqrt(max(information, 1e-6))


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's outcomes and how long its look-ups took."""

    outcomes: list[Outcome]
    lookups_per_s: float


def gptcache(stream: Stream, *, vectors: Vectors, threshold: float = GPTCACHE_DEFAULT) -> Peer:
    """GPTCache as it comes: SQLite and FAISS managers, distance evaluation, its default threshold."""
    os.environ["PIP_NO_INDEX"] = "1"  # the package installs what it misses by itself, from anywhere
    from gptcache import Cache, Config  # type: ignore[import-untyped]  # noqa: PLC0415 - a bench extra
    from gptcache.adapter.api import get, put  # type: ignore[import-untyped]  # noqa: PLC0415 - a bench extra
    from gptcache.manager import (  # type: ignore[import-untyped]  # noqa: PLC0415 - a bench extra
        CacheBase,
        VectorBase,
        get_data_manager,
    )
    from gptcache.similarity_evaluation.distance import (  # type: ignore[import-untyped]  # noqa: PLC0415 - a bench extra
        SearchDistanceEvaluation,
    )

    vector_of = dict(zip(stream.texts, vectors, strict=True))
    label_of = dict(zip(stream.texts, stream.labels, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        cache: Any = Cache()
        cache.init(
            pre_embedding_func=lambda data, **_: data.get("prompt"),
            embedding_func=lambda text, **_: vector_of[text],
            data_manager=get_data_manager(
                CacheBase("sqlite", sql_url=f"sqlite:///{folder}/cache.db"),
                VectorBase(
                    "faiss",
                    dimension=vectors.shape[1],
                    index_path=str(Path(folder) / "index"),
                ),
            ),
            similarity_evaluation=SearchDistanceEvaluation(),
            config=Config(similarity_threshold=threshold),
        )
        outcomes: list[Outcome] = []
        taken_s = 0.0
        for text in stream.texts:
            started_s = time.perf_counter()
            answer = get(text, cache_obj=cache)
            taken_s += time.perf_counter() - started_s
            outcomes.append(None if answer is None else answer == label_of[text])
            if answer is None:
                put(text, label_of[text], cache_obj=cache)
    return Peer(outcomes=outcomes, lookups_per_s=len(outcomes) / taken_s)
