"""Until when a text holds by its own words: "until Nov 10 24:00", "11月10日24点前". Pure.

Only a date that bounds something counts: one after "until", "by", "before", "ends on", "valid to" or "截至", "至",
one before "前", "止" or "截止", or the end of a range of dates. Opening hours, a day on which something happens,
and a beginning are no bounds. A bound without a time is the end of its day, except after "before" and before "前":
then it is the day's beginning. A date without a year takes the year that the text gives the same day elsewhere,
else it is the next such day, seen from when the text was made. 24:00 is the next day's midnight.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
         "aug august", "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})(?![a-z])\.?"
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?:of )?(?P<year>20\d\d)(?!\d))?"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? (?:the )?)?"
# A bare number after a date is no time.
_CLOCK = (
    r"(?P<hour>2[0-4]|[01]?\d)(?=:| ?[ap]\.?m)(?::(?P<minute>[0-5]\d))? ?(?P<half>[ap]\.?m\b\.?)?"
)
_TIME = rf"(?:(?P<word>midnight|noon)|{_CLOCK})"
_ISO = r"(?P<year>20\d\d)[-/.](?P<month>1[0-2]|0?[1-9])[-/.](?P<day>3[01]|[12]\d|0?[1-9])(?!\d)"
_AFTER = rf"(?:,? (?:at |by )?(?:{_TIME})(?![\d%]))?"
_BEFORE = rf"(?:{_TIME}) (?:on )?(?:the )?"
_ENGLISH_DATE = (
    rf"{_WEEKDAY}(?:the )?{_DAY} (?:of )?{_MONTH}{_YEAR}",
    rf"{_WEEKDAY}{_MONTH} {_DAY}{_YEAR}",
    _ISO,
)
_ENDS = (
    r"(?P<key>until|till|til|through|thru|by|before|up to|no later than|not later than|no later"
    r"|end(?:s|ed|ing)?|expir(?:es?|ed|ing)|clos(?:es?|ed|ing)|valid to|deadline(?: is|:)?"
    r"|last day(?: is|:)?|latest)(?: on| at)?(?: the)?"
)
# "from 1 to 11 November", "1-11 November", "Oct 20 to Oct 31", "10 November - 12 November"
_SINCE = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? 20\d\d)?"
    r"|20\d\d-\d\d-\d\d)(?:,? (?:at )?\d\d?:\d\d)?"
)
_HAN_DATE = (
    r"(?:(?P<year>20\d\d) ?年 ?)?(?P<month>1[0-2]|0?[1-9]) ?月 ?"
    r"(?P<day>3[01]|[12]\d|0?[1-9])(?!\d) ?[日号]?",
    _ISO,
)
_HAN_TIME = (
    r"(?: ?(?P<part>凌晨|早上|上午|中午|下午|晚上|晚) ?)?"
    r"(?: ?(?P<hour>2[0-4]|[01]?\d)(?:[点时](?P<half>半)?(?:(?P<minute>[0-5]?\d)分?)?"
    r"|:(?P<colon>[0-5]\d))整?)?"
)
_HAN_KEY = (
    r"(?P<key>截至|截止到|截止至|截止日期?[为是:]?|截止时间[为是:]?|有效期[至到]|直到|直至|最晚|最迟|止于|至|到"
    r"|(?:日|号|\d|[点时]) ?[-~—–]+)"
)
_HAN_TAIL = r"(?: ?\([^)]{0,8}\))? ?(?P<tail>之前|以前|前|为止|止|截止|结束|到期|过期|失效|过后)"


@dataclass(frozen=True, slots=True)
class _Stated:
    """A bound as it is written: day and, if stated, clock time in minutes of that day (24:00 = 1440)."""

    year: int | None
    month: int
    day: int
    minute: int | None
    excludes_its_day: bool


def ends(text: str, *, made_at: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments (UTC, rising) until which the text says that something holds; `made_at` is aware."""
    plain = _plain(text)
    years = {(month, day): year for year, month, day in _whole_dates(plain)}
    today = made_at.astimezone(zone).date()
    found = {
        moment.astimezone(UTC)
        for bound in _bounds(plain)
        if (moment := _moment(bound, years=years, today=today, zone=zone)) is not None
    }
    return tuple(sorted(found))


def _plain(text: str) -> str:
    """One line without Markdown's marks, wide forms or capitals; a long dash is a short one."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = re.sub(r"[*_`]", "", folded)
    folded = re.sub(r"[–—−~]", "-", folded)
    return re.sub(r"\s+", " ", folded)


def _patterns() -> Iterator[re.Pattern[str]]:
    for written in _ENGLISH_DATE:
        yield re.compile(rf"(?<![a-z]){_ENDS} {_BEFORE}{written}")
        yield re.compile(rf"(?<![a-z]){_ENDS} {written}{_AFTER}")
        yield re.compile(rf"(?<![a-z\d]){_SINCE} ?(?:to|-|and) ?(?P<key>){written}{_AFTER}")
    for written in _HAN_DATE:
        yield re.compile(rf"{_HAN_KEY} ?{written}{_HAN_TIME}(?:{_HAN_TAIL})?")
        yield re.compile(rf"(?P<key>){written}{_HAN_TIME}{_HAN_TAIL}")


_PATTERNS = tuple(_patterns())
_WHOLE = tuple(
    re.compile(rf"(?<![a-z\d]){written}") for written in (*_ENGLISH_DATE, *_HAN_DATE[:1])
)


def _whole_dates(plain: str) -> Iterator[tuple[int, int, int]]:
    for pattern in _WHOLE:
        for match in pattern.finditer(plain):
            if match["year"]:
                yield int(match["year"]), _month(match["month"]), int(match["day"])


def _bounds(plain: str) -> Iterator[_Stated]:
    for pattern in _PATTERNS:
        for match in pattern.finditer(plain):
            fields = match.groupdict()
            before = fields["key"] == "before" or fields.get("tail") in ("前", "之前", "以前")
            yield _Stated(
                year=int(fields["year"]) if fields["year"] else None,
                month=_month(fields["month"]),
                day=int(fields["day"]),
                minute=_minute(fields),
                excludes_its_day=before,
            )


def _month(written: str) -> int:
    return _MONTHS.get(written) or int(written)


def _minute(fields: dict[str, str | None]) -> int | None:
    """The clock time in minutes of the day, None if there is none."""
    if fields.get("word"):
        return 24 * 60 if fields["word"] == "midnight" else 12 * 60
    if not fields.get("hour"):
        return None
    hour, half = int(fields["hour"] or 0), fields.get("half") or ""
    minute = int(fields.get("minute") or fields.get("colon") or 0) + (30 if half == "半" else 0)
    if _is_afternoon(half, fields.get("part") or "") and hour < 12:
        hour += 12
    elif half.startswith("a") and hour == 12:
        hour = 0
    return hour * 60 + minute if hour * 60 + minute <= 24 * 60 else None


def _is_afternoon(half: str, part: str) -> bool:
    return half.startswith("p") or part in ("下午", "晚上", "晚")


def _moment(
    bound: _Stated, *, years: dict[tuple[int, int], int], today: date, zone: ZoneInfo
) -> datetime | None:
    """The moment of a bound in the shop's zone; None for a day that the calendar does not have."""
    day = _day(bound, year=bound.year or years.get((bound.month, bound.day)), today=today)
    if day is None:
        return None
    minute = bound.minute
    if minute is None:
        minute = 0 if bound.excludes_its_day else 24 * 60
    day += timedelta(days=minute // (24 * 60))
    hour, minute = divmod(minute % (24 * 60), 60)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def _day(bound: _Stated, *, year: int | None, today: date) -> date | None:
    for candidate in (year,) if year else range(today.year, today.year + 5):
        try:
            day = date(candidate, bound.month, bound.day)
        except ValueError:  # 29 February
            continue
        if year or day >= today:
            return day
    return None
