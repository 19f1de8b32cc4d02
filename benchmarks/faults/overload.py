"""Ten minutes of overload, scaled: how long people wait beside what they were told first.

One process, one model per protocol, twice as many questions as the limits allow; who would wait beyond the
deadline is refused at once and counts elsewhere. The wait is measured from the `wait` frame to the first text.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from typing import Any

from benchmarks.faults.fleet import MODELS, refused_upstream, running_callers
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.site import running_simulator
from simulator.remote import Remote

RPM, TPM = 120, 48_000
SECONDS = {Scale.SHORT: 15.0, Scale.FULL: 180.0}
DEADLINE_S = {Scale.SHORT: 12.0, Scale.FULL: 28.0}
OVERLOAD = 2.0
GOALS = {Scale.SHORT: (">= 0.7", ">= 0.6", "<= 2"), Scale.FULL: (">= 0.8", ">= 0.7", "<= 1.5")}


def run(scale: Scale) -> list[Row]:
    """The overload; rows about the first promise of a time."""
    options = [
        "--rpm",
        str(RPM),
        "--tpm",
        str(TPM),
        "--burst",
        "--first-ms",
        "300",
        "--chunk-ms",
        "5",
    ]
    with ExitStack() as stack:
        vendor = Remote(stack.enter_context(running_simulator(*options)))
        order: dict[str, Any] = {
            "vendor": vendor.url,
            "models": list(MODELS),
            "rate_per_s": OVERLOAD * len(MODELS) * RPM / 60.0,
            "seconds": SECONDS[scale],
            "deadline_s": DEADLINE_S[scale],
            "limits": {"requests_per_minute": RPM, "tokens_per_minute": TPM},
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
