"""Which models of a chain may be called, and which of them to ask now. Pure.

The order of a chain is the order of preference, with one exception: a model whose queue is long
gives way to one whose queue is short. So a long queue at a cheap model never costs the shopper the
answer while another model is idle, and a short one never costs the shop the dearer model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from routing.specs import EndpointSpec, ModelSpec, Omission, Tier

PATIENCE_SHARE = 0.1


def usable(
    chain: Sequence[ModelSpec],
    *,
    today: date,
    has_key: Callable[[EndpointSpec], bool],
    tier: Tier,
) -> tuple[tuple[ModelSpec, ...], tuple[Omission, ...]]:
    """The models of a chain that may be called today, and the others with the reason."""
    omissions = tuple(
        omission
        for model in chain
        if (omission := _omission(model, today=today, has_key=has_key, tier=tier)) is not None
    )
    left_out = [omission.model for omission in omissions]
    return tuple(model for model in chain if model not in left_out), omissions


def choose(etas_s: Sequence[float], *, left_s: float) -> int:
    """The place of the queue to join: the first that is over within a tenth of the time left, else
    the shortest. `etas_s` is not empty."""
    patience_s = PATIENCE_SHARE * left_s
    short = (place for place, eta_s in enumerate(etas_s) if eta_s <= patience_s)
    return next(short, min(range(len(etas_s)), key=etas_s.__getitem__))


def _omission(
    model: ModelSpec, *, today: date, has_key: Callable[[EndpointSpec], bool], tier: Tier
) -> Omission | None:
    """Why a model is left out today, None when it is not."""
    if model.valid_from is not None and today < model.valid_from:
        reason = f"its vendor begins to serve it on {_in_words(model.valid_from)}"
        return Omission(tier, model, "not_yet", f"{model.label} is left out: {reason}")
    if model.valid_until is not None and model.valid_until < today:
        reason = f"its vendor ended it on {_in_words(model.valid_until)}"
        return Omission(tier, model, "retired", f"{model.label} is left out: {reason}")
    if not has_key(model.endpoint):
        reason = f"{model.endpoint.key_env} is not set"
        return Omission(tier, model, "no_key", f"{model.label} is left out: {reason}")
    return None


def _in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
