"""What a key has left: DeepSeek's balance and the gateway's usage page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.catalog import Vendor
from simulator.engine import Simulator

_NANO = 1_000_000_000
_ENDLESS_UNITS = 1_000_000


def _left_nano(simulator: Simulator, *, vendor: Vendor, key: str) -> tuple[int, int]:
    """Credit and spending of a key in nano-units of the vendor's currency."""
    credit_nano = simulator.config.credit_nano(vendor.name)
    if credit_nano is None:
        credit_nano = _ENDLESS_UNITS * _NANO
    return credit_nano, simulator.bill.spent_nano(vendor.name, key=key)


def balance(simulator: Simulator, *, vendor: Vendor, key: str) -> dict[str, Any]:
    """DeepSeek's form: amounts are strings with two decimals, rounded down."""
    credit_nano, spent_nano = _left_nano(simulator, vendor=vendor, key=key)
    left_cents = max(0, credit_nano - spent_nano) * 100 // _NANO
    amount = f"{left_cents // 100}.{left_cents % 100:02d}"
    info = {
        "currency": vendor.currency,
        "total_balance": amount,
        "granted_balance": "0.00",
        "topped_up_balance": amount,
    }
    return {"is_available": spent_nano < credit_nano, "balance_infos": [info]}


def _next_month(now: datetime) -> datetime:
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return datetime(year, month, 1, tzinfo=now.tzinfo)


def usage(simulator: Simulator, *, vendor: Vendor, key: str) -> dict[str, Any]:
    """The gateway's form: amounts in whole units of its currency, as JSON numbers."""
    credit_nano, spent_nano = _left_nano(simulator, vendor=vendor, key=key)
    return {
        "usage": spent_nano / _NANO,
        "limit": credit_nano / _NANO,
        "remaining": max(0, credit_nano - spent_nano) / _NANO,
        "reset_at": _next_month(simulator.clock.now()).isoformat(),
    }
