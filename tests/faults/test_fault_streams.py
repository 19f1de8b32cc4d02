"""The streams scenario in its short form: every stream is whole, and none costs more for the others."""

from __future__ import annotations

from benchmarks.faults.scenarios import Scale
from benchmarks.faults.streams import run


def test_streams_side_by_side_are_whole_and_leave_nothing_open() -> None:
    """Dozens of streams at once lose nothing, leave no socket, and cost hardly more each than a few."""
    rows = {row.id: row for row in run(Scale.SHORT)}

    assert set(rows) == {
        "streams-incomplete",
        "streams-sockets-left",
        "streams-cpu-growth",
        "streams-cpu-vs-httpx",
    }
    assert [row.id for row in rows.values() if not row.reached] == []
