"""Days in a text: calendar dates, weekdays, holidays, sale days, relative days. Pure.

双十一, 11.11, "Nov 11" and 光棍节 are one day; 周末 is Saturday and Sunday; 周一到周五 is five
days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from base.figures import chinese_number
from cache.spans import Spans

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
         "aug august", "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# "sun", "sat" and "mon" are words of their own except after these.
_SHORT_DAY = (
    r"(?<=\b(?:on|by|to|or) )|(?<=\b(?:this|next|till|from|last) )|(?<=\b(?:until|every) )|(?<=-)"
)
# canonical name: the words for it
_NAMES = """
    today: today, tonight, 今天, 今日, 今晚
    tomorrow: tomorrow, 明天, 明早, 明晚
    yesterday: yesterday, 昨天
    overmorrow: 后天
    two days ago: 前天
    last-year: last year, 去年
    this-year: this year, 今年
    next-year: next year, 明年
    this week: this week, 本周, 这周
    next week: next week, 下周, 下星期
    last week: last week, 上周
    this month: this month, 这个月, 本月
    next month: next month, 下个月, 下月
    last month: last month, 上个月
    start of month: 月初
    end of month: 月底
    middle of month: 月中
    end of year: 年底
    start of year: 年初
    12-24: christmas eve, 平安夜
    12-26: boxing day
    12-31: new year's eve, 跨年夜, 跨年
    12-25: christmas, xmas, 圣诞, 圣诞节
    01-01: 元旦, new year's day
    10-01: national day, golden week, 国庆, 国庆节, 十一国庆, 十一假期, 十一长假, 十一黄金周
    10-01: 十一期间, 十一放假
    spring festival: spring festival, chinese new year, lunar new year, 春节, 过年, 大年
    lunar new year's eve: 除夕, 年三十, 大年三十
    mid-autumn: mid-autumn, mid autumn, 中秋, 中秋节
    dragon boat: 端午, 端午节, dragon boat
    05-01: labour day, labor day, 五一, 劳动节
    qingming: 清明
    lantern festival: 元宵
    03-08: 妇女节, 三八节, 女神节, women's day
    02-14: valentine's, valentines, 情人节
    qixi: 七夕
    chongyang: 重阳, 重阳节
    laba: 腊八, 腊八节
    little new year: 小年
    09-10: 教师节, teachers' day
    04-01: 愚人节, april fools
    03-12: 植树节
    05-04: 青年节
    06-01: 儿童节, 六一, children's day
    mother's day: 母亲节, mother's day
    father's day: 父亲节, father's day
    holidays: 节假日, holidays, public holiday
    10-31: halloween, 万圣节
    black friday: black friday, 黑五
    cyber monday: cyber monday
    thanksgiving: thanksgiving, 感恩节
    easter: easter, 复活节
    11-11: 光棍节
    06-18: 618
"""


def _by_word(lines: str) -> dict[str, str]:
    groups = (line.strip().split(": ") for line in lines.strip().splitlines())
    return {word: name for name, words in groups for word in words.split(", ")}


_NAMED = _by_word(_NAMES)
_SALE_DAYS = _by_word("11-11: 11, 十一, eleven\n12-12: 12, 十二, twelve")

_NAME = "|".join(sorted(map(re.escape, _NAMED), key=len, reverse=True))
_MONTH = "|".join(sorted(set(_MONTHS) - {"may"}, key=len, reverse=True)) + "|(?-i:May)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)"
_HAN_DAY = r"(?:[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_HAN_WEEKDAY = r"(?:周|星期|礼拜)(?P<{}>[一二三四五六日天])"
_WEEKDAY = "|".join(_WEEK)
_SPAN = re.compile(
    rf"{_HAN_WEEKDAY.format('first')}\s?[到至~-]\s?{_HAN_WEEKDAY.format('last')}"
    rf"|(?<![a-z])(?P<from>mon|tues?|wed|thu|fri|sat|{_WEEKDAY})\s?(?:to|-|–|through|till|until)\s?"
    rf"(?P<until>{_WEEKDAY}|tues?|wed|thu|fri|sat|sun)(?![a-z])"
    r"|(?P<working>\bweekdays?\b|(?<![\d个一二两三四五六七八九十]\s)(?<![\d个一二两三四五六七八九十])工作日)"
    r"|(?P<weekend>\bweekends?\b|周末|双休日)",
    re.IGNORECASE,
)
_PARTS = {
    "morning": "morning", "早上": "morning", "上午": "morning", "早晨": "morning", "noon": "noon",
    "中午": "noon", "afternoon": "afternoon", "下午": "afternoon", "evening": "night",
    "night": "night", "晚上": "night", "夜里": "night", "半夜": "night", "凌晨": "small hours",
}  # fmt: skip
# A part of the day before a clock time belongs to it (晚上8点 = 20:00); in a greeting it says
# nothing.
_PART = (
    rf"(?<!good )(?<![a-z])(?P<part>{'|'.join(_PARTS)})s?(?![a-z好])"
    r"(?!\s?(?:\d|[一二两三四五六七八九十]+点))"
)
_DATE = re.compile(
    r"(?:double|双|singles?['’]?)\s?-?(?P<double>11|12|十一|十二|eleven|twelve)(?!月)(?!\d)"
    r"|(?P<year>20[2-3]\d)(?:-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})(?!\d)|年|(?![\d.]))"
    rf"|(?<![a-z])(?P<m2>{_MONTH})\.?\s*(?P<d2>{_DAY})(?:st|nd|rd|th)?"
    rf"|(?<!\d)(?P<d3>{_DAY})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m3>{_MONTH})\b"
    rf"|(?<!\d)(?P<m4>1[0-2]|0?[1-9])\s?月\s?(?P<d4>{_DAY})\s?[号日]?"
    rf"|(?P<m5>十[一二]?|[一二三四五六七八九])月(?P<d5>{_HAN_DAY}(?=[号日])|[一二三]?十[一二三四五六七八九]?)[号日]?"
    rf"|(?<![\d.])(?P<m6>1[0-2]|[1-9])\.(?P<d6>[12]\d|3[01]|10|11|12)(?![\d.])"
    rf"|(?<![\d/])(?P<m7>1[0-2])/(?P<d7>{_DAY})(?![\d/])"
    r"|(?<!\d)(?P<m8>1[0-2]|0?[1-9])\s?月(?:份)?|(?<![个])(?P<m9>十[一二]?|[一二三四五六七八九])月份?"
    rf"|(?<![a-z])(?P<m10>{_MONTH})(?![a-z])"
    rf"|(?<![路街弄巷道\d])(?P<d11>{_DAY})\s?[号日](?![鞋码的楼院房室店线本])"
    rf"|(?P<which>[上下本这]个?)?{_HAN_WEEKDAY.format('weekday')}|(?<![a-z])(?P<latin_weekday>{_WEEKDAY})s?(?![a-z])"
    rf"|(?:{_SHORT_DAY})(?P<short>mon|tues?|wed|thurs?|fri|sat|sun)(?![a-z])"
    rf"|{_PART}"
    rf"|(?<![a-z\d])(?P<named>{_NAME})(?!['’]?[a-rt-z\d])",
    re.IGNORECASE,
)

# Both ends of a range are days; the second may leave the month to the first.
_TO = r"\s?(?:to|through|until|till|[-–~～到至])\s?"
_RANGE = re.compile(
    rf"(?<!\d)(?P<month>1[0-2]|0?[1-9])\s?月\s?(?P<day>{_DAY})\s?[号日]?{_TO}(?P<last_day>{_DAY})[号日]"
    rf"|(?<![\d.])(?P<m1>1[0-2]|[1-9])\.(?P<d1>{_DAY}){_TO}(?P<m2>1[0-2]|[1-9])\.(?P<d2>[12]\d|3[01])"
    r"(?![\d.]|\s?(?:[a-z]|[元块斤克米寸升公厘毫千]))"
    rf"|(?<![a-z])(?P<name>{_MONTH})\.?\s(?P<named_day>{_DAY})(?:st|nd|rd|th)?{_TO}"
    rf"(?P<last_named>{_DAY})(?:st|nd|rd|th)?(?!\s?(?:\w|[.:]\d))",
    re.IGNORECASE,
)

_SHORT = ("mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun")
_LATIN_SIGNS = frozenset(_SHORT).union(
    (name.split()[0].split("-")[0].split("'")[0] for name in _NAMED),
    _MONTHS,
    _PARTS,
    (f"{part}s" for part in _PARTS),
    _WEEK,
    (f"{day}s" for day in _WEEK),
    ("double", "single", "singles", "weekday", "weekdays", "weekend", "weekends"),
)


def dates_in(spans: Spans) -> frozenset[str]:
    """Take the days of a text: MM-DD, `month N`, `day N`, `year N`, or a name."""
    if not spans.may_hold(_LATIN_SIGNS):
        return frozenset()
    ranges = spans.take(_RANGE, _range)
    return frozenset(ranges | spans.take(_SPAN, _span) | spans.take(_DATE, _date))


def comparable(
    left: frozenset[str], right: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Both sides without years where one says "this year" and the other 2026: unknown here."""
    relative, absolute = _years(left | right, "-year"), _years(left | right, "year ")
    if relative and absolute:
        return left - relative - absolute, right - relative - absolute
    return left, right


def _years(days: frozenset[str], mark: str) -> frozenset[str]:
    return frozenset(day for day in days if mark in day)


def _range(match: re.Match[str]) -> Iterable[str]:
    """Both ends of a range of days."""
    if match["m1"]:
        ends = ((match["m1"], match["d1"]), (match["m2"], match["d2"]))
    elif match["month"]:
        ends = ((match["month"], match["day"]), (match["month"], match["last_day"]))
    else:
        ends = ((match["name"], match["named_day"]), (match["name"], match["last_named"]))
    return tuple(f"{_month(month):02}-{int(day):02}" for month, day in ends)


def _span(match: re.Match[str]) -> Iterable[str]:
    if match["weekend"]:
        return _WEEK[5:]
    if match["working"]:
        return _WEEK[:5]
    ends = (match["first"] or match["from"], match["last"] or match["until"])
    first, last = (_weekday(end) for end in ends)
    return _WEEK[first : last + 1] if first <= last else (*_WEEK[first:], *_WEEK[: last + 1])


def _weekday(name: str) -> int:
    """0 for Monday, from 一 or the beginning of an English name."""
    if name in "一二三四五六日天":
        return min("一二三四五六日天".index(name), 6)
    return next(index for index, day in enumerate(_WEEK) if day.startswith(name.casefold()))


def _date(match: re.Match[str]) -> Iterable[str]:
    groups = {name: value for name, value in match.groupdict().items() if value}
    if "double" in groups:
        return (_SALE_DAYS[groups["double"].casefold()],)
    if "part" in groups:
        return (_PARTS[groups["part"].casefold()],)
    if "named" in groups:
        return (_NAMED[groups["named"].casefold().replace("’", "'")],)
    for name in ("weekday", "latin_weekday", "short"):
        if name in groups:
            week = (_NAMED[f"{groups['which'][0]}周"],) if "which" in groups else ()
            return (*week, _WEEK[_weekday(groups[name])])
    year = (f"year {groups['year']}",) if "year" in groups else ()
    return (*year, *_month_and_day(groups))


def _month_and_day(groups: dict[str, str]) -> Iterable[str]:
    month = next((_month(value) for name, value in groups.items() if name[0] == "m"), None)
    day = next((_ordinal(value) for name, value in groups.items() if name[0] == "d"), None)
    if month is None:
        return () if day is None else (f"day {day}",)
    return (f"month {month}",) if day is None else (f"{month:02}-{day:02}",)


def _month(written: str) -> int:
    return _MONTHS.get(written.casefold()) or _ordinal(written)


def _ordinal(written: str) -> int:
    return int(written) if written.isdecimal() else chinese_number(written) or 0
