"""What a call costs, in exact integers. Pure.

The model named in the response is charged, at the price valid on the day of the call. Vendors name
dated snapshots of the model that was asked for, so a date at the end of a name is passed over.
Amounts are nano-units of the vendor's currency; US dollars come from a dated rate, rounded half up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from routing.specs import ModelSpec, PriceSpec, RoutingSnapshot, Usage

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})$")
_USD = "USD"
# A question with three articles, and an answer of some sentences.
TYPICAL = Usage(input_tokens=1_500, output_tokens=300)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one call. `certain` is False when the price or the rate is an assumption."""

    amount_nano: int
    currency: str
    usd_per_unit: Decimal
    cost_nanousd: int
    certain: bool


FREE = Cost(0, _USD, Decimal(1), 0, certain=False)


def price_of(
    prices: Iterable[PriceSpec], *, endpoint_key: str, model_name: str, day: date
) -> PriceSpec | None:
    """The price of a model at an endpoint on a day, by its name or its name without a date."""
    plain = model_name.removeprefix("models/")
    names = [plain, _DATED.sub("", plain)]
    valid = [
        price
        for price in prices
        if price.endpoint_key == endpoint_key
        and price.model_name in names
        and price.valid_from <= day
    ]
    return max(valid, key=lambda p: (p.model_name == plain, p.valid_from), default=None)


@dataclass(frozen=True, slots=True)
class Priced:
    """A price to book by. `is_known` is False when it is another model's, or when there is none."""

    price: PriceSpec | None
    usd_per_unit: Decimal | None
    is_known: bool


def price_on(
    snapshot: RoutingSnapshot, *, endpoint_key: str, names: Sequence[str], day: date
) -> Priced:
    """The price on a day of the first of `names` that has one, with the dollar rate of that day."""
    for name in names:
        price = price_of(snapshot.prices, endpoint_key=endpoint_key, model_name=name, day=day)
        if price is not None:
            rate = rate_of(snapshot.usd_rates, currency=price.currency, day=day)
            return Priced(price, rate, is_known=name == names[0])
    return Priced(None, None, is_known=False)


def cost_on(found: Priced, usage: Usage) -> Cost:
    """The cost at a price that was looked up; nothing, and not certain, without any."""
    if found.price is None:
        return FREE
    return cost_of(
        usage, price=found.price, usd_per_unit=found.usd_per_unit, certain=found.is_known
    )


def typical_nanousd(snapshot: RoutingSnapshot, model: ModelSpec, *, day: date) -> int | None:
    """What a call of TYPICAL size costs on a day; None when its price or rate is not known."""
    found = price_on(snapshot, endpoint_key=model.endpoint.key, names=(model.name,), day=day)
    cost = cost_on(found, TYPICAL)
    return cost.cost_nanousd if cost.certain else None


def rate_of(rates: Iterable[tuple[str, date, str]], *, currency: str, day: date) -> Decimal | None:
    """US dollars per unit of a currency on a day; None when no rate is known."""
    if currency == _USD:
        return Decimal(1)
    valid = [(since, rate) for name, since, rate in rates if name == currency and since <= day]
    return Decimal(max(valid)[1]) if valid else None


def cost_of(usage: Usage, *, price: PriceSpec, usd_per_unit: Decimal | None, certain: bool) -> Cost:
    """The cost of the tokens used. Without a rate the dollars are 0 and not certain."""
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    amount_nano = (
        (usage.input_tokens - cached) * price.input_nano_per_token
        + cached * price.cached_input_nano_per_token
        + usage.output_tokens * price.output_nano_per_token
    )
    rate = Decimal(0) if usd_per_unit is None else usd_per_unit
    nanousd = (Decimal(amount_nano) * rate).to_integral_value(rounding=ROUND_HALF_UP)
    return Cost(
        amount_nano=amount_nano,
        currency=price.currency,
        usd_per_unit=rate,
        cost_nanousd=int(nanousd),
        certain=certain and usd_per_unit is not None,
    )
