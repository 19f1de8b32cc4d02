"""A row's verdict follows from its figure."""

from __future__ import annotations

import importlib

import pytest

from benchmarks.faults.rows import Row, table
from benchmarks.faults.scenarios import SCENARIOS


@pytest.mark.parametrize(
    ("figure", "goal", "reached"),
    [(1.2, "<= 1.2", True), (1.21, "<= 1.2", False), (0, "== 0", True), (0.89, ">= 0.9", False)],
)
def test_reached_is_computed(figure: float, goal: str, reached: bool) -> None:
    """The goal's comparison decides, its bound included."""
    row = Row("x", figure, goal)

    assert row.reached is reached
    assert row.as_json()["reached"] is reached
    assert ("MISS" in table([row])) is not reached


def test_every_scenario_has_a_module_that_runs() -> None:
    """Each name leads to a module with `run`."""
    for module in SCENARIOS.values():
        assert callable(importlib.import_module(f"benchmarks.faults.{module}").run)
