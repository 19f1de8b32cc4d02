"""The values that a question states: identifiers, money, sizes, dates, other numbers. Pure.

Each kind is a set of canonical strings, so that 两天 and "2 days", ¥99 and "99 yuan", M码 and
"medium", 双十一 and "Nov 11" are equal. A span that was taken for one kind is not read again.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from base.figures import NUMBER_WORDS, figures_in
from cache.dates import dates_in
from cache.identifiers import identifiers_in
from cache.prices import money_in
from cache.sizes import sizes_in
from cache.spans import Spans, plain_number

# Weeks count in days; one day is 24 hours, one year 12 months: both are said of one span.
_WEEKS = re.compile(
    r"(?P<number>\d+|[一二两三四五六]|\b(?:an?|one|first|two|three|four|five|six))[ -]?个?"
    r"(?:weeks?\b|周(?!年)|星期|礼拜)",
    re.IGNORECASE,
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "first": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6} | {
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6,
}  # fmt: skip
_ONE_SPAN = re.compile(
    r"(?:\b(?:within|after|in|for|over|under) an? |(?<![\d.-])1[ -]?|\b(?:one|first)[ -]|(?<!第)一)个?"
    r"(?P<unit>hour|day|month|year|小时|钟头|天|月|年)(?![a-z]{2})",
    re.IGNORECASE,
)
_ONE_IN_SMALLER = {
    "hour": "60", "小时": "60", "钟头": "60", "day": "24", "天": "24", "month": "30", "月": "30",
    "year": "12", "年": "12",
}  # fmt: skip
_WORDS = {"twice": "2", "fortnight": "14", "dozen": "12"}
_WORD = re.compile(r"\b(?:twice|fortnight|dozen)\b", re.IGNORECASE)
_ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6",
    "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10",
}  # fmt: skip
# "once" and "one" count only where they are no conjunction and no pronoun.
_ONCE = re.compile(
    rf"\b(?:{'|'.join(_ORDINALS)}|single)\b(?![ -]hand)"
    r"|\bonce(?=\s*(?:$|[?.!,]|per\b|a\b|only\b|for free))"
    r"|(?<!this )(?<!that )(?<!the )(?<!which )(?<!each )\bone(?= (?!(?:of|is|are|do|does|did|can|will"
    r"|to|in|on|at|by|for|with|and|or|from|that|which|who|i|you|it|not|please|hundred|thousand"
    r"|dozen|isn|if|inside|instead|into|onto|once|online|don|doesn|didn|cannot|its|itself|today"
    r"|tomorrow|tonight|together|too|yours|yourself|your|without|within|until|when|while)\b)[a-z])",
    re.IGNORECASE,
)

_UNIT_WORDS = ("hour", "day", "week", "weeks", "month", "year")
_LATIN_SIGNS = frozenset((*NUMBER_WORDS, *_WORDS, *_ORDINALS, *_UNIT_WORDS, "once", "single"))


@dataclass(frozen=True, slots=True)
class Values:
    """What a text states, by kind; each a set of canonical strings."""

    identifiers: frozenset[str]
    money: frozenset[str]
    sizes: frozenset[str]
    dates: frozenset[str]
    numbers: frozenset[str]


@lru_cache(maxsize=4_096)
def values_in(text: str) -> Values:
    """Read the values of a text."""
    spans = Spans(unicodedata.normalize("NFKC", text))
    # The order matters: an order number holds digits of every other kind, a date holds numbers.
    return Values(
        identifiers=identifiers_in(spans),
        dates=dates_in(spans),
        money=money_in(spans),
        sizes=sizes_in(spans),
        numbers=_numbers(spans),
    )


def _numbers(spans: Spans) -> frozenset[str]:
    if not spans.may_hold(_LATIN_SIGNS):
        return frozenset()
    found = spans.take(_WEEKS, _weeks)
    found |= spans.take(_ONE_SPAN, lambda match: (_ONE_IN_SMALLER[match["unit"].casefold()],))
    found |= spans.take(_WORD, lambda match: (_WORDS[match.group().casefold()],))
    figures = Counter(
        _ORDINALS.get(match.group().casefold(), "1") for match in _ONCE.finditer(spans.text)
    )
    spans.take(_ONCE, lambda match: (match.group(),))
    figures.update(plain_number(f"{figure.value:f}") for figure in figures_in(spans.text))
    # "2 of 2" is not "2 of 3": a repeated figure counts as one more value.
    found |= figures.keys() | {f"{value} ({n})" for value, n in figures.items() if n > 1}
    return frozenset(found)


def _weeks(match: re.Match[str]) -> Iterable[str]:
    written = match["number"].casefold()
    return (str(7 * (_COUNTS.get(written) or int(written))),)
