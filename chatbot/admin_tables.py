"""The tables of the summary page: figures as text, each with the address of the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from base.admin import list_url, row_url, shortened
from base.money import usd
from chatbot import reports
from chatbot.report_values import Asked, Failure, Latency, LeftOut, Rows, Share, Spend

OUTCOME_WORDS = {
    "exact": "Exact: the same wording",
    "semantic": "Semantic: the same meaning",
    "confirmed": "Confirmed by the shopper",
    "joined": "Joined one in flight",
    "stale": "Older answer, no model free",
    "miss": "Miss: answered anew",
    "bypass": "Bypass: not for the shared cache",
    "": "Without a decision",
}
LATENCY_WORDS = {"all": "All answers", "cache": "From the cache", "model": "From a model"}
LONGEST_LINKED_WORDING = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure or name of a table, with the list of its rows behind it."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table; `permille` draws a bar under the first cell, `tone` colours it."""

    cells: tuple[Cell, ...]
    permille: int = 0
    tone: str = "model"


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; `empty` is said when there are no lines, `note` explains a figure.

    `words` says that the cells after the first hold words, not figures.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    empty: str
    note: str = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of lists, restricted to the rows of a report."""

    rows: Rows

    def questions(self, **filters: object) -> str:
        """Questions of the span; `accepted_at__gte` and `accepted_at__lt` narrow it."""
        return self._list("chatbot_question", "accepted_at", filters)

    def calls(self, **filters: object) -> str:
        """Calls of the span."""
        return self._list("routing_call", "started_at", filters)

    def lookups(self, **filters: object) -> str:
        """Receipts of the span."""
        return self._list("cache_lookup", "at", filters)

    def wording(self, asked: Asked, **filters: object) -> str:
        """All questions of a wording; one too long for an address leads to its newest question."""
        if len(asked.text) > LONGEST_LINKED_WORDING:
            return row_url("chatbot_question", asked.question_id)
        return self.questions(text__iexact=asked.text, **filters)

    def _list(self, model: str, at: str, filters: dict[str, object]) -> str:
        span = self.rows.span
        bounds = {f"{at}__gte": span.start.isoformat(), f"{at}__lt": span.end.isoformat()}
        return list_url(
            model, **{"simulated__exact": int(self.rows.simulated), **bounds, **filters}
        )


def percent(permille: int) -> str:
    """Tenths of a percent in words: 615 -> 61.5 %."""
    return f"{permille / 10:.1f} %"


def short(number: int) -> str:
    """A large number in few signs: 1,234,567 -> 1.2 M."""
    for size, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f} {sign}"
    return str(number)


def ms(value: int | None) -> str:
    """Milliseconds, from a second on as seconds."""
    if value is None:
        return "–"
    return f"{value:,} ms" if value < 1_000 else f"{value / 1_000:.1f} s"


def left_out(found: Sequence[LeftOut]) -> Table:
    lines = tuple(
        Line((Cell(row.reason, row_url("routing_model", row.model.id)), Cell(", ".join(row.tiers))))
        for row in found
    )
    return Table(
        "Left out today",
        ("Model", "Chains"),
        lines,
        "Every model of the chains may be called.",
        words=True,
    )


def outcomes(found: Sequence[Share], links: Links) -> Table:
    lines = tuple(
        Line(
            (
                Cell(OUTCOME_WORDS.get(row.key, row.key)),
                Cell(f"{row.count:,}", links.questions(cache=row.key or "-")),
                Cell(percent(row.permille)),
            ),
            permille=row.permille,
            tone="hit" if row.key in reports.HITS else row.key or "none",
        )
        for row in found
    )
    return Table(
        "How questions were decided", ("", "Questions", "Share"), lines, "No questions yet."
    )


def _spend_cells(row: Spend, calls: str, failed: str) -> tuple[Cell, ...]:
    return (
        Cell(f"{row.calls:,}", calls),
        Cell(f"{row.failed:,}" if row.failed else "–", failed if row.failed else ""),
        Cell(short(row.input_tokens)),
        Cell(short(row.output_tokens)),
        Cell(usd(row.cost_nanousd), calls),
    )


_SPEND_HEADS = ("Calls", "Failed", "Tokens in", "Tokens out", "Cost")


def by_model(found: Sequence[Spend], links: Links) -> Table:
    parts = reports.shares([(row.model, row.cost_nanousd) for row in found])
    lines = []
    for row, part in zip(found, parts, strict=True):
        names = {"model_asked": row.model, "endpoint_key": row.endpoint_key}
        calls, failed = links.calls(**names), links.calls(**names, outcome__exact="failed")
        name = Cell(f"{row.model} · {row.endpoint_key}")
        lines.append(Line((name, *_spend_cells(row, calls, failed)), permille=part.permille))
    return Table(
        "Cost and tokens by model", ("Model", *_SPEND_HEADS), tuple(lines), "No calls yet."
    )


def by_tier(found: Sequence[Spend], links: Links) -> Table:
    parts = reports.shares([(row.tier, row.cost_nanousd) for row in found])
    lines = []
    for row, part in zip(found, parts, strict=True):
        calls = links.calls(tier__exact=row.tier)
        failed = links.calls(tier__exact=row.tier, outcome__exact="failed")
        cells = (Cell(row.tier or "none"), *_spend_cells(row, calls, failed))
        lines.append(Line(cells, permille=part.permille))
    return Table("Cost and tokens by tier", ("Tier", *_SPEND_HEADS), tuple(lines), "No calls yet.")


def asked(title: str, found: Sequence[Asked], links: Links, **filters: object) -> Table:
    lines = tuple(
        Line(
            (
                Cell(shortened(row.text), row_url("chatbot_question", row.question_id)),
                Cell(f"{row.count:,}", links.wording(row, **filters)),
            )
        )
        for row in found
    )
    empty = "Every question had an article." if filters else "No wording came twice."
    note = (
        "No article answers these. Write one, or add the wording to one."
        if filters and lines
        else ""
    )
    return Table(title, ("Question", "Times"), lines, empty, note)


def dearest(found: Sequence[Asked], links: Links) -> Table:
    lines = tuple(
        Line(
            (
                Cell(shortened(row.text), row_url("chatbot_question", row.question_id)),
                Cell(f"{row.count:,}", links.calls(question_id=row.question_id)),
                Cell(usd(row.cost_nanousd)),
            )
        )
        for row in found
    )
    return Table("Dearest questions", ("Question", "Calls", "Cost"), lines, "Nothing was paid for.")


def latencies(found: Sequence[Latency], links: Links) -> Table:
    filters: dict[str, dict[str, object]] = {
        "all": {},
        "cache": {"cache": "hit"},
        "model": {"origin": "model"},
    }
    lines = tuple(
        Line(
            (
                Cell(LATENCY_WORDS[row.key]),
                Cell(
                    f"{row.count:,}", links.questions(state__exact="answered", **filters[row.key])
                ),
                Cell(ms(row.p50_ms)),
                Cell(ms(row.p95_ms)),
            )
        )
        for row in found
    )
    return Table(
        "Time to the whole answer", ("", "Answers", "Median", "95 %"), lines, "No answers yet."
    )


def failed_questions(found: Sequence[Failure], links: Links) -> Table:
    lines = tuple(
        Line(
            (
                Cell(row.code or "without a code"),
                Cell(f"{row.count:,}", links.questions(state__exact="failed", error_code=row.code)),
            )
        )
        for row in found
    )
    return Table("Errors that shoppers saw", ("Code", "Questions"), lines, "None.")


def failed_calls(found: Sequence[Failure], links: Links) -> Table:
    lines = []
    for row in found:
        status = {"status": row.status} if row.status is not None else {"status__isnull": True}
        names = {
            "model_asked": row.model,
            "endpoint_key": row.endpoint_key,
            "failure": row.code or "-",
        }
        words = f"{row.code} {row.status or ''} · {row.model} · {row.endpoint_key}"
        url = links.calls(outcome__exact="failed", **names, **status)
        lines.append(Line((Cell(" ".join(words.split())), Cell(f"{row.count:,}", url))))
    return Table("Failed calls", ("Kind and model", "Calls"), tuple(lines), "None.")
