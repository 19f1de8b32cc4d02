"""Figures in a text, whatever way they are written: 7, seven, 七, 1,000, 两千, 99.5 %. Pure.

Used twice: an answer may state no figure that its articles lack, and two questions that state different
figures are different questions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1_000}
_ENGLISH = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
# "one" counts things far less often than it stands for "a" or a pronoun ("the blue one", "one of them").
_ENGLISH.pop("one")
_ENGLISH_PATTERN = "|".join(sorted(_ENGLISH, key=len, reverse=True))
# Chinese numerals count only before a measure word or unit, since 一 and 十 live inside ordinary words.
_MEASURE = "天日月年周号个小时分钟秒元块折件双次张条款斤公克千米倍岁位人楼层期码成点台只套"
_FIGURE = re.compile(
    rf"(?<![\w.])(?P<word>(?:{_ENGLISH_PATTERN})(?:[- ](?:two|three|four|five|six|seven|eight|nine))?)\b"
    r"|(?P<arabic>\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"|(?P<chinese>[零〇一二两三四五六七八九十百千万]+(?=[{_MEASURE}])|(?<=双)十[一二](?!月))",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^[ \t]*\d{1,2}[.)、]\s", re.MULTILINE)
_AN_INDEFINITE = frozenset({"一"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number by value, as it was written, and where it starts and ends in the folded text."""

    value: Decimal
    written: str
    start: int
    end: int


def fold_figures(text: str) -> str:
    """The text that positions refer to: NFKC, list numbers at line starts blanked out."""
    folded = unicodedata.normalize("NFKC", text)
    return _LIST_MARK.sub(lambda match: " " * len(match.group()), folded)


def figures_in(text: str) -> Iterator[Figure]:
    """The figures of a text in order; an indefinite 一 ("a day") is none."""
    for match in _FIGURE.finditer(fold_figures(text)):
        written = match.group()
        value = _value(match)
        if value is not None and written not in _AN_INDEFINITE:
            yield Figure(value=value, written=written, start=match.start(), end=match.end())


def _value(match: re.Match[str]) -> Decimal | None:
    if match["arabic"]:
        return Decimal(match["arabic"].replace(",", "")).normalize()
    if match["word"]:
        parts = re.split(r"[- ]", match["word"].casefold())
        return Decimal(sum(_ENGLISH[part] for part in parts)).normalize()
    value = chinese_number(match["chinese"])
    return None if value is None else Decimal(value).normalize()


def chinese_number(text: str) -> int | None:
    """Value of a Chinese numeral below 10,000,000 (三百, 一万二千, 二〇二六); None when it is none."""
    if text and all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total, digit, section = 0, 0, 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        elif char == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            return None
    return total + section + digit
