"""Which models of a chain may be called, and which of them to ask now. Pure.

The order of a chain is the order of preference, with two exceptions. In the chain for simple questions the
dearest model of all is left out, unless a budget names it there. And a model whose queue is long
gives way to one whose queue is short. So a long queue at a cheap model never costs the shopper the
answer while another model is idle, and a short one never costs the shop the dearer model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from routing.pricing import typical_nanousd
from routing.quota import has_line
from routing.rules import Actions
from routing.specs import EndpointSpec, ModelSpec, Omission, RoutingSnapshot, Tier

PATIENCE_SHARE = 0.1
SIMPLE_TIER = Tier.FAQ
_TOO_DEAR = "it is the dearest model, and no budget names it for simple questions"


def usable(
    chain: Sequence[ModelSpec],
    *,
    today: date,
    has_key: Callable[[EndpointSpec], bool],
    tier: Tier,
    routing: RoutingSnapshot | None = None,
) -> tuple[tuple[ModelSpec, ...], tuple[Omission, ...]]:
    """The models of a chain that may be called today, and the others with the reason.

    Without `routing` no price is looked at.
    """
    omissions = tuple(
        omission
        for model in chain
        if (omission := _omission(model, today=today, has_key=has_key, tier=tier)) is not None
    )
    left_out = [omission.model for omission in omissions]
    models = tuple(model for model in chain if model not in left_out)
    if routing is None or tier is not SIMPLE_TIER:
        return models, omissions
    everywhere = {_key(model): model for others in routing.chains.values() for model in others}
    callable_today = [
        model
        for model in everywhere.values()
        if _omission(model, today=today, has_key=has_key, tier=tier) is None
    ]
    too_dear = dearest(callable_today, routing=routing, today=today)
    return _without(too_dear, models, omissions, routing=routing)


def chain_for(routing: RoutingSnapshot, tier: Tier, actions: Actions) -> tuple[ModelSpec, ...]:
    """The models to ask, in order: the tier's chain or the one a rule names, behind those of high quality
    where a rule prefers them. Budgets and deadline stay the tier's."""
    chain = routing.chains[actions.chain or tier]
    if not actions.prefer_quality:
        return chain
    best = routing.chains[Tier.HIGH]
    return (*best, *(model for model in chain if model not in best))


def dearest(
    models: Sequence[ModelSpec], *, routing: RoutingSnapshot, today: date
) -> frozenset[tuple[str, str]]:
    """Endpoint key and name of the models whose typical call costs most today.

    A model without a known price is not judged.
    """
    costs = {_key(model): typical_nanousd(routing, model, day=today) for model in models}
    known = {key: cost for key, cost in costs.items() if cost is not None}
    most = max(known.values(), default=0)
    return frozenset(key for key, cost in known.items() if cost == most)


def choose(etas_s: Sequence[float], *, left_s: float) -> int:
    """The place of the queue to join: the first that is over within a tenth of the time left, else
    the shortest. `etas_s` is not empty."""
    patience_s = PATIENCE_SHARE * left_s
    short = (place for place, eta_s in enumerate(etas_s) if eta_s <= patience_s)
    return next(short, min(range(len(etas_s)), key=etas_s.__getitem__))


def _key(model: ModelSpec) -> tuple[str, str]:
    return model.endpoint.key, model.name


def _without(
    too_dear: frozenset[tuple[str, str]],
    models: tuple[ModelSpec, ...],
    omissions: tuple[Omission, ...],
    *,
    routing: RoutingSnapshot,
) -> tuple[tuple[ModelSpec, ...], tuple[Omission, ...]]:
    """The chain for simple questions without the dearest models, unless it would be empty."""
    gone = [
        model
        for model in models
        if _key(model) in too_dear and not has_line(routing, model=model, tier=SIMPLE_TIER)
    ]
    if len(gone) == len(models):
        return models, omissions
    left_out = (
        Omission(SIMPLE_TIER, model, "too_dear", f"{model.label} is left out: {_TOO_DEAR}")
        for model in gone
    )
    return tuple(model for model in models if model not in gone), (*omissions, *left_out)


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
