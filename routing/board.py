"""The live board's figures: per model its lane, limits, money, last failures and warnings, from few queries.

Lanes are what the serving process knows (`Gate.look`); the rest is rows. Everything here is a value that pages
show; nothing is changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Sum

from routing.forecast import PACE_S, Forecast, forecast
from routing.models import Call, Hold, Spending
from routing.permits import LaneView
from routing.quota import Scope, scopes_of
from routing.retirement import Retirement, retirements
from routing.specs import ModelSpec, RoutingSnapshot, Tier

FAILURES_WITHIN = timedelta(hours=1)
MOST_FAILURES, FAILURES_PER_MODEL = 200, 3
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Purse:
    """One budget or quota that a model's calls fall under; `left` is in its own units."""

    scope: Scope
    used_nanousd: int
    used_tokens: int
    forecast: Forecast

    @property
    def used_permille(self) -> int:
        """How much of the tightest limit is gone, at most 1000."""
        pairs = (
            (self.used_nanousd, self.scope.limit_nanousd),
            (self.used_tokens, self.scope.limit_tokens),
        )
        shares = [
            1000 if not limit else 1000 * used // limit
            for used, limit in pairs
            if limit is not None
        ]
        return min(1000, max(shares, default=0))


@dataclass(frozen=True, slots=True)
class Card:
    """Everything about one model. `lane` is None where the site does not run in this process."""

    model: ModelSpec
    tiers: tuple[Tier, ...]
    lane: LaneView | None
    hold: Hold | None
    purses: tuple[Purse, ...]
    failures: tuple[Call, ...]
    retirement: Retirement | None


@dataclass(frozen=True, slots=True)
class _Spent:
    """What calls of one kind spent within PACE_S."""

    columns: Mapping[str, object]
    nanousd: int
    tokens: int


def models_of(routing: RoutingSnapshot) -> dict[int, tuple[ModelSpec, tuple[Tier, ...]]]:
    """Every model of the chains with its tiers, in the order of the chains."""
    tiers: defaultdict[int, list[Tier]] = defaultdict(list)
    models: dict[int, ModelSpec] = {}
    for tier, chain in routing.chains.items():
        for model in chain:
            models.setdefault(model.id, model)
            tiers[model.id].append(tier)
    return {key: (model, tuple(tiers[key])) for key, model in models.items()}


def cards(
    routing: RoutingSnapshot,
    *,
    lanes: Sequence[LaneView],
    site_id: int | None,
    simulated: bool,
    now: datetime,
) -> list[Card]:
    """One card per model of the chains."""
    models = models_of(routing)
    views = {(lane.state.endpoint_key, lane.state.model_name): lane for lane in lanes}
    holds = {row.model_id: row for row in Hold.objects.all()}
    failures = _failures(simulated=simulated, now=now)
    warnings = retirements([model for model, _ in models.values()], now=now)
    purses = _Purses(routing, simulated=simulated, now=now)
    return [
        Card(
            model=model,
            tiers=tiers,
            lane=views.get(_key(model)),
            hold=holds.get(model.id),
            purses=purses.of(model, tiers=tiers, site_id=site_id),
            failures=failures.get(_key(model), ()),
            retirement=warnings.get(model.id),
        )
        for model, tiers in models.values()
    ]


def takes_over(
    model_id: int, *, chains: Mapping[Tier, Iterable[ModelSpec]], barred: Iterable[int]
) -> dict[Tier, ModelSpec | None]:
    """Who is asked in the place of a model, per tier in whose chain it stands; None = nobody."""
    out = {model_id, *barred}
    found = {}
    for tier, chain in chains.items():
        models = list(chain)
        if any(model.id == model_id for model in models):
            found[tier] = next((model for model in models if model.id not in out), None)
    return found


class _Purses:
    """Counts of the current periods and of the last minutes, read once."""

    def __init__(self, routing: RoutingSnapshot, *, simulated: bool, now: datetime) -> None:
        self._routing = routing
        self._now = now
        current = Spending.objects.filter(
            period_start__lte=now, period_end__gt=now, simulated=simulated
        )
        self._counts = {(row.kind, row.row_id, row.covers): row for row in current}
        self._lately = _spent_lately(simulated=simulated, now=now) if self._any else []

    @property
    def _any(self) -> bool:
        return bool(self._routing.budgets or self._routing.quotas)

    def of(
        self, model: ModelSpec, *, tiers: Iterable[Tier], site_id: int | None
    ) -> tuple[Purse, ...]:
        """Every budget and quota that a call at this model may fall under."""
        scopes = {
            (scope.kind, scope.row_id): scope
            for tier in tiers
            for scope in scopes_of(
                self._routing, model=model, tier=tier, site_id=site_id, at=self._now
            )
        }
        return tuple(self._purse(scope) for scope in scopes.values())

    def _purse(self, scope: Scope) -> Purse:
        row = self._counts.get((scope.kind, scope.row_id, scope.covers))
        nanousd = 0 if row is None else row.spent_nanousd + row.reserved_nanousd
        tokens = 0 if row is None else row.spent_tokens + row.reserved_tokens
        counted = [one for one in self._lately if scope.narrowed.items() <= one.columns.items()]
        limits = []
        if scope.limit_nanousd is not None:
            limits.append((scope.limit_nanousd - nanousd, sum(one.nanousd for one in counted)))
        if scope.limit_tokens is not None:
            limits.append((scope.limit_tokens - tokens, sum(one.tokens for one in counted)))
        ahead = forecast(limits, now=self._now, ends=scope.span.end)
        return Purse(scope, nanousd, tokens, ahead)


def _spent_lately(*, simulated: bool, now: datetime) -> list[_Spent]:
    columns = ("site_id", "tier", "endpoint_key", "model_asked")
    calls = Call.objects.filter(
        simulated=simulated, started_at__gt=now - timedelta(seconds=PACE_S), started_at__lte=now
    )
    rows = calls.order_by().values(*columns)
    sums = rows.annotate(
        nanousd=Sum("cost_nanousd"), tokens=Sum(F("input_tokens") + F("output_tokens"))
    )
    return [
        _Spent({name: row[name] for name in columns}, row["nanousd"], row["tokens"]) for row in sums
    ]


def _failures(*, simulated: bool, now: datetime) -> dict[_Key, tuple[Call, ...]]:
    """The newest failed calls of each model within FAILURES_WITHIN."""
    recent = Call.objects.filter(simulated=simulated, started_at__gt=now - FAILURES_WITHIN)
    found: defaultdict[_Key, list[Call]] = defaultdict(list)
    for call in recent.exclude(failure="").order_by("-started_at")[:MOST_FAILURES]:
        rows = found[call.endpoint_key, call.model_asked]
        if len(rows) < FAILURES_PER_MODEL:
            rows.append(call)
    return {key: tuple(rows) for key, rows in found.items()}


def _key(model: ModelSpec) -> _Key:
    return model.endpoint.key, model.name
