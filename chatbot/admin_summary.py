"""The admin's first page as values for its template: choice, notices, tiles, tables with their charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from base.moments import written
from base.money import usd
from chatbot import admin_figures, admin_foremost, admin_spending, admin_tables, admin_trouble
from chatbot.admin_capacity import capacity_line
from chatbot.admin_choice import CUSTOM, RANGE_WORDS, Choice
from chatbot.admin_tables import Links, Table
from chatbot.reports import configured, figures, foremost, waterfall
from chatbot.reports.aggregates import Reading, read
from chatbot.reports.figures import Latency, Totals
from chatbot.reports.quality import wrong_hits
from routing.snapshot import load_routing
from routing.specs import RoutingSnapshot

May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the top row with its rows behind it; `change` compares with the span before."""

    name: str
    value: str
    detail: str
    url: str
    change: str = ""


def summary(choice: Choice, *, may: May, now: datetime) -> dict[str, Any]:
    """Everything on the page."""
    span = choice.span
    found = _read(choice, now=now)
    links, routing = Links(span, choice.simulated, may), load_routing()
    now_totals, latencies = figures.totals(found.facts), figures.latencies(found.facts)
    before = span.before(now=now)
    earlier = read(
        before.start,
        before.end,
        simulated=choice.simulated,
        now=now,
        moments=before.moments() if before.days > 1 else [before.start],
        with_tops=False,
    ).facts
    today = now.astimezone(UTC).date()
    return {
        **_switches(choice),
        "retiring": [
            (row, links.row("routing_model", row.model.id))
            for row in configured.retiring(routing, today=today)
        ],
        "tiles": _tiles(now_totals, figures.totals(earlier), latency=latencies[0], links=links),
        "compared": _compared(choice),
        "empty": not (now_totals.questions or now_totals.calls),
        "behind": found.until if found.behind else None,
        "tables": [
            replace(table, export_url=_export_url(table, choice))
            for table in _tables(found, links=links, routing=routing, now=now)
        ],
        "capacity": capacity_line(routing, simulated=choice.simulated, now=now),
    }


def table_of(key: str, choice: Choice, *, may: May, now: datetime) -> Table | None:
    """One table of the page by its key, as it is exported; None when there is none for this user."""
    found = _read(choice, now=now)
    links = Links(choice.span, choice.simulated, may)
    tables = _tables(found, links=links, routing=load_routing(), now=now)
    return next((table for table in tables if table.key == key), None)


def _read(choice: Choice, *, now: datetime) -> Reading:
    span = choice.span
    return read(span.start, span.end, simulated=choice.simulated, now=now, moments=span.moments())


def _tables(
    found: Reading, *, links: Links, routing: RoutingSnapshot, now: datetime
) -> list[Table]:
    facts, today = found.facts, now.astimezone(UTC).date()
    return [
        admin_figures.over_time(found.moments, links),
        _waterfall(found, links=links, routing=routing, now=now),
        admin_spending.cost_over_time(found.moments, links),
        admin_figures.latencies(figures.latencies(facts), links),
        *_with_words(found, links),
        admin_figures.outcomes(figures.outcome_shares(facts), links),
        *(
            admin_figures.answers(
                title, figures.answer_shares(facts, part), links, part_name=part, key=key
            )
            for title, part, key in (
                (_("Answers by origin"), "origin", "by-origin"),
                (_("Answers by tier"), "tier", "answers-by-tier"),
                (_("Answers by model"), "model", "answers-by-model"),
            )
        ),
        admin_spending.spend_by_model(figures.spend_by_model(facts), links),
        admin_spending.spend_by_tier(figures.spend_by_tier(facts), links),
        admin_figures.wrong_hits(wrong_hits(facts)),
        admin_trouble.pressure(figures.pressure(facts), links),
        admin_trouble.failed_questions(figures.failed_questions(facts), links),
        admin_trouble.failed_calls(figures.failed_calls(facts), links),
        admin_trouble.left_out(configured.left_out(routing, today=today), links),
    ]


def _with_words(found: Reading, links: Links) -> list[Table]:
    """Texts are for who may read questions; the others see what the dearest cost."""
    tables = [admin_foremost.dearest(foremost.dearest(found.tops), links)]
    if links.may(admin_foremost.READ_TEXTS):
        tables.insert(0, admin_foremost.gaps(foremost.gaps(found.tops), links))
        tables.append(admin_foremost.most_asked(foremost.most_asked(found.tops), links))
    return tables


def _waterfall(found: Reading, *, links: Links, routing: RoutingSnapshot, now: datetime) -> Table:
    used = waterfall.measured(found.facts)
    dearest = configured.baseline(routing, used, day=now.astimezone(UTC).date())
    steps = waterfall.steps(
        waterfall.counts(found.facts),
        used,
        baseline_nanousd=dearest.nanousd if dearest else used.cost_nanousd,
    )
    return admin_spending.waterfall(steps, used, dearest, links)


def _export_url(table: Table, choice: Choice) -> str:
    return f"{reverse('admin:chatbot_tally_export', args=[table.key])}?{choice.query()}"


def _switches(choice: Choice) -> dict[str, Any]:
    span = choice.span
    first, last = (written(day, "j F Y") for day in (span.first_day, span.last_day))
    same_day = written(span.first_day, "l, j F Y")
    return {
        "period": same_day if span.days == 1 else f"{first} – {last}",
        "choice": choice,
        "custom": choice.chosen == CUSTOM,
        "from_day": span.first_day.isoformat(),
        "to_day": span.last_day.isoformat(),
        "ranges": [
            (words, choice.url(range=key), key == choice.chosen)
            for key, words in RANGE_WORDS.items()
        ],
        "modes": [
            (words, choice.url(rows=key), (key == "simulated") == choice.simulated)
            for words, key in ((_("Live"), "live"), (_("Simulated"), "simulated"))
        ],
        "simulated": choice.simulated,
    }


def _compared(choice: Choice) -> str:
    if choice.chosen == "1":
        return _("vs. yesterday by now")
    days = choice.span.days
    return _("vs. the day before") if days == 1 else _("vs. %(days)s days before") % {"days": days}


def _tiles(now: Totals, before: Totals, *, latency: Latency, links: Links) -> list[Tile]:
    short, ms = admin_tables.short, admin_tables.ms
    tokens = _("%(in)s tokens in, %(out)s out") % {
        "in": short(now.input_tokens),
        "out": short(now.output_tokens),
    }
    unpriced = (
        _(", %(count)s without a price") % {"count": now.unpriced_calls}
        if now.unpriced_calls
        else ""
    )
    calls = _("%(calls)s calls") % {"calls": f"{now.calls:,}"}
    return [
        Tile(
            _("Questions"),
            f"{now.questions:,}",
            _("%(count)s open now") % {"count": now.open} if now.open else _("none open"),
            links.questions(),
            _change(now.questions, before.questions),
        ),
        Tile(
            _("Served from the cache"),
            admin_tables.percent(now.hit_permille),
            _("%(hits)s of %(all)s") % {"hits": f"{now.hits:,}", "all": f"{now.questions:,}"},
            links.questions(cache="hit"),
            _points(now, before),
        ),
        Tile(
            _("Cost"),
            usd(now.cost_nanousd),
            f"{calls}{unpriced}; {tokens}",
            links.calls(),
            _change(now.cost_nanousd, before.cost_nanousd),
        ),
        Tile(
            _("Saved by the cache"),
            usd(now.saved_nanousd),
            _("what the avoided calls had cost"),
            links.lookups(saved_nanousd__gt=0),
            _change(now.saved_nanousd, before.saved_nanousd),
        ),
        Tile(
            _("Median answer time"),
            ms(latency.end_ms[0]),
            _("95 %% within %(time)s") % {"time": ms(latency.end_ms[1])},
            links.questions(state__exact="answered"),
        ),
        Tile(
            _("Failed questions"),
            f"{now.failed:,}",
            _("%(count)s failed calls") % {"count": f"{now.failed_calls:,}"},
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
    points = f"{(now.hit_permille - before.hit_permille) / 10:+.1f}"
    return _("%(points)s points") % {"points": points}
