"""What forbids serving one wording's answer to another, however near their vectors are. Pure.

A veto speaks only when BOTH texts state a value of a kind and the values differ: identifiers,
money, sizes, dates, numbers, a product of the shop's own list, polarity, roles, the action asked
for. A value on one side only is no veto. "Differ" means that neither side's values contain the
other's. Where the list knows no product, two texts that are the same but for one named thing
differ in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cache.dates import comparable
from cache.polarity import polarity_conflict
from cache.products import ProductNames
from cache.roles import other_action, swapped_roles
from cache.swaps import swapped_things
from cache.values import Values, values_in

__all__ = ["ProductNames", "Stated", "conflicts", "stated"]


@dataclass(frozen=True, slots=True)
class Stated:
    """A text with everything that may be compared."""

    text: str
    values: Values
    products: frozenset[str]


def stated(text: str, *, products: ProductNames) -> Stated:
    """Read a text once; compare it with many."""
    return Stated(text=text, values=values_in(text), products=products.find(text))


def conflicts(left: Stated, right: Stated) -> tuple[str, ...]:
    """What differs, in words; empty when nothing forbids the answer."""
    a, b = left.values, right.values
    kinds = (
        ("identifiers", a.identifiers, b.identifiers),
        ("money", *_sums(a, b)),
        ("sizes", a.sizes, b.sizes),
        ("dates", *comparable(a.dates, b.dates)),
        ("numbers", a.numbers, b.numbers),
        ("products", left.products, right.products),
    )
    found = [f"{name} differ: {_shown(x)} / {_shown(y)}" for name, x, y in kinds if _differ(x, y)]
    # A date, a size or an order number that stands on one side only is no named thing.
    same_values = not found and (a.identifiers, a.sizes, a.dates) == (
        b.identifiers,
        b.sizes,
        b.dates,
    )
    signs = (
        swapped_things(left.text, right.text) if same_values else None,
        polarity_conflict(left.text, right.text),
        swapped_roles(left.text, right.text),
        other_action(left.text, right.text),
    )
    return (*found, *(sign for sign in signs if sign))


def _sums(a: Values, b: Values) -> tuple[frozenset[str], frozenset[str]]:
    """Sums of money; a bare number stands for one where the other side names only money."""
    if a.money and not b.money and not a.numbers:
        return a.money, b.numbers
    if b.money and not a.money and not b.numbers:
        return a.numbers, b.money
    return a.money, b.money


def _differ(left: frozenset[str], right: frozenset[str]) -> bool:
    return bool(left) and bool(right) and not (left <= right or right <= left)


def _shown(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
