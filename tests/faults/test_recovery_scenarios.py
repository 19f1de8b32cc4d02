"""The short forms of the scenarios about questions that must not be lost or kept waiting."""

from __future__ import annotations

import pytest

from benchmarks.faults import hang, kills
from benchmarks.faults.rows import table
from benchmarks.faults.scenarios import Scale, Scenario


@pytest.mark.parametrize("run", [kills.run, hang.run], ids=["kills", "hang"])
def test_short_form_reaches_its_goals(run: Scenario) -> None:
    """The same code as the full form, on little load, keeps every promise."""
    rows = run(Scale.SHORT)

    assert all(row.reached for row in rows), "\n" + table(rows)
