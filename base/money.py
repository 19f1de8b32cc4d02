"""Money as people read it: nano-dollars (1e-9 USD, integers in every row) become dollars. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

NANO = Decimal("1e-9")
_CENT = Decimal("0.01")
_SIGNIFICANT = 3


def usd(nanousd: int) -> str:
    """Dollars with cents; below one dollar with three significant digits: $0.000114."""
    amount = abs(Decimal(nanousd) * NANO)
    step = _CENT
    if 0 < amount < 1:
        step = min(_CENT, Decimal(1).scaleb(amount.adjusted() - _SIGNIFICANT + 1))
    whole, _, decimals = f"{amount.quantize(step, rounding=ROUND_HALF_UP):,f}".partition(".")
    return f"{'-' if nanousd < 0 else ''}${whole}.{decimals.rstrip('0').ljust(2, '0')}"
