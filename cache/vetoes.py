"""What forbids serving one wording's answer to another, however near their vectors are. Pure.

A veto speaks only when BOTH texts state a value of a kind and the values differ: identifiers, money,
sizes, dates, numbers, a product of the shop's own list, polarity. A value on one side only is no veto.
"Differ" means that neither side's values contain the other's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from base.text import han_count
from cache.polarity import polarity_conflict
from cache.values import Values, values_in


@dataclass(frozen=True, slots=True)
class Stated:
    """A text with everything that may be compared."""

    text: str
    values: Values
    products: frozenset[str]


class ProductNames:
    """Finds the shop's products in a text; the longest name wins, so siblings stay apart."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)
        names = sorted(map(_name_pattern, self._keys), key=len, reverse=True)
        self._pattern = re.compile("|".join(names)) if names else None

    @classmethod
    def of(cls, names: Mapping[str, Iterable[str]]) -> ProductNames:
        """From product key -> its names and aliases."""
        return cls({fold_name(name): key for key, values in names.items() for name in values if name.strip()})

    def find(self, text: str) -> frozenset[str]:
        """Keys of the products that the text names."""
        if self._pattern is None:
            return frozenset()
        folded = fold_name(text)
        return frozenset(self._keys[match.group()] for match in self._pattern.finditer(folded))


def fold_name(text: str) -> str:
    """NFKC, casefold, one space between words."""
    return " ".join(re.sub(r"[-_]", " ", unicodedata.normalize("NFKC", text).casefold()).split())


def _name_pattern(name: str) -> str:
    literal = re.escape(name)
    return literal if han_count(name) else rf"(?<!\w){literal}(?!\w)"


def stated(text: str, *, products: ProductNames) -> Stated:
    """Read a text once; compare it with many."""
    return Stated(text=text, values=values_in(text), products=products.find(text))


def conflicts(left: Stated, right: Stated) -> tuple[str, ...]:
    """What differs, in words; empty when nothing forbids the answer."""
    kinds = (
        ("identifiers", left.values.identifiers, right.values.identifiers),
        ("money", left.values.money, right.values.money),
        ("sizes", left.values.sizes, right.values.sizes),
        ("dates", left.values.dates, right.values.dates),
        ("numbers", left.values.numbers, right.values.numbers),
        ("products", left.products, right.products),
    )
    found = [f"{name} differ: {_shown(a)} / {_shown(b)}" for name, a, b in kinds if _differ(a, b)]
    polarity = polarity_conflict(left.text, right.text)
    return (*found, polarity) if polarity else tuple(found)


def _differ(left: frozenset[str], right: frozenset[str]) -> bool:
    return bool(left) and bool(right) and not (left <= right or right <= left)


def _shown(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
