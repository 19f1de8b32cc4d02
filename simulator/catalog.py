"""Vendors, models and list prices as data.

A price is an integer of nano-units (1e-9) of the vendor's currency per token, so a bill is exact.
A model past its last day is gone, or is silently replaced where the catalog names a successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: its protocol, the currency of its bill and whether it resells every model."""

    name: str
    protocol: str
    currency: str = "USD"
    resells_all: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-units per token; `cached_nano` None means that no prompt caching is sold."""

    input_nano: int
    output_nano: int
    cached_nano: int | None = None

    def cost_nano(self, input_tokens: int, *, cached_tokens: int, output_tokens: int) -> int:
        """Price of one request; `input_tokens` includes `cached_tokens`."""
        cached_nano = self.input_nano if self.cached_nano is None else self.cached_nano
        fresh_tokens = input_tokens - cached_tokens
        return (
            fresh_tokens * self.input_nano
            + cached_tokens * cached_nano
            + output_tokens * self.output_nano
        )


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model; `last_day` is the last UTC day on which it answers under its own name.

    A model that `thinks` does so unless told not to; its thoughts are billed as output.
    """

    id: str
    home: str
    price: Price
    context_tokens: int
    takes_sampling: bool = True
    thinks: bool = False
    last_day: date | None = None
    successor: str | None = None
    aliases: tuple[str, ...] = ()


VENDORS: dict[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor("openai", "openai"),
        Vendor("deepseek", "openai"),
        Vendor("holysheep", "openai", currency="CNY", resells_all=True),
        Vendor("anthropic", "anthropic"),
        Vendor("gemini", "gemini"),
    )
}

MODELS: dict[str, ModelSpec] = {
    model.id: model
    for model in (
        ModelSpec("gpt-4.1", "openai", Price(2_000, 8_000, 500), 1_047_576),
        ModelSpec(
            "claude-sonnet-4-5",
            "anthropic",
            Price(3_000, 15_000),
            200_000,
            last_day=date(2026, 11, 30),
            aliases=("claude-sonnet-4-5-20250929",),
        ),
        ModelSpec(
            "claude-sonnet-5-5", "anthropic", Price(2_000, 10_000), 200_000, takes_sampling=False
        ),
        ModelSpec(
            "gemini-2.5-flash",
            "gemini",
            Price(300, 2_500),
            1_048_576,
            thinks=True,
            last_day=date(2026, 12, 1),
            successor="gemini-3.5-flash-lite",
        ),
        ModelSpec("gemini-3.5-flash-lite", "gemini", Price(300, 2_500), 1_048_576),
        ModelSpec("deepseek-flash", "deepseek", Price(300, 1_200, 6), 128_000),
        ModelSpec("deepseek-v4-pro", "deepseek", Price(1_320, 3_960), 128_000),
        ModelSpec("deepseek-v3.2", "holysheep", Price(280, 420, 28), 128_000),
    )
}

_BY_ALIAS = {alias: model for model in MODELS.values() for alias in model.aliases}


def find(model_id: str) -> ModelSpec | None:
    """The model of this id or alias, whatever its age."""
    return MODELS.get(model_id) or _BY_ALIAS.get(model_id)


def served(model_id: str, *, vendor: Vendor, today: date) -> ModelSpec | None:
    """The model that answers when `vendor` is asked for `model_id` today, None when none does."""
    model = find(model_id)
    if model is None or not (vendor.resells_all or model.home == vendor.name):
        return None
    if model.last_day is None or today <= model.last_day:
        return model
    return MODELS[model.successor] if model.successor else None


def sold_by(vendor: Vendor, *, today: date) -> list[ModelSpec]:
    """Models the vendor lists today, the replaced ones left out."""
    return [m for m in MODELS.values() if served(m.id, vendor=vendor, today=today) is m]
