"""Tables of the first page about questions and answers: how decided, from where, how long, how often wrong."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from base.words import word
from chatbot.admin_charts import Layer, moment_name, stacked, tick_names
from chatbot.admin_tables import Cell, Line, Links, Table, number, part, percent, time
from chatbot.reports import HITS, OUTCOMES, figures
from chatbot.reports.facts import Facts
from chatbot.reports.figures import Latency, Share
from chatbot.reports.histograms import ERROR_SHARE
from chatbot.reports.quality import WrongHits

OUTCOME_WORDS = {
    "exact": gettext_lazy("Exact: the same wording"),
    "semantic": gettext_lazy("Semantic: the same meaning"),
    "confirmed": gettext_lazy("Confirmed by the shopper"),
    "joined": gettext_lazy("Joined one in flight"),
    "stale": gettext_lazy("Older answer, no model free"),
    "miss": gettext_lazy("Miss: answered anew"),
    "bypass": gettext_lazy("Bypass: not for the shared cache"),
    "": gettext_lazy("Without a decision"),
}
ORIGIN_WORDS = {
    "cache": gettext_lazy("The cache"),
    "model": gettext_lazy("A model"),
    "article": gettext_lazy("An article as it stands"),
    "template": gettext_lazy("A fixed text"),
    "person": gettext_lazy("A person"),
}
LATENCY_WORDS = {
    "all": gettext_lazy("All answers"),
    "cache": gettext_lazy("From the cache"),
    "model": gettext_lazy("From a model"),
}
SOURCE_WORDS = {
    "staff": gettext_lazy("Staff's reviews"),
    "shoppers": gettext_lazy('Thumbs and "not my question"'),
    "all": gettext_lazy("All labels"),
}


def over_time(parts: Sequence[Facts], links: Links) -> Table:
    """How questions were decided, moment by moment, with the chart."""
    layers = [Layer(key, str(OUTCOME_WORDS[key]), f"o-{key or 'none'}") for key in OUTCOMES]
    rows = [
        {key: counts.get(key, 0) for key in OUTCOMES}
        for counts in (figures.question_counts(facts, "cache") for facts in parts)
    ]
    seen = [key for key in OUTCOMES if any(row[key] for row in rows)]
    span, bounds = links.span, bounds_of(links)
    names = [moment_name(start, span) for start in span.moments()]
    labels = [_column_label(name, row) for name, row in zip(names, rows, strict=True)]
    most = max((sum(row.values()) for row in rows), default=0)
    chart = stacked(
        _("Questions over time, by how they were decided"),
        rows,
        layers=layers,
        labels=labels,
        urls=[links.questions(**limits) for limits in bounds],
        ticks=tick_names(span),
        highest=ngettext("%(count)s question", "%(count)s questions", most)
        % {"count": f"{most:,}"},
    )
    lines = tuple(
        Line(
            (
                Cell(name),
                number(sum(row.values()), links.questions(**limits)),
                part(_hit_permille(row)),
                *(number(row[key], links.questions(**limits, cache=key or "-")) for key in seen),
            )
        )
        for name, row, limits in zip(names, rows, bounds, strict=True)
        if any(row.values())
    )
    heads = (
        _("When"),
        _("Questions"),
        _("Hits"),
        *(word(key).capitalize() if key else _("None") for key in seen),
    )
    title = _("Questions over time")
    return Table(
        title, heads, lines, _("No questions yet."), key="over-time", chart=chart, wide=True
    )


def _hit_permille(row: dict[str, int]) -> int:
    whole = sum(row.values())
    return round(1000 * sum(row[hit] for hit in HITS) / whole) if whole else 0


def _column_label(name: str, row: dict[str, int]) -> str:
    said = [f"{key or _('none')} {count:,}" for key, count in row.items() if count]
    return f"{name}: {', '.join(said) or _('nothing')}"


def bounds_of(links: Links) -> list[dict[str, object]]:
    span = links.span
    starts = span.moments()
    ends = [*starts[1:], span.end]
    return [
        {"accepted_at__gte": first.isoformat(), "accepted_at__lt": last.isoformat()}
        for first, last in zip(starts, ends, strict=True)
    ]


def outcomes(found: Sequence[Share], links: Links) -> Table:
    """How questions were decided."""
    lines = tuple(
        Line(
            (
                Cell(str(OUTCOME_WORDS.get(row.key, row.key))),
                number(row.count, links.questions(cache=row.key or "-")),
                part(row.permille),
            ),
            permille=row.permille,
            tone=f"o-{row.key or 'none'}",
        )
        for row in found
    )
    return Table(
        _("How questions were decided"),
        ("", _("Questions"), _("Share")),
        lines,
        _("No questions yet."),
        key="outcomes",
    )


def answers(title: str, found: Sequence[Share], links: Links, *, part_name: str, key: str) -> Table:
    """Answered questions by origin, tier or model; `part_name` is the list's filter."""
    lines = tuple(
        Line(
            (
                Cell(_answer_name(row.key, part_name)),
                number(
                    row.count,
                    links.questions(state__exact="answered", **{part_name: row.key or "-"}),
                ),
                part(row.permille),
            ),
            permille=row.permille,
        )
        for row in found
    )
    return Table(title, ("", _("Answers"), _("Share")), lines, _("No answers yet."), key=key)


def _answer_name(key: str, part_name: str) -> str:
    if part_name == "origin":
        return str(ORIGIN_WORDS.get(key, key or _("none")))
    return key or (_("no model") if part_name == "model" else _("before a tier was chosen"))


def latencies(found: Sequence[Latency], links: Links) -> Table:
    """Percentiles to the first words and to the whole; the bar goes from the median to p99."""
    filters: dict[str, dict[str, object]] = {
        "all": {},
        "cache": {"cache": "hit"},
        "model": {"origin": "model"},
    }
    longest = max((row.end_ms[2] or 0 for row in found), default=0) or 1
    lines = tuple(
        Line(
            (
                Cell(str(LATENCY_WORDS[row.key])),
                number(row.count, links.questions(state__exact="answered", **filters[row.key])),
                *(time(value) for value in (*row.first_ms, *row.end_ms)),
            ),
            offset=1000 * (row.end_ms[0] or 0) // longest,
            permille=max(4, 1000 * ((row.end_ms[2] or 0) - (row.end_ms[0] or 0)) // longest)
            if row.count
            else 0,
            tone="o-exact" if row.key == "cache" else "model",
        )
        for row in found
    )
    first, end = _("first"), _("end")
    heads = (
        "",
        _("Answers"),
        *(f"p{share} {name}" for name in (first, end) for share in (50, 95, 99)),
    )
    notes = (
        _(
            "Times to the first words and to the end. The bar goes from the median to p99 at the end."
        ),
        _(
            "Read from cells of a fixed width: each figure is within %(percent)s %% of the exact one."
        )
        % {"percent": f"{100 * ERROR_SHARE:.1f}"},
    )
    return Table(
        _("How long answers took"),
        heads,
        lines,
        _("No answers yet."),
        notes,
        key="latency",
        wide=True,
    )


def wrong_hits(found: Sequence[WrongHits]) -> Table:
    """The meter: wrong of labelled hits, with the interval."""
    lines = tuple(
        Line(
            (
                Cell(str(SOURCE_WORDS[row.source])),
                number(row.labels),
                number(row.wrong),
                Cell("–" if row.share is None else percent(round(1000 * row.share))),
                Cell("–" if row.share is None else f"{100 * row.low:.1f} – {100 * row.high:.1f} %"),
            ),
            offset=round(1000 * row.low) if row.labels else 0,
            permille=max(4, round(1000 * (row.high - row.low))) if row.labels else 0,
            tone="o-none",
        )
        for row in found
    )
    notes = (
        _(
            "95 % interval (Wilson). Labels are no random sample: doubtful hits are looked at first, so among all "
            "hits fewer are wrong."
        ),
    )
    heads = ("", _("Labels"), _("Wrong"), _("Share"), _("95 % interval"))
    return Table(_("Wrong hits"), heads, lines, "", notes, key="wrong-hits")
