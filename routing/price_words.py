"""Prices as people read them: per million tokens, where rows hold nano-units per token. Pure."""

from __future__ import annotations

from decimal import Decimal

# 1.00 per million tokens is 1e-6 per token, which is 1,000 nano-units.
NANO_PER_TOKEN = Decimal(1_000)


def per_million(nano_per_token: int) -> Decimal:
    """Nano-units per token as units per million tokens, exact: 300 -> 0.30."""
    return (Decimal(nano_per_token) / NANO_PER_TOKEN).quantize(Decimal("0.001"))


def shown_per_million(nano_per_token: int) -> str:
    """The price per million with two or three decimals."""
    text = f"{per_million(nano_per_token):,f}"
    return text.removesuffix("0")
