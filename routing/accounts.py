"""What a vendor's account page says, read without trust, and how far it is from our own ledger. Pure.

Figures may be numbers or text, missing, null or nonsense; only what is a finite number of at least 0
counts. A limit of 0 or null is no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

# Balances are told in hundredths, rounded: a difference of two of them says nothing.
ROUNDING_NANO = 20_000_000
DRIFT_SHARE = 0.02
_NANO = Decimal(1_000_000_000)
_LARGEST = Decimal(10**9)


class Unreadable(Exception):
    """The page holds no figure that could be compared; the message says what was missing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An account at a moment, in nano-units of `currency`; None = not told."""

    currency: str
    used_nano: int | None = None
    limit_nano: int | None = None
    remaining_nano: int | None = None
    reset_at: datetime | None = None
    is_available: bool = True

    @property
    def left_percent(self) -> int | None:
        """What is left of the vendor's own limit, rounded down; None where there is no limit."""
        if not self.limit_nano or self.remaining_nano is None:
            return None
        return self.remaining_nano * 100 // self.limit_nano


def read_usage(body: object, *, currency: str) -> Reading:
    """A gateway's `GET /usage`: usage, limit, remaining and reset_at. Raises Unreadable.

    Its units are published nowhere; whole units of the endpoint's currency are assumed.
    """
    page = body if isinstance(body, dict) else {}
    reading = Reading(
        currency=currency,
        used_nano=_nano(page.get("usage")),
        limit_nano=_nano(page.get("limit")) or None,
        remaining_nano=_nano(page.get("remaining")),
        reset_at=_moment(page.get("reset_at")),
    )
    if reading.used_nano is None:
        message = "the page tells no usage"
        raise Unreadable(message)
    return reading


def read_balance(body: object, *, currency: str) -> Reading:
    """DeepSeek's `GET /user/balance`; the entry in `currency`, else the first. Raises Unreadable."""
    page = body if isinstance(body, dict) else {}
    entries = page.get("balance_infos")
    entries = (
        [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    entries.sort(key=lambda entry: entry.get("currency") != currency)
    remaining_nano = _nano(entries[0].get("total_balance")) if entries else None
    if remaining_nano is None:
        message = "the page tells no balance"
        raise Unreadable(message)
    return Reading(
        currency=str(entries[0].get("currency") or currency)[:3],
        remaining_nano=remaining_nano,
        is_available=page.get("is_available") is not False,
    )


def spent_between(before: Reading, now: Reading, *, read_at: datetime) -> int | None:
    """What the account spent between two readings; None when they cannot be compared.

    A period that began anew and a balance that was topped up make them incomparable.
    """
    if before.currency != now.currency:
        return None
    if before.reset_at is not None and before.reset_at <= read_at:
        return None
    if before.used_nano is not None and now.used_nano is not None:
        spent_nano = now.used_nano - before.used_nano
    elif before.remaining_nano is not None and now.remaining_nano is not None:
        spent_nano = before.remaining_nano - now.remaining_nano
    else:
        return None
    return spent_nano if spent_nano >= 0 else None


def drift_share(*, vendor_nano: int | None, ledger_nano: int | None) -> float | None:
    """How far two sums are apart, as a share of the larger; 0 within rounding, None without both."""
    if vendor_nano is None or ledger_nano is None:
        return None
    apart_nano = abs(vendor_nano - ledger_nano)
    return 0.0 if apart_nano <= ROUNDING_NANO else apart_nano / max(vendor_nano, ledger_nano)


def _nano(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _LARGEST:
        return None
    return int(amount * _NANO)


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
