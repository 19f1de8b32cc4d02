"""Prices from a CSV file: each line checked, every refusal explained, the same file twice changes nothing.

Columns: endpoint (its key), model, valid_from (2026-12-01), currency, input, cached_input, output (units of
the currency per million tokens, at most three decimals; cached_input empty = as input), source.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from routing.models import Endpoint, Price
from routing.price_book import FIXED, problem_with
from routing.price_words import NANO_PER_TOKEN

NEW, CHANGED, SAME, REFUSED = "new", "changed", "same", "refused"
OUTCOMES = (NEW, CHANGED, SAME, REFUSED)
COLUMNS = (
    "endpoint",
    "model",
    "valid_from",
    "currency",
    "input",
    "cached_input",
    "output",
    "source",
)
NEEDED = (*COLUMNS[:5], "output")
MOST_LINES = 2_000
MOST_CHARACTERS = 120
_HIGHEST = Decimal(1_000_000)


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why."""


class BadLine(Exception):
    """One line cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of one line. `price` is what would stand (None when it cannot be read)."""

    line: int
    outcome: str
    price: Price | None
    reason: str = ""


def run(text: str, *, today: date, store: bool) -> list[Result]:
    """Check every line and, with `store`, write those that pass, together. Raises BadFile."""
    lines = _lines(text)
    endpoints = {row.key: row for row in Endpoint.objects.all()}
    seen: dict[tuple[int, str, date], int] = {}
    with transaction.atomic():
        # All are judged before the first is written, so that a check and a run come to the same.
        results = [
            _result(number, cells, endpoints=endpoints, seen=seen, today=today)
            for number, cells in lines
        ]
        for result in results:
            if store and result.price is not None and result.outcome in (NEW, CHANGED):
                result.price.save()
    return results


def counts(results: Sequence[Result]) -> list[tuple[str, int]]:
    """How many lines ended how, in a fixed order."""
    found = Counter(result.outcome for result in results)
    return [(name, found[name]) for name in OUTCOMES]


def _lines(text: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restval="")
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        message = _("The first line must name the columns; missing: %(names)s.") % {
            "names": ", ".join(missing)
        }
        raise BadFile(message)
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        message = _("The file is not CSV: %(error)s.") % {"error": error}
        raise BadFile(message) from error
    if len(lines) > MOST_LINES:
        message = _("The file has more than %(most)d lines.") % {"most": MOST_LINES}
        raise BadFile(message)
    return [
        (number, {name: (row.get(name) or "").strip() for name in COLUMNS}) for number, row in lines
    ]


def _result(
    number: int,
    cells: dict[str, str],
    *,
    endpoints: dict[str, Endpoint],
    seen: dict[tuple[int, str, date], int],
    today: date,
) -> Result:
    try:
        price = _price(cells, endpoints)
    except BadLine as error:
        return Result(number, REFUSED, None, str(error))
    place = (price.endpoint_id, price.model_name, price.valid_from)
    if place in seen:
        reason = _("Line %(line)d has a price of the same model and day.") % {"line": seen[place]}
        return Result(number, REFUSED, price, reason)
    seen[place] = number
    return _compared(number, price, today=today)


def _compared(number: int, price: Price, *, today: date) -> Result:
    """Beside the row that stands for the same model and day."""
    stored = Price.objects.filter(
        endpoint_id=price.endpoint_id, model_name=price.model_name, valid_from=price.valid_from
    ).first()
    outcome = NEW
    if stored is not None:
        price.pk, price._state.adding = stored.pk, False
        same = all(getattr(stored, name) == getattr(price, name) for name in (*FIXED, "source"))
        outcome = SAME if same else CHANGED
    problem = problem_with(price, today=today)
    return Result(number, REFUSED if problem else outcome, price, problem)


def _price(cells: dict[str, str], endpoints: dict[str, Endpoint]) -> Price:
    endpoint, name = endpoints.get(cells["endpoint"]), cells["model"]
    if endpoint is None:
        known = ", ".join(sorted(endpoints)) or "–"
        message = _("There is no endpoint %(key)s; known: %(known)s.") % {
            "key": cells["endpoint"] or "–",
            "known": known,
        }
        raise BadLine(message)
    if not 0 < len(name) <= MOST_CHARACTERS:
        raise BadLine(_("Give the model's id, at most 120 characters."))
    if not re.fullmatch(r"[A-Z]{3}", cells["currency"]):
        raise BadLine(_("Give the currency in three capitals, for instance USD."))
    fresh = _nano(cells["input"], "input")
    return Price(
        endpoint=endpoint,
        model_name=name,
        valid_from=_day(cells["valid_from"]),
        currency=cells["currency"],
        input_nano_per_token=fresh,
        cached_input_nano_per_token=_nano(cells["cached_input"], "cached_input")
        if cells["cached_input"]
        else fresh,
        output_nano_per_token=_nano(cells["output"], "output"),
        source=cells["source"][:300],
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = _("%(text)s is no day: write 2026-12-01.") % {"text": text or "–"}
        raise BadLine(message) from error


def _nano(text: str, column: str) -> int:
    """Nano-units per token of a price per million, exactly."""
    try:
        nano = Decimal(text) * NANO_PER_TOKEN
        whole = int(nano)
    except (InvalidOperation, ValueError, OverflowError) as error:
        message = _("%(column)s: %(text)s is no number.") % {"column": column, "text": text or "–"}
        raise BadLine(message) from error
    if nano != whole or not 0 <= nano <= _HIGHEST * NANO_PER_TOKEN:
        message = _("%(column)s: %(text)s must be a price with at most three decimals.") % {
            "column": column,
            "text": text,
        }
        raise BadLine(message)
    return whole
