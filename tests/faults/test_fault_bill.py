"""The scenario `bill` in its short form reaches every goal."""

from __future__ import annotations

from benchmarks.faults.bill import run
from benchmarks.faults.rows import table
from benchmarks.faults.scenarios import Scale


def test_the_ledger_is_the_vendors_bill() -> None:
    """Sixteen hundred answers with cuts, refusals and callers that leave agree with the simulator's own bill."""
    rows = run(Scale.SHORT)

    assert all(row.reached for row in rows), table(rows)
