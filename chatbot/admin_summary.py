"""The summary page as values for its template: tiles, a plot, tables, and links to the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from base.admin import row_url
from base.money import usd
from chatbot import admin_tables as tables
from chatbot import reports
from chatbot.admin_tables import Links
from chatbot.report_values import Latency, Moment, Rows, Span, Totals

RANGE_WORDS = {1: "Today", 7: "7 days", 30: "30 days"}
COMPARED_WORDS = {1: "vs. yesterday by now", 7: "vs. 7 days before", 30: "vs. 30 days before"}
BAR_WIDTH = 12
PLOT_HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the top row with its rows behind it; `change` compares with the span before."""

    name: str
    value: str
    detail: str
    url: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the plot in SVG units: hits at the bottom, the others on top."""

    x: int
    hits_y: float
    hits_height: float
    others_y: float
    others_height: float
    label: str
    url: str


def summary(rows: Rows, *, now: datetime) -> dict[str, Any]:
    """Everything on the page: switches, notices, tiles, the plot, the tables."""
    links, figures, latencies = Links(rows), reports.totals(rows), reports.latencies(rows)
    today = now.astimezone(UTC).date()
    return {
        **_switches(rows),
        "retiring": [
            (row, row_url("routing_model", row.model.id)) for row in reports.retiring(today=today)
        ],
        "left_out": tables.left_out(reports.left_out(today=today)),
        "tiles": _tiles(
            figures, reports.totals(rows.before(now=now)), latency=latencies[0], links=links
        ),
        "bars": _bars(reports.timeline(rows), links=links, span=rows.span),
        "plot_width": len(rows.span.moments()) * BAR_WIDTH,
        "plot_height": PLOT_HEIGHT,
        "compared": COMPARED_WORDS[rows.span.days],
        "ticks": _ticks(rows.span),
        "empty": not (figures.questions or figures.calls),
        "by_model": tables.by_model(reports.spend_by_model(rows), links),
        "tables": [
            tables.outcomes(reports.outcome_shares(rows), links),
            tables.by_tier(reports.spend_by_tier(rows), links),
            tables.asked("Unanswered", reports.unanswered(rows), links, unanswered="yes"),
            tables.dearest(reports.dearest(rows), links),
            tables.asked("Most asked", reports.most_asked(rows), links),
            tables.latencies(latencies, links),
            tables.failed_questions(reports.failed_questions(rows), links),
            tables.failed_calls(reports.failed_calls(rows), links),
        ],
    }


def _switches(rows: Rows) -> dict[str, Any]:
    span = rows.span
    first, last = span.start, span.moments()[-1]
    same_day = f"{first:%A}, {first.day} {first:%B %Y}"
    several = f"{first.day} {first:%B} – {last.day} {last:%B %Y}"
    return {
        "period": same_day if span.days == 1 else several,
        "zone": span.zone.key,
        "simulated": rows.simulated,
        "ranges": [
            (words, _page_url(days, rows.simulated), days == span.days)
            for days, words in RANGE_WORDS.items()
        ],
        "modes": [
            (words, _page_url(span.days, simulated), simulated == rows.simulated)
            for words, simulated in (("Live", False), ("Simulated", True))
        ],
    }


def _page_url(days: int, simulated: bool) -> str:  # noqa: FBT001  a private helper of two values
    mode = "simulated" if simulated else "live"
    return f"{reverse('admin:index')}?{urlencode({'range': days, 'rows': mode})}"


def _tiles(now: Totals, before: Totals, *, latency: Latency, links: Links) -> list[Tile]:
    tokens = f"{tables.short(now.input_tokens)} tokens in, {tables.short(now.output_tokens)} out"
    unpriced = f", {now.unpriced_calls} without a price" if now.unpriced_calls else ""
    return [
        Tile(
            "Questions",
            f"{now.questions:,}",
            f"{now.open} open now" if now.open else "none open",
            links.questions(),
            _change(now.questions, before.questions),
        ),
        Tile(
            "Served from the cache",
            tables.percent(now.hit_permille),
            f"{now.hits:,} of {now.questions:,}",
            links.questions(cache="hit"),
            _points(now, before),
        ),
        Tile(
            "Cost",
            usd(now.cost_nanousd),
            f"{now.calls:,} calls{unpriced}; {tokens}",
            links.calls(),
            _change(now.cost_nanousd, before.cost_nanousd),
        ),
        Tile(
            "Saved by the cache",
            usd(now.saved_nanousd),
            "what the avoided calls had cost",
            links.lookups(saved_nanousd__gt=0),
            _change(now.saved_nanousd, before.saved_nanousd),
        ),
        Tile(
            "Median answer time",
            tables.ms(latency.p50_ms),
            f"95 % within {tables.ms(latency.p95_ms)}",
            links.questions(state__exact="answered"),
        ),
        Tile(
            "Failed questions",
            f"{now.failed:,}",
            f"{now.failed_calls:,} failed calls",
            links.questions(state__exact="failed"),
            _change(now.failed, before.failed),
        ),
    ]


def _change(now: int, before: int) -> str:
    """How a figure moved against the span before; nothing to say without one."""
    if before == 0:
        return ""
    ratio = round(100 * (now - before) / before)
    return f"{ratio:+,} %" if ratio else "±0 %"


def _points(now: Totals, before: Totals) -> str:
    if not before.questions:
        return ""
    return f"{(now.hit_permille - before.hit_permille) / 10:+.1f} points"


def _bars(moments: Sequence[Moment], *, links: Links, span: Span) -> list[Bar]:
    """Heights relative to the busiest moment."""
    most = max([moment.hits + moment.others for moment in moments], default=0) or 1
    bars = []
    for place, moment in enumerate(moments):
        end = moments[place + 1].start if place + 1 < len(moments) else span.end
        hits = PLOT_HEIGHT * moment.hits / most
        others = PLOT_HEIGHT * moment.others / most
        bars.append(
            Bar(
                x=place * BAR_WIDTH,
                hits_y=round(PLOT_HEIGHT - hits, 2),
                hits_height=round(hits, 2),
                others_y=round(PLOT_HEIGHT - hits - others, 2),
                others_height=round(others, 2),
                label=f"{_moment(moment.start, span)}: {moment.hits + moment.others:,} questions, "
                f"{moment.hits:,} from the cache",
                url=links.questions(
                    accepted_at__gte=moment.start.isoformat(), accepted_at__lt=end.isoformat()
                ),
            )
        )
    return bars


def _moment(start: datetime, span: Span) -> str:
    return f"{start:%H:%M}" if span.days == 1 else f"{start:%a} {start.day} {start:%b}"


def _ticks(span: Span) -> list[str]:
    """Names of the first, the middle and the last moment."""
    moments = span.moments()
    return [_moment(moments[place], span) for place in (0, len(moments) // 2, -1)]
