"""The limits, at three times what they allow: the vendor refuses nothing and is well used.

Four processes that share Redis, then one process without it. The vendor counts in exact windows of 60 s at
1.0x and 2 s at 2.0x, requests and tokens, all three protocols. The share in use is that of the scarcer of
requests and settled tokens, at the least used model, after the first ten seconds.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.faults.fleet import (
    limited_vendor,
    overload_of,
    refused_upstream,
    running_callers,
    used_share,
)
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.redis_server import running_redis

RPM, TPM = 300, 120_000
SECONDS = {Scale.SHORT: 8.0, Scale.FULL: 120.0}
PROCESSES = {Scale.SHORT: 2, Scale.FULL: 4}
OVERLOAD = 3.0
WARM_UP_S = 10.0
# A short run on a busy machine proves that nothing is refused, not how well a minute is used.
USED_GOAL = {Scale.SHORT: ">= 0.3", Scale.FULL: ">= 0.9"}


def run(scale: Scale) -> list[Row]:
    """Both forms: a fleet with Redis, one process without."""
    return [
        *_rows("fleet", _played(scale, processes=PROCESSES[scale], shared=True), scale=scale),
        *_rows("alone", _played(scale, processes=1, shared=False), scale=scale),
    ]


def _played(scale: Scale, *, processes: int, shared: bool) -> dict[str, Any]:
    with ExitStack() as stack:
        vendor = stack.enter_context(limited_vendor(rpm=RPM, tpm=TPM))
        order: dict[str, Any] = {
            **overload_of(vendor, rpm=RPM, tpm=TPM, times=OVERLOAD),
            "seconds": SECONDS[scale],
        }
        if shared:
            order["redis"] = stack.enter_context(running_redis()).url
        fleet = stack.enter_context(running_callers(processes, order))
        rows = fleet.rows(within_s=SECONDS[scale] + 90.0)
        refused = refused_upstream(vendor)
    begin_s, end_s = min(row["asked"] for row in rows), max(row["asked"] for row in rows)
    warm_s = min(WARM_UP_S, (end_s - begin_s) / 3)
    return {
        "refused": refused,
        "used": used_share(rows, rpm=RPM, tpm=TPM, from_s=begin_s + warm_s, until_s=end_s),
        "questions": len(rows),
        "answered": sum(row["outcome"] == "answered" for row in rows),
    }


def _rows(name: str, figures: dict[str, Any], *, scale: Scale) -> list[Row]:
    note = f"{figures['answered']} answered of {figures['questions']} questions, {OVERLOAD:g}x the limits"
    return [
        Row(f"limits.{name}.upstream_429", figures["refused"], "== 0", note),
        Row(f"limits.{name}.used_share", round(figures["used"], 4), USED_GOAL[scale]),
    ]
