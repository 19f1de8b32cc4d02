"""The values that a question states: identifiers, money, sizes, dates, other numbers. Pure.

Each kind is a set of canonical strings, so that 两天 and "2 days", ¥99 and "99 yuan", M码 and "medium",
双十一 and "Nov 11" are equal. A span that was taken for one kind is not read again as another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from base.figures import chinese_number, figures_in

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_HAN_NUMBER = r"[零〇一二两三四五六七八九十百千万]+"

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPACED_DIGITS = re.compile(r"(?<=\d)[ -](?=\d{4}(?!\d))|(?<=\d{4})[ -](?=\d)")
_IDENTIFIER = re.compile(
    r"(?<![a-z0-9])(?:(?=[a-z0-9-]*\d[a-z0-9-]*\d[a-z0-9-]*\d)[a-z]{1,4}-?\d[a-z0-9-]{2,}|\d{5,}[a-z0-9]*"
    r"|[a-z]{3,}\d{2,}|#\s?\d{3,})(?![a-z0-9])",
    re.IGNORECASE,
)
_QUANTITY_AFTER = re.compile(r"\s*(?:mah|毫安|ml|毫升|元|块|yuan|rmb|cny|points|积分)", re.IGNORECASE)
_MONEY = re.compile(
    rf"[¥$€£]\s?({_NUMBER}k?)|(?:rmb|cny)\s?({_NUMBER})"
    rf"|({_NUMBER}|{_HAN_NUMBER})\s?(?:元|块(?:钱)?(?!退|送|发|买|寄)|yuan|rmb|cny|dollars?)"
    rf"|(?:满|减|立减|赔|券)\s?({_NUMBER}|{_HAN_NUMBER})|({_NUMBER})\s?off(?!\w)",
    re.IGNORECASE,
)
_LETTER_SIZES = {
    "extra small": "XS", "small": "S", "medium": "M", "large": "L", "extra large": "XL",
    "特小号": "XS", "小号": "S", "小码": "S", "中号": "M", "中码": "M", "大号": "L", "大码": "L", "加大号": "XL", "特大号": "XL",
}
_SIZE_WORDS = "|".join(sorted(map(re.escape, _LETTER_SIZES), key=len, reverse=True))
_SIZE = re.compile(
    rf"(?<![a-z0-9'])(?P<letter>xxxl|xxl|xl|xs|[2-6]xl|[sml])(?![a-z0-9'])(?=\s*(?:码|号|size)|)"
    rf"|(?<![a-z])(?P<word>{_SIZE_WORDS})(?![a-z])"
    r"|(?:size|eu|eur|尺码|穿)\s?(?P<number>[2-5]\d(?:\.5)?)(?!\d|\s?(?:kg|cm|公斤|斤))"
    r"|(?P<ma>[2-5]\d(?:\.5)?)\s?(?:码|号(?:鞋|的))"
    r"|(?P<measure>\d+(?:\.\d+)?)\s?(?P<unit>cm|mm|kg|厘米|毫米|公斤|斤|千克|寸|inch|inches|\")",
    re.IGNORECASE,
)
_UNITS = {
    "cm": ("mm", 10), "厘米": ("mm", 10), "mm": ("mm", 1), "毫米": ("mm", 1), "kg": ("g", 1000),
    "公斤": ("g", 1000), "千克": ("g", 1000), "斤": ("g", 500), "寸": ("inch", 1), "inch": ("inch", 1),
    "inches": ("inch", 1), '"': ("inch", 1),
}
_MONTHS = {
    name: number + 1
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
         "aug august", "sep sept september", "oct october", "nov november", "dec december")
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAYS = ("monday mon 周一 星期一 礼拜一", "tuesday tue tues 周二 星期二 礼拜二", "wednesday wed 周三 星期三 礼拜三",
         "thursday thu thurs 周四 星期四 礼拜四", "friday fri 周五 星期五 礼拜五", "saturday sat 周六 星期六 礼拜六",
         "sunday sun 周日 周天 星期天 星期日 礼拜天")
_NAMED_DAYS = {word: words.split()[0] for words in _DAYS for word in words.split()} | {
    "today": "today", "今天": "today", "今日": "today", "tomorrow": "tomorrow", "明天": "tomorrow",
    "yesterday": "yesterday", "昨天": "yesterday", "后天": "overmorrow", "weekend": "weekend", "周末": "weekend",
    "去年": "last year", "last year": "last year", "今年": "this year", "this year": "this year",
    "明年": "next year", "next year": "next year", "christmas": "12-25", "圣诞": "12-25", "元旦": "01-01",
    "国庆": "10-01", "十一国庆": "10-01", "春节": "spring festival", "过年": "spring festival",
    "中秋": "mid-autumn", "端午": "dragon boat", "五一": "05-01", "光棍节": "11-11",
}
_NAMED = "|".join(sorted(map(re.escape, _NAMED_DAYS), key=len, reverse=True))
_ELEVEN_TWELVE = {"11": "11-11", "十一": "11-11", "eleven": "11-11", "12": "12-12", "十二": "12-12", "twelve": "12-12"}
_DATE = re.compile(
    r"(?:double|双|singles?)\s?-?(?P<double>11|12|十一|十二|eleven|twelve)(?!月)(?!\d)"
    rf"|(?P<m1>{_MONTH})\.?\s+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m2>{_MONTH})\b"
    r"|(?P<m3>\d{1,2})\s?月\s?(?P<d3>\d{1,2})\s?[号日]?|(?<![\d.])(?P<m4>1[0-2]|[1-9])\.(?P<d4>[12]\d|3[01]|10|11|12)(?![\d.])"
    r"|(?P<year>20[2-3]\d)(?:年)?(?!\d)|(?P<m5>\d{1,2})\s?月(?:份)?"
    rf"|(?<![a-z])(?P<m6>{_MONTH})(?![a-z])(?<!may)|(?P<d6>\d{{1,2}})\s?号(?!鞋|码|的)|(?P<named>(?<![a-z])(?:{_NAMED})s?(?![a-z]))",
    re.IGNORECASE,
)
_SPANS = (
    (re.compile(r"半\s?个?(?:小时|钟头)|half an hour"), "30 min"),
    (re.compile(r"半年|half a year"), "6 month"),
    (re.compile(r"(?:一|1)\s?(?:个)?(?:周|星期|礼拜)|\b(?:a|one|1) week\b"), "7 day"),
    (re.compile(r"(?:两|二|2)\s?(?:个)?(?:周|星期|礼拜)|\b(?:two|2) weeks\b"), "14 day"),
)
_SCALED = re.compile(rf"(\d+(?:\.\d+)?)\s?(k|万)(?![a-z])|({_HAN_NUMBER})(?=毫安|期|次|张|天|小时|分钟)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Values:
    """What a text states, by kind; each a set of canonical strings."""

    identifiers: frozenset[str]
    money: frozenset[str]
    sizes: frozenset[str]
    dates: frozenset[str]
    numbers: frozenset[str]


def values_in(text: str) -> Values:
    """Read the values of a text."""
    rest = _Remaining(unicodedata.normalize("NFKC", text))
    identifiers = frozenset(rest.take(_EMAIL, lambda match: match.group().casefold()))
    rest.text = _SPACED_DIGITS.sub("", rest.text)
    identifiers |= frozenset(rest.take(_IDENTIFIER, _identifier))
    dates = frozenset(rest.take(_DATE, _date))
    money = frozenset(rest.take(_MONEY, _money))
    sizes = frozenset(rest.take(_SIZE, _size))
    numbers = frozenset(_numbers(rest))
    return Values(identifiers=identifiers, money=money, sizes=sizes, dates=dates, numbers=numbers)


class _Remaining:
    """A text from which spans are taken one kind after the other."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], str | None]) -> Iterator[str]:
        """Yield what `read` makes of each match, and blank out the matches it accepts."""
        found: list[str] = []

        def note(match: re.Match[str]) -> str:
            value = read(match)
            if value is None:
                return match.group()
            found.append(value)
            return " " * len(match.group())

        self.text = pattern.sub(note, self.text)
        return iter(found)


def _identifier(match: re.Match[str]) -> str | None:
    written = match.group()
    if _QUANTITY_AFTER.match(match.string, match.end()) or match.string[max(0, match.start() - 1)] in "¥$€£":
        return None
    return re.sub(r"[\s#-]", "", written).casefold()


def _plain(number: str) -> str:
    """A number as canonical digits, from digits with separators or a Chinese numeral."""
    text = number.replace(",", "").casefold()
    if text.endswith("k"):
        return _plain(str(float(text[:-1]) * 1000))
    if not text[0].isdigit():
        value = chinese_number(text)
        return text if value is None else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text.lstrip("0") or "0"


def _money(match: re.Match[str]) -> str | None:
    written = next(group for group in match.groups() if group)
    return None if written == "一" else _plain(written)


def _size(match: re.Match[str]) -> str | None:
    if match["letter"]:
        letter = match["letter"].upper()
        return {"XXL": "2XL", "XXXL": "3XL"}.get(letter, letter)
    if match["word"]:
        return _LETTER_SIZES[match["word"].casefold()]
    if match["measure"]:
        unit, factor = _UNITS[match["unit"].casefold()]
        return f"{float(match['measure']) * factor:g} {unit}"
    return _plain(match["number"] or match["ma"])


def _date(match: re.Match[str]) -> str | None:
    groups = {name: value for name, value in match.groupdict().items() if value}
    if "double" in groups:
        return _ELEVEN_TWELVE[groups["double"].casefold()]
    if "named" in groups:
        word = groups["named"].casefold()
        return _NAMED_DAYS.get(word) or _NAMED_DAYS.get(word.removesuffix("s"))
    if "year" in groups:
        return f"year {groups['year']}"
    months = [value for name, value in groups.items() if name[0] == "m"]
    days = [value for name, value in groups.items() if name[0] == "d"]
    month = _MONTHS.get(months[0].casefold()) or int(months[0]) if months else None
    if month is None:
        return f"day {int(days[0])}"
    return f"{month:02}-{int(days[0]):02}" if days else f"month {month}"


def _numbers(rest: _Remaining) -> Iterator[str]:
    for pattern, value in _SPANS:
        yield from (value.split()[0] for _ in rest.take(pattern, lambda match: match.group()))
    yield from rest.take(_SCALED, _scaled)
    yield from (_plain(f"{figure.value:f}") for figure in figures_in(rest.text))


def _scaled(match: re.Match[str]) -> str | None:
    if match[3]:
        return None if match[3] == "一" else _plain(match[3])
    factor = 1_000 if match[2].casefold() == "k" else 10_000
    return _plain(f"{float(match[1]) * factor:f}")
