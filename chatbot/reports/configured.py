"""What the configuration says beside the figures: models left out or ending, the baseline model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import ImproperlyConfigured

from chatbot.reports.waterfall import Measured
from routing.dispatch import usable
from routing.pricing import cost_on, price_on
from routing.snapshot import access_of
from routing.specs import EndpointSpec, ModelSpec, RoutingSnapshot, Usage

RETIREMENT_NOTICE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A configured model that is not called today: why, and in which tiers it is missing."""

    model: ModelSpec
    reason: str
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retiring:
    """A model that its vendor ends within days: `days` 0 means that today is its last day."""

    model: ModelSpec
    days: int
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The dearest model of the chains for the tokens measured, and what they would have cost there."""

    label: str
    nanousd: int
    input_nano_per_token: int
    cached_input_nano_per_token: int
    output_nano_per_token: int
    currency: str


def left_out(routing: RoutingSnapshot, *, today: date) -> list[LeftOut]:
    """Models of the chains that may not be called on `today`, with routing's own reason."""
    found: dict[int, tuple[ModelSpec, str]] = {}
    tiers: defaultdict[int, list[str]] = defaultdict(list)
    for tier, chain in routing.chains.items():
        omissions = usable(chain, today=today, has_key=_has_key, tier=tier, routing=routing)[1]
        for omission in omissions:
            found[omission.model.id] = (omission.model, omission.reason)
            tiers[omission.model.id].append(tier.value)
    return [LeftOut(model, reason, tuple(tiers[key])) for key, (model, reason) in found.items()]


def retiring(routing: RoutingSnapshot, *, today: date) -> list[Retiring]:
    """Models of the chains whose last day is at most RETIREMENT_NOTICE away, soonest first."""
    found: dict[int, tuple[ModelSpec, int]] = {}
    tiers: defaultdict[int, list[str]] = defaultdict(list)
    for tier, chain in routing.chains.items():
        for model in chain:
            last = model.valid_until
            if last is not None and today <= last <= today + RETIREMENT_NOTICE:
                found[model.id] = (model, (last - today).days)
                tiers[model.id].append(tier.value)
    rows = [Retiring(model, days, tuple(tiers[key])) for key, (model, days) in found.items()]
    return sorted(rows, key=lambda row: (row.days, row.model.label))


def baseline(routing: RoutingSnapshot, used: Measured, *, day: date) -> Baseline | None:
    """The model of the chains at which the measured tokens cost most on a day; None without a known price."""
    usage = Usage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cached_input_tokens=used.cached_input_tokens,
    )
    found = []
    for model in chained(routing):
        priced = price_on(routing, endpoint_key=model.endpoint.key, names=(model.name,), day=day)
        cost = cost_on(priced, usage)
        if priced.price is not None and cost.certain:
            price = priced.price
            found.append(
                Baseline(
                    model.label,
                    cost.cost_nanousd,
                    price.input_nano_per_token,
                    price.cached_input_nano_per_token,
                    price.output_nano_per_token,
                    price.currency,
                )
            )
    return max(found, key=lambda item: (item.nanousd, item.label), default=None)


def chained(routing: RoutingSnapshot) -> list[ModelSpec]:
    """Every model of the chains once, in the order of tiers and places."""
    models = {model.id: model for chain in routing.chains.values() for model in chain}
    return list(models.values())


def callable_today(routing: RoutingSnapshot, *, today: date) -> list[ModelSpec]:
    """The models of the chains that may be called on a day."""
    out = {row.model.id for row in left_out(routing, today=today)}
    return [model for model in chained(routing) if model.id not in out]


def _has_key(endpoint: EndpointSpec) -> bool:
    """Whether the environment holds a key; a key file that cannot be read counts as none."""
    try:
        return access_of(endpoint) is not None
    except ImproperlyConfigured:
        return False
