"""The time that a report looks at: whole local days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 92
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole local days, [start, end), `days` of them, in `zone`."""

    start: datetime
    end: datetime
    days: int
    zone: ZoneInfo

    @classmethod
    def last(cls, days: int, *, zone: ZoneInfo, now: datetime) -> Span:
        """Today and the `days` - 1 days before it; ends with today's midnight."""
        today = now.astimezone(zone).date()
        return cls.between(today - (days - 1) * _DAY, today, zone=zone)

    @classmethod
    def between(cls, first: date, last: date, *, zone: ZoneInfo) -> Span:
        """From the first day to the last one, both included; at most LONGEST_DAYS up to the last."""
        first, last = min(first, last), max(first, last)
        first = max(first, last - (LONGEST_DAYS - 1) * _DAY)
        end = _midnight(last + _DAY, zone)
        return cls(_midnight(first, zone), end, (last - first).days + 1, zone)

    def before(self, *, now: datetime) -> Span:
        """As many days directly before. A span that runs ends as long after its start, in whole quarters."""
        first = self.first_day - self.days * _DAY
        start = _midnight(first, self.zone)
        if now >= self.end:
            return Span(start, self.start, self.days, self.zone)
        passed = (now - self.days * _DAY - start) // _QUARTER
        return Span(start, start + passed * _QUARTER, self.days, self.zone)

    @property
    def first_day(self) -> date:
        """The first local day."""
        return self.start.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        """The last local day."""
        return self.first_day + (self.days - 1) * _DAY

    def moments(self) -> list[datetime]:
        """Every hour of one day, or every local midnight of several."""
        if self.days > 1:
            return [
                _midnight(self.first_day + number * _DAY, self.zone) for number in range(self.days)
            ]
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        hours = round((end - start) / _HOUR)
        return [(start + number * _HOUR).astimezone(self.zone) for number in range(hours)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """In UTC, so that sums with it are sums of time that passes."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
