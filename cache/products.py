"""Finds the shop's own products in a text. Pure.

A product is known by all its listed names, whatever their case, spacing, hyphens or plural; the
longest name wins, so siblings stay apart. A name written apart ("the lite version of the Nordlys",
"case for the Harbour 14") is found by the family's name, the first word of the product's name,
with a word that tells it from its siblings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import pairwise

from base.text import han_count

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_KILO = re.compile(r"(?<=\d)\s?k(?![a-z])")
_WAN = re.compile(r"(?<=\d)\s?万")
_TOKEN = re.compile(r"[a-z]+|\d+|[\u3400-\u9fff]")
_HAN_FAMILY_CHARACTERS = 2


class ProductNames:
    """Keys of the products that a text names."""

    def __init__(self, listed: Mapping[str, Iterable[str]]) -> None:
        """`listed`: product key -> its names and aliases."""
        names = {key: [_folded(name) for name in values] for key, values in listed.items()}
        self._keys = {_squeezed(name): key for key, values in names.items() for name in values}
        ordered = sorted((name for values in names.values() for name in values), key=len)
        self._pattern = re.compile("|".join(map(_pattern, reversed(ordered))))
        self._families = _families(names)
        # Most questions name no product: a cheap look decides whether the pattern runs at all.
        self._beginnings = {_beginning(name) for name in ordered}

    @classmethod
    def of(cls, names: Mapping[str, Iterable[str]]) -> ProductNames:
        """From product key -> its names and aliases; blank names are ignored."""
        return cls(
            {key: [name for name in values if name.strip()] for key, values in names.items()}
        )

    def find(self, text: str) -> frozenset[str]:
        """Keys of the products that the text names."""
        folded = _folded(text)
        if not any(beginning in folded for beginning in self._beginnings):
            return frozenset()
        squeezed = (_squeezed(match.group()) for match in self._pattern.finditer(folded))
        found = frozenset(self._keys[name] for name in squeezed if name in self._keys)
        return found or self._named_apart(folded)

    def _named_apart(self, folded: str) -> frozenset[str]:
        tokens = _tokens(folded)
        joined = (first + second for first, second in pairwise(tokens))  # goose-neck, rain coat
        words = frozenset(tokens).union(joined)
        named = (
            family.member(words)
            for mark, family in self._families.items()
            if (mark in folded if han_count(mark) else _singular(mark) in words)
        )
        return frozenset(key for key in named if key is not None)


class _Family:
    """Products whose names begin alike, with the words that tell each from its siblings."""

    def __init__(self, members: Mapping[str, list[frozenset[str]]]) -> None:
        """`members`: product key -> the token sets of its names, without the family's own."""
        words = {key: frozenset().union(*names) for key, names in members.items()}
        self._telling = {
            key: own - frozenset().union(*(words[other] for other in words if other != key))
            for key, own in words.items()
        }
        self._base = next((key for key in members if _is_base(key, members)), None)

    def member(self, words: frozenset[str]) -> str | None:
        """The member that the words tell apart; else the plain one (Nordlys beside Nordlys
        Lite)."""
        scores = {key: len(telling & words) for key, telling in self._telling.items()}
        best = max(scores.values())
        winners = [key for key, score in scores.items() if score == best]
        if best:
            return winners[0] if len(winners) == 1 else None
        return self._base


def _is_base(key: str, members: Mapping[str, list[frozenset[str]]]) -> bool:
    """Whether every sibling's name only adds words to a name of this one."""
    siblings = [names for other, names in members.items() if other != key]
    return bool(siblings) and all(
        any(own < theirs for own in members[key] for theirs in names) for names in siblings
    )


def _families(names: Mapping[str, list[str]]) -> dict[str, _Family]:
    grouped: dict[str, dict[str, list[frozenset[str]]]] = {}
    for key, values in names.items():
        # The first name in each script carries the family's word; aliases may turn the order round.
        for script in (False, True):
            own = [name for name in values if bool(han_count(name)) is script]
            if own:
                mark = _beginning(own[0])
                tokens = [frozenset(_tokens(name)) - frozenset(_tokens(mark)) for name in own]
                grouped.setdefault(mark, {})[key] = tokens
    return {mark: _Family(members) for mark, members in grouped.items()}


def _folded(text: str) -> str:
    """NFKC, casefold, 10,000 and 10k as 10000, hyphens as spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _WAN.sub("0000", _KILO.sub("000", _THOUSANDS.sub("", folded)))
    return " ".join(folded.replace("-", " ").replace("_", " ").split())


def _beginning(name: str) -> str:
    return name[:_HAN_FAMILY_CHARACTERS] if han_count(name[:1]) else name.split()[0]


def _tokens(folded: str) -> list[str]:
    return [_singular(token) for token in _TOKEN.findall(folded)]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word


def _squeezed(name: str) -> str:
    return "".join(_tokens(name))


def _pattern(name: str) -> str:
    """The name with any spacing between its words and an optional plural after each."""
    tokens = _TOKEN.findall(name)
    spaced = r"\s?".join(
        re.escape(_singular(token)) + (r"s?" if len(token) > 2 and token.isascii() else "")
        for token in tokens
    )
    before = "" if han_count(tokens[0]) else r"(?<![a-z0-9])"
    after = "" if han_count(tokens[-1]) else r"(?![a-z0-9])"
    return f"{before}{spaced}{after}"
