"""Configuration rows -> frozen specs, read once per revision."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from zoneinfo import available_timezones

from base import env
from routing.models import Budget, Chain, Endpoint, ExchangeRate, Hold, Model, Price, Quota
from routing.specs import (
    LOCAL_HOSTS,
    BudgetSpec,
    EndpointSpec,
    HoldSpec,
    Limits,
    ModelSpec,
    Period,
    PriceSpec,
    QuotaSpec,
    RoutingSnapshot,
    Tier,
    VendorKind,
    host_of,
)


@dataclass(frozen=True, slots=True)
class Access:
    """Key and address of an endpoint as the environment has them now."""

    api_key: str = field(repr=False)
    base_url: str


def access_of(endpoint: EndpointSpec) -> Access | None:
    """Key and address for a call, or None when the environment holds no key for this endpoint."""
    api_key = env.text(endpoint.key_env)
    return Access(api_key=api_key, base_url=endpoint.base_url) if api_key else None


def load_routing() -> RoutingSnapshot:
    """Chains, prices and rates as committed now."""
    endpoints = {row.id: endpoint_spec(row) for row in Endpoint.objects.all()}
    places = Chain.objects.filter(enabled=True, model__enabled=True, model__endpoint__enabled=True)
    chains: dict[Tier, list[ModelSpec]] = {tier: [] for tier in Tier}
    for place in places.select_related("model").order_by("tier", "position"):
        chains[Tier(place.tier)].append(_model(place.model, endpoints[place.model.endpoint_id]))
    return RoutingSnapshot(
        chains={tier: tuple(models) for tier, models in chains.items()},
        prices=tuple(_price(row) for row in Price.objects.select_related("endpoint")),
        usd_rates=tuple(
            (row.currency, row.valid_from, str(row.usd_per_unit))
            for row in ExchangeRate.objects.all()
        ),
        budgets=tuple(_budget(row) for row in Budget.objects.select_related("model__endpoint")),
        quotas=tuple(_quota(row) for row in Quota.objects.select_related("endpoint")),
        holds=tuple(_hold(row) for row in Hold.objects.select_related("model__endpoint")),
        loaded_at=datetime.now(tz=UTC),
    )


def endpoint_spec(row: Endpoint) -> EndpointSpec:
    """An endpoint with the address that is in use now."""
    base_url = (env.text(row.base_url_env) or row.base_url).rstrip("/")
    return EndpointSpec(
        id=row.id,
        key=row.key,
        name=row.name,
        kind=VendorKind(row.kind),
        base_url=base_url,
        key_env=row.key_env,
        simulated=host_of(base_url) in LOCAL_HOSTS,
    )


def _model(row: Model, endpoint: EndpointSpec) -> ModelSpec:
    return ModelSpec(
        id=row.id,
        name=row.name,
        endpoint=endpoint,
        limits=Limits(
            requests_per_minute=row.requests_per_minute,
            tokens_per_minute=row.tokens_per_minute,
            in_flight=row.in_flight,
            input_tokens_per_minute=row.input_tokens_per_minute,
            output_tokens_per_minute=row.output_tokens_per_minute,
            requests_per_day=row.requests_per_day,
        ),
        api_version=row.api_version,
        context_tokens=row.context_tokens,
        max_output_tokens=row.max_output_tokens,
        temperature=row.temperature,
        extra_parameters=tuple(sorted(json.loads(json.dumps(row.extra_parameters)).items())),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _price(row: Price) -> PriceSpec:
    return PriceSpec(
        endpoint_key=row.endpoint.key,
        model_name=row.model_name,
        valid_from=row.valid_from,
        currency=row.currency,
        input_nano_per_token=row.input_nano_per_token,
        cached_input_nano_per_token=row.cached_input_nano_per_token,
        output_nano_per_token=row.output_nano_per_token,
    )


def _budget(row: Budget) -> BudgetSpec:
    return BudgetSpec(
        id=row.id,
        label=str(row),
        period=Period(row.period),
        zone=_zone(row.time_zone),
        limit_nanousd=row.limit_nanousd,
        site_id=row.site_id,
        tier=Tier(row.tier) if row.tier else None,
        model_id=row.model_id,
    )


def _quota(row: Quota) -> QuotaSpec:
    return QuotaSpec(
        id=row.id,
        label=str(row),
        endpoint_key=row.endpoint.key,
        period=Period(row.period),
        zone=_zone(row.reset_zone),
        limit_tokens=row.limit_tokens,
        limit_nanousd=row.limit_nanousd,
    )


def _hold(row: Hold) -> HoldSpec:
    return HoldSpec(
        endpoint_key=row.model.endpoint.key,
        model_name=row.model.name,
        kind="trip" if row.kind == Hold.TRIP else "park" if row.kind == Hold.PARK else "reset",
        at=row.at,
        until=row.until,
        reason=row.reason,
    )


def _zone(name: str) -> str:
    """A zone that this machine knows; UTC stands in for one that it does not."""
    return name if name in _known_zones() else "UTC"


@cache
def _known_zones() -> frozenset[str]:
    """Looked up on disk once: that takes tens of milliseconds."""
    return frozenset(available_timezones())
