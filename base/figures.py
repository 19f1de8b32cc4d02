"""Figures in a text, whatever way they are written: 7, seven, 七, 1,000, 两千, 99.5 %, 8 pm. Pure.

Used twice: an answer may state no figure that its articles lack, and two questions that state
different figures are different questions. So what matters is that one amount reads the same in
every spelling, and that numerals inside ordinary words (万一, 十分, "the blue
one") and list numbers are no figures.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_UP_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TEENS = {word: value for value, word in enumerate(_UP_TO_NINETEEN.split())}
_FROM_TWENTY = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * value for value, word in enumerate(_FROM_TWENTY.split(), 2)}
_MULTIPLES = {"hundred": 100, "thousand": 1_000}
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: value for value, name in enumerate(_MONTH_NAMES.split(), 1)}

# A bare "one" is mostly a pronoun ("the blue one"), so it counts only before what it measures,
# with at most one word between ("one free exchange").
_ONE = (
    r"one(?=[ -](?:[a-z]+ )?(?:second|minute|hour|day|week|month|year|time|item|piece|order|coupon"
    r"|exchange|correction|point|yuan|kilo|kg|parcel)s?\b)"
)
_SMALL = "|".join(sorted(set(_TEENS) - {"one"}, key=len, reverse=True))
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:one|{_SMALL})\b)?|(?:{_SMALL})\b)"
_BELOW_1000 = rf"(?:(?:a|one|{_BELOW_100})[ -]hundred(?: (?:and )?{_BELOW_100})?|{_BELOW_100})"
_ENGLISH_NUMBER = (
    rf"(?<![\w.])(?:(?:a|one|{_BELOW_1000})[ -]thousand(?: (?:and )?{_BELOW_1000})?"
    rf"|{_BELOW_1000}|{_ONE})\b"
)
# A month is a figure beside its day only, so that "Dec 11" is not covered by an article's "Nov 11".
_MONTH_NAME = r"(?:(?-i:May)|(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\b"
_MONTH = (
    rf"\b(?P<month>{_MONTH_NAME})(?=\.?\s\d)"
    r"|(?:(?<=\d )|(?<=\d(?:st|nd|rd|th) )|(?<=\d(?:st|nd|rd|th) of ))"
    rf"(?P<month_after>{_MONTH_NAME})"
)

# Chinese numerals stand inside ordinary words, hence narrow ways to be a figure: before a measure
# word or the rest of a range (一到三天), after 百分之 or 双, or as a round number such as 三百 or
# 五十.
# At most 12 characters: a longer run is no number, and an unbounded one costs quadratic time.
_HAN_NUMERAL = (
    r"[零〇一二两三四五六七八九十](?:[零〇一二两三四五六七八九十百万]|千(?![克米])){0,11}"
)
_MEASURE = (
    r"(?:[天日月年周号个小时秒元块折件双次张条款斤公克米倍岁位人楼层期码成点台只套度级寸厘毫积]"
    r"|分(?:钟|期|之)|千[克米])"
)
# 周五, 星期三 and 万一 hold no numeral.
_NO_NUMERAL = r"(?<!周)(?<!星期)(?<!礼拜)(?<!万)"
_HAN_FIGURE = (
    rf"百分之(?P<percent>{_HAN_NUMERAL})"
    rf"|{_NO_NUMERAL}(?P<counted>{_HAN_NUMERAL})(?=\s?{_MEASURE}|[到至~—–-]{_HAN_NUMERAL}{_MEASURE})"
    rf"|(?P<round>[一二两三四五六七八九][百千万](?:{_HAN_NUMERAL})?"
    r"|[二三四五六七八九]十(?!足|分)[一二三四五六七八九]?)"
    r"|(?<=双)(?P<double>十[一二])(?!月)"
)
_FIXED = {
    "half an hour": 30, "半小时": 30, "半个小时": 30, "半个钟头": 30, "半钟头": 30,
    "half a year": 6, "半年": 6,
}  # fmt: skip
_PHONE = r"(?<![\d-])(?P<phone>\d{3,4}[ -]\d{3,4}[ -]\d{4}|0\d{2,3}[ -]\d{7,8})(?![\d-])"
_EVENING = r"(?P<evening>(?:下午|傍晚|晚上|今晚|当晚|夜里|晚)\s?)?"
_TIME = (
    rf"{_EVENING}(?:(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::\d\d)?(?:\s?(?P<half>[ap])\.?m\b)?"
    r"|(?<![\d.])(?P<oclock>1?\d|2[0-4]|[二三四五六七八九两]|十[一二]?)点(?P<half_past>半)?)"
    r"|(?<![\d.])(?P<hour12>1[0-2]|[1-9])\s?(?P<half12>[ap])\.?m\b"
)
# 11.11 and 12.12 are names of sale days, not decimals.
_TWIN = r"(?<![\d.])(?P<twin>11(?=\.11(?![\d.]))|12(?=\.12(?![\d.])))\.1[12]"
_DIGITS = (
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<scale>\s?(?:千(?![克米])|万)|k(?![a-z]))?"
)
_FIGURE = re.compile(
    rf"(?P<fixed>{'|'.join(sorted(_FIXED, key=len, reverse=True))})"
    rf"|{_PHONE}|{_TIME}|{_TWIN}|{_DIGITS}|(?P<word>{_ENGLISH_NUMBER})|{_MONTH}|{_HAN_FIGURE}",
    re.IGNORECASE,
)
# Most texts hold no figure; a cheap look spares them the long pattern.
_SIGN = re.compile(r"[\d零〇一二两三四五六七八九十百千万半]")
NUMBER_WORDS = frozenset(_TEENS) | frozenset(_TENS) | frozenset(_MULTIPLES) | {"half"}
_LATIN_WORD = re.compile(r"[a-z]+")
# 1. / 1) / (1) / 1、 / **1.** / Step 1 / 第一步 at the start of a line.
_LIST_MARK = re.compile(
    r"^[ \t>*_#-]*(?:[(（]\s?\d{1,2}\s?[)）]|\d{1,2}(?:[)）、]|\.(?!\d))"
    r"|(?:step|步骤)\s?(?:\d{1,2}|[一二三四五六七八九十])\b|第\s?(?:\d{1,2}|[一二三四五六七八九十])步)",
    re.MULTILINE | re.IGNORECASE,
)
_CIRCLED = re.compile(r"[\u2460-\u2473]")
# A full-width comma separates clauses; between full-width digits, or before
# 000, it groups thousands.
_CLAUSE_COMMA = re.compile(r"(?<![０-９])，(?!000(?!\d))|，(?![０-９]|000(?!\d))")
_SCALES = {"k": 1_000, "千": 1_000, "万": 10_000}
# 一 before these is "a": 一个, 一件, 一下. Before a unit of time, money or weight it is a figure.
_INDEFINITE_ONE = re.compile(
    r"一(?!天|周|年|小时|分钟|个月|个工作日|个小时|元|块钱|公斤|千克|期|次|[到至~—–-])"
)
_TRY_ONCE = re.compile(r"(?:试|来|看|说|等|问|再|过)$")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number by value, as it was written, and where it starts and ends in the folded text."""

    value: Decimal
    written: str
    start: int
    end: int


def fold_figures(text: str) -> str:
    """The text that positions refer to: NFKC, list numbers at line starts blanked out."""
    text = _CLAUSE_COMMA.sub(";", _CIRCLED.sub(" ", text))
    return _LIST_MARK.sub(_blank, unicodedata.normalize("NFKC", text))


def figures_in(text: str) -> Iterator[Figure]:
    """The figures of a text in order; an indefinite 一 ("a day") is none.

    A telephone number is one figure, a time of day is its hour (8 pm = 20:00 = 20; minutes as a
    fraction), 1万 and 10k are scaled, and an approximate 两三天 states both 2 and 3.
    """
    folded = fold_figures(text)
    if _SIGN.search(folded) is None and NUMBER_WORDS.isdisjoint(
        _LATIN_WORD.findall(folded.casefold())
    ):
        return
    for match in _FIGURE.finditer(folded):
        for value in _values(match):
            yield Figure(
                value=Decimal(value).normalize(),
                written=match.group(),
                start=match.start(),
                end=match.end(),
            )


def chinese_number(text: str) -> int | None:
    """Value of a Chinese numeral below 100,000,000 (三百, 一万二千, 二〇二六); None when it is
    none.

    三百五 and 一万二 are read as spoken: the last digit counts in the next lower unit.
    """
    if text and all(char in _HAN_DIGITS for char in text):
        return int("".join(str(_HAN_DIGITS[char]) for char in text))
    total, section, digit, unit = 0, 0, 0, 1
    for char in text:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
            unit = 1 if digit == 0 else unit
        elif char in _HAN_UNITS:
            section += (digit or 1) * _HAN_UNITS[char]
            digit, unit = 0, _HAN_UNITS[char] // 10
        elif char == "万":
            total, section, digit, unit = (total + section + digit) * 10_000, 0, 0, 1_000
        else:
            return None
    return total + section + digit * unit


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _values(match: re.Match[str]) -> Iterable[Decimal | int]:
    kind = next(name for name in _READERS if match[name])
    return _READERS[kind](match)


def _fixed(match: re.Match[str]) -> Iterable[int]:
    return (_FIXED[match["fixed"].casefold()],)


def _phone(match: re.Match[str]) -> Iterable[int]:
    return (int(re.sub(r"\D", "", match["phone"])),)


def _time(match: re.Match[str]) -> Iterable[Decimal]:
    written = match["hour"] or match["hour12"] or match["oclock"]
    hour = int(written) if written.isdecimal() else chinese_number(written) or 0
    half = (match["half"] or match["half12"] or "").casefold()
    if (half == "p" or match["evening"]) and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif match["evening"] and hour == 12:
        hour = 24
    minutes = 30 if match["half_past"] else int(match["minute"] or 0)
    return (Decimal(hour) + Decimal(minutes) / 60,)


def _digits(match: re.Match[str]) -> Iterable[Decimal]:
    scale = (match["scale"] or "").strip().casefold()
    return (Decimal(match["digits"].replace(",", "")) * _SCALES.get(scale, 1),)


def _word(match: re.Match[str]) -> Iterable[int]:
    total, section = 0, 0
    for word in re.split(r"[ -]", match["word"].casefold()):
        if word in _MULTIPLES:
            section = max(section, 1) * _MULTIPLES[word]
            total, section = (total + section, 0) if word == "thousand" else (total, section)
        else:
            section += _TEENS.get(word) or _TENS.get(word, 0)
    return (total + section,)


def _counted(match: re.Match[str]) -> Iterable[int]:
    numeral, before, after = (
        match["counted"],
        match.string[: match.start()],
        match.string[match.end() :],
    )
    if numeral == "一" and (_INDEFINITE_ONE.match(numeral + after) or _TRY_ONCE.search(before)):
        return ()
    if numeral[0] in "十" and after.startswith("分") and not after.startswith("分钟"):
        return ()
    if len(numeral) == 2 and all(_HAN_DIGITS.get(char, 0) for char in numeral):
        return tuple(_HAN_DIGITS[char] for char in numeral)
    return _han(numeral)


def _han(numeral: str) -> Iterable[int]:
    value = chinese_number(numeral)
    return () if value is None else (value,)


_READERS: dict[str, Callable[[re.Match[str]], Iterable[Decimal | int]]] = {
    "fixed": _fixed,
    "phone": _phone,
    "hour": _time,
    "hour12": _time,
    "oclock": _time,
    "twin": lambda match: (int(match["twin"]),),
    "digits": _digits,
    "word": _word,
    "month": lambda match: (_MONTHS[match["month"][:3].casefold()],),
    "month_after": lambda match: (_MONTHS[match["month_after"][:3].casefold()],),
    "percent": lambda match: _han(match["percent"]),
    "counted": _counted,
    "round": lambda match: _han(match["round"]),
    "double": lambda match: _han(match["double"]),
}
