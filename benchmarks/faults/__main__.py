"""Run fault scenarios, print their rows and keep those of full forms in `benchmarks/results/faults.json`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.faults.rows import Row, table
from benchmarks.faults.scenarios import SCENARIOS, Scale, Scenario

RESULTS = Path(__file__).resolve().parent.parent / "results" / "faults.json"


def scenario(name: str) -> Scenario:
    """The `run` of a scenario's module."""
    run: Scenario = importlib.import_module(f"benchmarks.faults.{SCENARIOS[name]}").run
    return run


def _keep(rows: Sequence[Row]) -> None:
    """In the place of the same rows of earlier runs; rows of other scenarios stay."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    by_id = {row["id"]: row for row in (*kept, *(row.as_json() for row in rows))}
    RESULTS.write_text(json.dumps(list(by_id.values()), indent=1) + "\n")


def main() -> int:
    """Run the chosen scenarios; 1 when any goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--short", action="store_true", help="the short forms that the suite runs")
    options = parser.parse_args()
    scale = Scale.SHORT if options.short else Scale.FULL
    rows: list[Row] = []
    for name in options.names or SCENARIOS:
        print(f"-- {name}", flush=True)
        found = scenario(name)(scale)
        print(table(found), flush=True)
        rows += found
    if scale is Scale.FULL:
        _keep(rows)
    return 0 if all(row.reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
