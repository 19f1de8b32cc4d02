"""Parts of the first page: cells, lines, tables with their charts, and addresses of the rows behind figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from base.admin import list_url, row_url
from base.money import NANO, usd
from chatbot.admin_charts import Chart
from chatbot.reports.foremost import Asked
from chatbot.reports.spans import Span

LONGEST_LINKED_WORDING = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure or name of a table, with the list of its rows behind it.

    `value` is the figure as it is exported. An `action` is something to do, and is not exported.
    """

    text: str
    url: str = ""
    value: int | Decimal | str | None = None
    action: bool = False

    @property
    def exported(self) -> int | Decimal | str:
        """The figure, else the text."""
        return self.text if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table; `permille` draws a bar from `offset` under the first cell, `tone` colours it."""

    cells: tuple[Cell, ...]
    permille: int = 0
    tone: str = "model"
    offset: int = 0
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; `empty` is said when there are no lines, `notes` explain its figures.

    `words` says that the cells after the first hold words, not figures. `key` names its export.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    empty: str
    notes: tuple[str, ...] = ()
    words: bool = False
    key: str = ""
    chart: Chart | None = None
    wide: bool = False
    export_url: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of lists, restricted to the rows of a report; empty for who may not see the list."""

    span: Span
    simulated: bool
    may: Callable[[str], bool]

    def questions(self, **filters: object) -> str:
        """Questions of the span; `accepted_at__gte` and `accepted_at__lt` narrow it."""
        return self._list("chatbot_question", "accepted_at", filters)

    def calls(self, **filters: object) -> str:
        """Calls of the span."""
        return self._list("routing_call", "started_at", filters)

    def lookups(self, **filters: object) -> str:
        """Receipts of the span."""
        return self._list("cache_lookup", "at", filters)

    def row(self, model: str, pk: object) -> str:
        """The page of a row; `model` is `app_model`."""
        return row_url(model, pk) if self._may_see(model) else ""

    def wording(self, asked: Asked, **filters: object) -> str:
        """All questions of a wording; one too long for an address leads to its newest question."""
        if len(asked.text) > LONGEST_LINKED_WORDING:
            return self.row("chatbot_question", asked.question_id)
        return self.questions(text__iexact=asked.text, **filters)

    def _list(self, model: str, at: str, filters: dict[str, object]) -> str:
        if not self._may_see(model):
            return ""
        bounds = {
            f"{at}__gte": self.span.start.isoformat(),
            f"{at}__lt": self.span.end.isoformat(),
        }
        return list_url(model, **{"simulated__exact": int(self.simulated), **bounds, **filters})

    def _may_see(self, model: str) -> bool:
        return self.may(model.replace("_", ".view_", 1))


def number(count: int, url: str = "") -> Cell:
    """A count; a dash when it is 0 and leads nowhere."""
    return Cell(f"{count:,}" if count else "–", url if count else "", count)


def money(nanousd: int, url: str = "") -> Cell:
    """Dollars, exported to the nano-dollar."""
    return Cell(usd(nanousd), url, (Decimal(nanousd) * NANO).normalize() + Decimal(0))


def part(permille: int) -> Cell:
    """A share, exported in percent."""
    return Cell(percent(permille), value=Decimal(permille) / 10)


def time(value: int | None) -> Cell:
    """Milliseconds."""
    return Cell(ms(value), value="" if value is None else value)


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
