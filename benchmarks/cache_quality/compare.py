"""All methods on one stream: the same rows and vectors, bounds fixed by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from benchmarks.cache_quality import methods, ours
from benchmarks.cache_quality.judges import HELD_OUT
from benchmarks.cache_quality.methods import Outcome
from benchmarks.cache_quality.ours import Run
from benchmarks.cache_quality.report import Row
from benchmarks.cache_quality.rules import fixed_bound, halves, shares
from benchmarks.cache_quality.shop import Shop
from benchmarks.cache_quality.streams import Stream
from cache.judgement import Judgement

COSINES = tuple(step / 100 for step in range(78, 97))
ERRORS = (0.02,)
# About as many bounds as for the cosine, evenly spread over what is left to certainty.
PROBABILITIES = tuple(round(1 - 10 ** (-step / 20), 4) for step in range(14, 46, 2))
LOST_SHARES = (0.1, 0.3)
K = TypeVar("K", bound=float)


def compare(
    stream: Stream, *, judges: Mapping[str, Judgement], seed: int, peers: bool
) -> list[Row]:
    """One row per method, for the rows that the guard lets through; ours also over all rows."""
    static = {
        bound: methods.static(stream, vectors=stream.model_vectors, min_cosine=bound)
        for bound in COSINES
    }
    verified = {
        error: methods.verified(stream, vectors=stream.model_vectors, max_error=error, seed=seed)
        for error in ERRORS
    }
    rows = [
        _tested(stream, "static", static),
        _tested(stream, "verified per entry", verified),
    ]
    peer = methods.gptcache(stream, vectors=stream.model_vectors) if peers else None
    if peer is not None:
        rows.append(
            _row(stream, "gptcache", peer.outcomes, bound=methods.GPTCACHE_DEFAULT)
            | {"lookups_per_s": round(peer.lookups_per_s)}
        )
    shop = Shop(stream, seed=seed)
    for name, judgement in judges.items():
        rows += _ours(stream, name, shop=shop, judgement=judgement, seed=seed)
    return rows


def _ours(stream: Stream, name: str, *, shop: Shop, judgement: Judgement, seed: int) -> list[Row]:
    runs = {
        bound: ours.play(stream, shop=shop, judgement=judgement, min_probability=bound, seed=seed)
        for bound in PROBABILITIES
    }
    tried = {bound: run.outcomes for bound, run in runs.items()}
    tested = _tested(stream, name, tried)
    bound = tested["bound"]
    if not isinstance(bound, float):
        return [tested]
    tested |= _identity(runs[bound])
    if name == HELD_OUT:
        return [tested]
    everything = dict(tested) | {"method": "breakwater-all"}
    share = len(stream.texts) / stream.rows
    everything["hit_share"] = round(tested["hit_share"] * share, 4)
    everything["wrong_share"] = round(tested["wrong_share"] * share, 4)
    everything["questions"] = stream.rows // 2
    return [tested, everything, *_at_lost_identities(stream, shop, judgement, bound, seed=seed)]


def _at_lost_identities(
    stream: Stream, shop: Shop, judgement: Judgement, bound: float, *, seed: int
) -> list[Row]:
    rows = []
    for lost in LOST_SHARES:
        run = ours.play(
            stream,
            shop=shop,
            judgement=judgement,
            min_probability=bound,
            seed=seed,
            lost_share=lost,
        )
        name = f"breakwater, {lost:.0%} of identities lost"
        rows.append(_row(stream, name, halves(run.outcomes)[1], bound=bound) | _identity(run))
    return rows


def _identity(run: Run) -> Row:
    return {
        "identity_precision": round(run.identity.precision, 4),
        "identity_recall": round(run.identity.recall, 4),
        "in_one_answer": round(run.identity.in_one, 4),
        "merged": run.identity.merged,
        "judged": run.identity.judged,
        "not_stored": run.not_stored,
        "lookups_per_s": round(run.lookups_per_s),
    }


def _tested(stream: Stream, method: str, tried: dict[K, list[Outcome]]) -> Row:
    """The second half at the bound that the first half chose; no hits when none was strict enough."""
    bound = fixed_bound(tried)
    if bound is None:
        nothing: Sequence[Outcome] = [None] * (len(stream.texts) // 2)
        return _row(stream, method, nothing, bound=None)
    return _row(stream, method, halves(tried[bound])[1], bound=bound)


def _row(stream: Stream, method: str, outcomes: Sequence[Outcome], *, bound: float | None) -> Row:
    counted = shares(outcomes)
    return {
        "stream": stream.name,
        "method": method,
        "hit_share": round(counted.hit, 4),
        "wrong_share": round(counted.wrong, 4),
        "questions": len(outcomes),
        "guarded": stream.guarded,
        "bound": bound,
    }
