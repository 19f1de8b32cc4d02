"""What a question would cost with another model: logged tokens at that model's price of today, or an estimate.

An estimate rests on the model's own past calls: the input at its median, the output between its 10th and its
90th percentile. Amounts are integers of nano-dollars.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from django.db.models import QuerySet

from routing.chains import chain_for, usable
from routing.models import Call
from routing.pricing import TYPICAL, cost_on, price_on
from routing.rules import NO_ACTIONS, Actions
from routing.specs import EndpointSpec, ModelSpec, RoutingSnapshot, Tier, Usage

CALLS_READ = 1_000
FEWEST_CALLS = 20
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
HasKey = Callable[[EndpointSpec], bool]


class Money(NamedTuple):
    """An interval of nano-dollars; the three are the same where nothing is estimated."""

    low: int = 0
    middle: int = 0
    high: int = 0

    def plus(self, other: Money) -> Money:
        """Both together: low with low, high with high."""
        return Money(self.low + other.low, self.middle + other.middle, self.high + other.high)

    def minus(self, other: Money) -> Money:
        """How much more this is; the interval holds every combination."""
        return Money(self.low - other.high, self.middle - other.middle, self.high - other.low)


@dataclass(frozen=True, slots=True)
class Habit:
    """What a model's calls used: `output` is low, middle and high. `own` is False where others' stand in."""

    input_tokens: int
    output: tuple[int, int, int]
    seconds: float
    own: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """One call as it would be. `money` None: no price is known. Tokens are the middle of an estimate."""

    model: ModelSpec
    money: Money | None
    usage: Usage
    is_estimate: bool


class Costs:
    """Chains and prices of one configuration on one day. Reads past calls once per model; blocking."""

    def __init__(self, routing: RoutingSnapshot, *, today: date, has_key: HasKey) -> None:
        self.routing = routing
        self._today, self._has_key = today, has_key
        self._chains: dict[tuple[Tier, Tier | None, bool], tuple[ModelSpec, ...]] = {}
        self._habits: dict[tuple[str, str], Habit] = {}

    def with_chains(self, chains: Mapping[Tier, tuple[ModelSpec, ...]]) -> Costs:
        """The same with other chains for some tiers; a model that stands in for a tier needs no key here."""
        routing = replace(self.routing, chains={**self.routing.chains, **chains})
        named = {model.endpoint.key for chain in chains.values() for model in chain}

        def has_key(endpoint: EndpointSpec) -> bool:
            return endpoint.key in named or self._has_key(endpoint)

        made = Costs(routing, today=self._today, has_key=has_key)
        made._habits = self._habits
        return made

    def chain(self, tier: Tier, actions: Actions = NO_ACTIONS) -> tuple[ModelSpec, ...]:
        """The models that would be called, in order."""
        key = (tier, actions.chain, actions.prefer_quality)
        if key not in self._chains:
            self._chains[key], _ = usable(
                chain_for(self.routing, tier, actions),
                today=self._today,
                has_key=self._has_key,
                tier=tier,
                routing=self.routing,
            )
        return self._chains[key]

    def spent(
        self, tier: Tier, actions: Actions, *, usage: Usage | None, model: ModelSpec | None = None
    ) -> Spent | None:
        """The call that would be made first, or `model`'s; None when no model can be called."""
        chain = self.chain(tier, actions)
        asked = model or (chain[0] if chain else None)
        if asked is None:
            return None
        if usage is not None:
            capped = replace(usage, output_tokens=actions.at_most(usage.output_tokens))
            cost = self._cost(asked, capped)
            money = None if cost is None else Money(cost, cost, cost)
            return Spent(asked, money, capped, is_estimate=False)
        habit = self.habit(asked)
        usages = [Usage(habit.input_tokens, actions.at_most(tokens)) for tokens in habit.output]
        costs = [cost for one in usages if (cost := self._cost(asked, one)) is not None]
        money = Money(*costs) if len(costs) == len(usages) else None
        return Spent(asked, money, usages[1], is_estimate=True)

    def habit(self, model: ModelSpec) -> Habit:
        """What the model's newest calls used; all models' where it has hardly any, else a typical call."""
        key = (model.endpoint.key, model.name)
        if key not in self._habits:
            own = Call.objects.filter(endpoint_key=key[0], model_asked=key[1])
            found = _habit(_used(own), own=True) or _habit(_used(Call.objects.all()), own=False)
            typical = Habit(TYPICAL.input_tokens, (TYPICAL.output_tokens,) * 3, 0.0, own=False)
            self._habits[key] = found or typical
        return self._habits[key]

    def _cost(self, model: ModelSpec, usage: Usage) -> int | None:
        names = (model.name,)
        found = price_on(
            self.routing, endpoint_key=model.endpoint.key, names=names, day=self._today
        )
        cost = cost_on(found, usage)
        return cost.cost_nanousd if cost.certain else None


def _used(calls: QuerySet[Call]) -> list[tuple[int, int, int]]:
    """Input and output tokens and milliseconds of the newest completed calls of questions."""
    rows = calls.filter(outcome=Call.COMPLETED, tokens_estimated=False)
    values = rows.order_by("-id").values_list("input_tokens", "output_tokens", "total_ms")
    return [(one, two, three or 0) for one, two, three in values[:CALLS_READ]]


def _habit(used: Sequence[tuple[int, int, int]], *, own: bool) -> Habit | None:
    if len(used) < (FEWEST_CALLS if own else 1):
        return None
    inputs, outputs = sorted(one for one, _, _ in used), sorted(two for _, two, _ in used)
    low, middle, high = (percentile(outputs, share) for share in (LOW, MIDDLE, HIGH))
    seconds = sum(three for _, _, three in used) / len(used) / 1_000
    return Habit(percentile(inputs, MIDDLE), (low, middle, high), seconds, own)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The nearest-rank percentile of sorted numbers, not empty."""
    return ordered[max(0, min(len(ordered) - 1, round(share * (len(ordered) - 1))))]
