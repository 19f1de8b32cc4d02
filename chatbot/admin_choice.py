"""What the first page was asked to show: which days, in which zone, live or simulated rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from chatbot.models import Question
from chatbot.report_zone import known_zones
from chatbot.reports.counting import Rows
from chatbot.reports.spans import Span

RANGE_WORDS: Mapping[str, Promise] = {
    "1": _("Today"),
    "yesterday": _("Yesterday"),
    "7": _("7 days"),
    "30": _("30 days"),
}
CUSTOM = "custom"
COMMON_ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "Australia/Sydney",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A span, which rows, and how the address says so."""

    span: Span
    chosen: str
    simulated: bool
    site_zone: ZoneInfo

    def url(self, **changes: str) -> str:
        """The first page's address with this choice and some changes."""
        return f"{reverse('admin:index')}?{self.query(**changes)}"

    def query(self, **changes: str) -> str:
        """The choice as a query; a changed range drops the days chosen by hand."""
        found = {"range": self.chosen, "rows": "simulated" if self.simulated else "live"}
        if self.chosen == CUSTOM and "range" not in changes:
            found = {
                **found,
                "from": self.span.first_day.isoformat(),
                "to": self.span.last_day.isoformat(),
            }
        if self.span.zone != self.site_zone:
            found["zone"] = self.span.zone.key
        return urlencode({**found, **changes})

    @property
    def zones(self) -> list[str]:
        """Zones to choose from: the shop's first, the chosen one among them."""
        names = (self.site_zone.key, *COMMON_ZONES, self.span.zone.key)
        return list(dict.fromkeys(names))


def choice_of(asked: QueryDict, *, site_zone: ZoneInfo, now: datetime) -> Choice:
    """What an address asks for; nonsense counts as not asked."""
    name = asked.get("zone", "")
    zone = ZoneInfo(name) if name in known_zones() else site_zone
    chosen, span = _span(asked, zone=zone, now=now)
    rows = asked.get("rows", "")
    simulated = rows == "simulated" if rows else default_simulated(span)
    return Choice(span, chosen, simulated, site_zone)


def _span(asked: QueryDict, *, zone: ZoneInfo, now: datetime) -> tuple[str, Span]:
    today = now.astimezone(zone).date()
    chosen = asked.get("range", "")
    first, last = _day(asked.get("from", "")), _day(asked.get("to", ""))
    if (first or last) and chosen in ("", CUSTOM):
        return CUSTOM, Span.between(first or last or today, last or today, zone=zone)
    spans: dict[str, Callable[[], Span]] = {
        "yesterday": lambda: Span.between(
            today - timedelta(days=1), today - timedelta(days=1), zone=zone
        ),
        **{days: partial(Span.last, int(days), zone=zone, now=now) for days in ("1", "7", "30")},
    }
    chosen = chosen if chosen in spans else "1"
    return chosen, spans[chosen]()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def default_simulated(span: Span) -> bool:
    """Which rows to show first: live ones, unless the span (else all time) has only simulated."""
    for simulated in (False, True):
        if Rows(span.start, span.end, simulated=simulated).questions.exists():
            return simulated
    return not Question.objects.filter(simulated=False).exists() and Question.objects.exists()
