"""Sums of one side of a dry run: hits, money by tier, and what each model is asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chatbot.dry_costs import Money
from chatbot.dry_replay import BYPASS, MISS, Played


@dataclass(slots=True)
class ModelSum:
    """What one model is asked first: calls, and tokens (the middle of estimates)."""

    label: str
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(slots=True)
class SideSum:
    """One side added up."""

    hits: int = 0
    money: Money = field(default_factory=Money)
    estimated: int = 0
    unpriced: int = 0
    uncallable: int = 0
    tiers: dict[str, tuple[int, Money]] = field(default_factory=dict)
    models: dict[int, ModelSum] = field(default_factory=dict)

    def add(self, played: Played) -> None:
        """One more question."""
        self.hits += played.is_hit
        spent = played.spent
        if spent is None:
            self.uncallable += played.kind in (MISS, BYPASS) and not played.chain
            return
        money = spent.money or Money()
        self.unpriced += spent.money is None
        self.estimated += spent.is_estimate
        self.money = self.money.plus(money)
        count, sum_ = self.tiers.get(played.tier, (0, Money()))
        self.tiers[played.tier] = (count + 1, sum_.plus(money))
        model = self.models.setdefault(spent.model.id, ModelSum(spent.model.label))
        model.calls += 1
        model.input_tokens += spent.usage.input_tokens
        model.output_tokens += spent.usage.output_tokens

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "hits": self.hits,
            "cost": list(self.money),
            "estimated": self.estimated,
            "unpriced": self.unpriced,
            "uncallable": self.uncallable,
            "tiers": {tier: [count, list(sum_)] for tier, (count, sum_) in self.tiers.items()},
            "models": {
                str(key): [one.label, one.calls, one.input_tokens, one.output_tokens]
                for key, one in self.models.items()
            },
        }
