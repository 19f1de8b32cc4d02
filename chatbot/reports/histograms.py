"""Times as counts in fixed cells, so that percentiles of any span add up from its parts. Pure.

Cell 0 holds what took less than a millisecond, cell c >= 1 holds [2^((c-1)/8), 2^(c/8)) ms: eight cells
per doubling. A percentile is read as the cell's geometric middle. As the nearest-rank percentile of the
counted times lies in the same cell, the reading is off by a factor of 2^(1/16) at most, which is 4.5 %,
plus half a millisecond of rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log2

PER_DOUBLING = 8
ERROR_SHARE = 2 ** (1 / (2 * PER_DOUBLING)) - 1
ROUNDING_MS = 0.5


def cell_of(ms: float) -> int:
    """The cell that holds a time in milliseconds."""
    return 0 if ms < 1 else 1 + floor(log2(ms) * PER_DOUBLING)


def reading_of(cell: int) -> int:
    """The time in milliseconds that stands for a cell: its geometric middle."""
    return 0 if cell == 0 else round(2.0 ** ((cell - 0.5) / PER_DOUBLING))


def percentile(cells: Mapping[int, int], *, share: int) -> int | None:
    """The nearest-rank percentile in milliseconds, within ERROR_SHARE; None without any time."""
    rank = ceil(share * sum(cells.values()) / 100)
    passed = 0
    for cell in sorted(cells):
        passed += cells[cell]
        if passed >= rank > 0:
            return reading_of(cell)
    return None
