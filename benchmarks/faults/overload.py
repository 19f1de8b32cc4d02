"""Ten minutes of overload, scaled: how long people wait beside what they were told first.

One process, one model per protocol, twice as many questions as the limits allow; who would wait beyond the
deadline is refused at once and counts elsewhere. The wait is measured from the `wait` frame to the first text.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.faults.fleet import (
    limited_vendor,
    overload_of,
    refused_upstream,
    running_callers,
)
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale

RPM, TPM = 120, 48_000
SECONDS = {Scale.SHORT: 15.0, Scale.FULL: 180.0}
DEADLINE_S = {Scale.SHORT: 12.0, Scale.FULL: 28.0}
OVERLOAD = 2.0
GOALS = {Scale.SHORT: (">= 0.7", ">= 0.6", "<= 2"), Scale.FULL: (">= 0.8", ">= 0.7", "<= 1.5")}


def run(scale: Scale) -> list[Row]:
    """The overload; rows about the first promise of a time."""
    with ExitStack() as stack:
        vendor = stack.enter_context(limited_vendor(rpm=RPM, tpm=TPM))
        order: dict[str, Any] = {
            **overload_of(vendor, rpm=RPM, tpm=TPM, times=OVERLOAD),
            "seconds": SECONDS[scale],
            "deadline_s": DEADLINE_S[scale],
        }
        fleet = stack.enter_context(running_callers(1, order))
        rows = fleet.rows(within_s=SECONDS[scale] + 120.0)
        refused = refused_upstream(vendor)
    return _figures(rows, refused=refused, scale=scale)


def _figures(rows: list[dict[str, Any]], *, refused: int, scale: Scale) -> list[Row]:
    waited = [row for row in rows if "eta_s" in row and "first" in row]
    actual = [(row["eta_s"], row["first"] - row["told"]) for row in waited]
    kept = sum(wait_s <= eta_s for eta_s, wait_s in actual) / max(1, len(actual))
    ratio = statistics.median(eta_s / max(0.05, wait_s) for eta_s, wait_s in actual)
    share, low, high = GOALS[scale]
    lost = sum(1 for row in rows if "eta_s" in row and "first" not in row)
    note = f"{len(waited)} waited and were answered, {lost} waited in vain, of {len(rows)}"
    return [
        Row("overload.promise_kept_share", round(kept, 3), share, note),
        Row("overload.median_told_per_actual", round(ratio, 3), low),
        Row("overload.median_told_per_actual_most", round(ratio, 3), high),
        Row("overload.waited_in_vain_share", round(lost / max(1, lost + len(waited)), 3), "<= 0.1"),
        Row("overload.upstream_429", refused, "== 0"),
    ]
