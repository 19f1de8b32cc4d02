"""What the summary page looks at and what it finds: spans, their rows, figures as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from cache.models import Lookup
from chatbot.models import Question
from routing.models import Call
from routing.specs import ModelSpec

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole local days up to the present: [start, end), `days` of them, in `zone`."""

    start: datetime
    end: datetime
    days: int
    zone: ZoneInfo

    @classmethod
    def last(cls, days: int, *, zone: ZoneInfo, now: datetime) -> Span:
        """Today and the `days` - 1 days before it; ends with today's midnight."""
        today = now.astimezone(zone).date()
        first = today - (days - 1) * _DAY
        return cls(_midnight(first, zone), _midnight(today + _DAY, zone), days, zone)

    def before(self, *, now: datetime) -> Span:
        """As many days directly before, up to the same time of day, so that both compare."""
        start = _midnight(self.start.astimezone(self.zone).date() - self.days * _DAY, self.zone)
        return Span(start, now - self.days * _DAY, self.days, self.zone)

    def moments(self) -> list[datetime]:
        """Every hour of one day, or every local midnight of several."""
        if self.days > 1:
            first = self.start.astimezone(self.zone).date()
            return [_midnight(first + number * _DAY, self.zone) for number in range(self.days)]
        start, end = self.start.astimezone(UTC), self.end.astimezone(UTC)
        hours = round((end - start) / _HOUR)
        return [(start + number * _HOUR).astimezone(self.zone) for number in range(hours)]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a report looks at: one span, and either live or simulated ones."""

    span: Span
    simulated: bool

    def before(self, *, now: datetime) -> Rows:
        """The same kind of rows in the span before."""
        return Rows(self.span.before(now=now), simulated=self.simulated)

    @property
    def questions(self) -> QuerySet[Question]:
        """Accepted in the span."""
        return Question.objects.filter(
            simulated=self.simulated,
            accepted_at__gte=self.span.start,
            accepted_at__lt=self.span.end,
        ).order_by()

    @property
    def calls(self) -> QuerySet[Call]:
        """Started in the span."""
        return Call.objects.filter(
            simulated=self.simulated, started_at__gte=self.span.start, started_at__lt=self.span.end
        ).order_by()

    @property
    def lookups(self) -> QuerySet[Lookup]:
        """Written in the span."""
        return Lookup.objects.filter(
            simulated=self.simulated, at__gte=self.span.start, at__lt=self.span.end
        ).order_by()


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures at the top."""

    questions: int
    hits: int
    failed: int
    open: int
    calls: int
    failed_calls: int
    unpriced_calls: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_nanousd: int
    saved_nanousd: int

    @property
    def hit_permille(self) -> int:
        """Share of all questions that a stored or joined answer served, in tenths of a percent."""
        return round(1000 * self.hits / self.questions) if self.questions else 0


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole: all `permille` add up to exactly 1000, or 0 when there is nothing."""

    key: str
    count: int
    permille: int


@dataclass(frozen=True, slots=True)
class Spend:
    """Calls, tokens and cost of one model at one endpoint, or of one tier (without names)."""

    endpoint_key: str
    model: str
    tier: str
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or a wording: its text, its newest question, how often, what its calls cost."""

    question_id: int
    text: str
    count: int
    cost_nanousd: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed calls of one kind at one model, or questions with one error (without names)."""

    code: str
    count: int
    endpoint_key: str = ""
    model: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds to the whole answer: half of `count` answers took no longer than `p50_ms`."""

    key: str
    count: int
    p50_ms: int | None
    p95_ms: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """Questions of one hour or day: how many were hits, how many were not."""

    start: datetime
    hits: int
    others: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A configured model that is not called today: why, and in which tiers it is missing."""

    model: ModelSpec
    reason: str
    tiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retiring:
    """A model that its vendor ends within days: `days` 0 means that today is its last day."""

    model: ModelSpec
    days: int
    tiers: tuple[str, ...]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
