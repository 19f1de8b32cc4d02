"""The rows that a fault run prints and stores: a figure, its goal, and whether it was reached.

`reached` is always computed from the figure, so no row can claim what was not measured.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one promise. `goal` is a comparison and a bound, for instance `<= 1.2`."""

    id: str
    figure: float
    goal: str
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure meets the goal."""
        comparison, bound = self.goal.split()
        return _COMPARISONS[comparison](self.figure, float(bound))

    def as_json(self) -> dict[str, object]:
        """The row as it is stored."""
        return {
            "id": self.id,
            "figure": self.figure,
            "goal": self.goal,
            "reached": self.reached,
            "note": self.note,
        }


def table(rows: list[Row]) -> str:
    """The rows for people to read."""
    width = max((len(row.id) for row in rows), default=0)
    return "\n".join(
        f"{'ok  ' if row.reached else 'MISS'}  {row.id:<{width}}  {row.figure:>12g}  {row.goal:<10}  {row.note}"
        for row in rows
    )
