"""The table of the cache comparison: for the terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "cache.json"
PAGE = ROOT / "docs" / "cache-quality.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
COLUMNS = (
    "stream",
    "method",
    "bound",
    "served",
    "wrong",
    "questions",
    "refused",
    "identity",
    "look-ups/s",
)


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table; shares in percent of the questions counted."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def write_page(rows: Sequence[Row]) -> None:
    """Put the table into the page, between its marks."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{markdown(rows)}\n{END}{after}", encoding="utf-8")


def _cells(row: Row) -> list[str]:
    identity = (
        f"{row['identity_precision']:.1%} / {row['identity_recall']:.1%} / {row['in_one_answer']:.1%}"
        if "identity_precision" in row
        else ""
    )
    bound = row["bound"]
    return [
        str(row["stream"]),
        str(row["method"]),
        "none" if bound is None else f"{bound:g}",
        f"{row['hit_share']:.1%}",
        f"{row['wrong_share']:.2%}",
        str(row["questions"]),
        str(row["guarded"]),
        identity,
        str(row.get("lookups_per_s", "")),
    ]
