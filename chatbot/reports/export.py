"""A table as CSV that a spreadsheet opens without running anything. Pure.

A text that begins with a sign that spreadsheets take for a formula gets an apostrophe in front; numbers are
written as numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """A cell's text; only texts can be formulas."""
    text = str(value)
    if isinstance(value, int | Decimal):
        return text
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def as_csv(heads: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
    """Head and lines, with a mark at the start that tells spreadsheets it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    for line in (heads, *lines):
        writer.writerow([safe_cell(value) for value in line])
    return "\ufeff" + out.getvalue()
