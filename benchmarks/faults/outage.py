"""A vendor answers 503 to everything for a while: no storm, then only probes, then full service again.

Every question has one model, so every question needs it. Two figures of calls: up to the opening of the
breaker, calls per question that was let through (the retry budget holds it down); after that, calls per open
period (the probes). Recovery is the time from the vendor's return to the first second in which 95 % of the
questions are answered, as a share of the open time that was running when it came back.
"""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.faults.fleet import running_callers
from benchmarks.faults.rows import Row
from benchmarks.faults.scenarios import Scale
from benchmarks.redis_server import running_redis
from benchmarks.site import running_simulator
from routing.breaker import DEFAULT_POLICY
from simulator.remote import Remote

MODEL = "openai/gpt-4.1"
OUTAGE_S = {Scale.SHORT: 4.0, Scale.FULL: 60.0}
OPEN_S = {Scale.SHORT: 3.0, Scale.FULL: DEFAULT_POLICY.open_s}
AFTER_S = {Scale.SHORT: 12.0, Scale.FULL: 110.0}
PROCESSES = {Scale.SHORT: 2, Scale.FULL: 4}
RATE_PER_S = 24.0
WARM_UP_S = 3.0


def run(scale: Scale) -> list[Row]:
    """The outage and what follows."""
    with ExitStack() as stack:
        vendor = Remote(
            stack.enter_context(running_simulator("--first-ms", "50", "--chunk-ms", "1"))
        )
        order: dict[str, Any] = {
            "vendor": vendor.url,
            "redis": stack.enter_context(running_redis()).url,
            "models": [MODEL],
            "rate_per_s": RATE_PER_S,
            "seconds": 2 * WARM_UP_S + OUTAGE_S[scale] + AFTER_S[scale],
            "limits": {"requests_per_minute": 6_000},
            "open_s": OPEN_S[scale],
        }
        fleet = stack.enter_context(running_callers(PROCESSES[scale], order))
        while len(vendor.arrivals()) < RATE_PER_S * WARM_UP_S:
            time.sleep(0.2)
        vendor.fault("503", for_s=OUTAGE_S[scale])
        begin_s = time.time()
        rows = fleet.rows(within_s=order["seconds"] + 120.0)
        calls = vendor.arrivals()
    return _figures(
        rows, calls, begin_s=begin_s, end_s=begin_s + OUTAGE_S[scale], open_s=OPEN_S[scale]
    )


def _figures(
    rows: list[dict[str, Any]],
    calls: list[dict[str, Any]],
    *,
    begin_s: float,
    end_s: float,
    open_s: float,
) -> list[Row]:
    failed = sorted(call["arrived_s"] for call in calls if call["http_status"] == 503)
    # The breaker is open from the first pause in the failures that no steady rate would make.
    gaps = [b - a for a, b in itertools.pairwise(failed)]
    opened = next((n + 1 for n, gap in enumerate(gaps) if gap > 0.5 * open_s), len(failed))
    asking = [row for row in rows if begin_s <= row["asked"] <= failed[opened - 1]]
    let_through = [row for row in asking if "failed too often" not in row.get("reason", "")]
    periods = _periods(failed[opened:], apart_s=0.5 * open_s)
    needed = [row for row in rows if begin_s <= row["asked"] < end_s]
    recovered_s, running_s = _recovery(rows, failed, end_s=end_s, shortest_s=0.8 * open_s)
    return [
        Row(
            "outage.calls_per_question",
            round(len(failed) / len(needed), 3),
            "<= 1.2",
            f"{len(failed)} calls, {len(needed)} questions needed the model",
        ),
        Row(
            "outage.calls_per_question_until_open",
            round(opened / max(1, len(let_through)), 3),
            "<= 1.2",
            f"{opened} calls until every breaker was open",
        ),
        Row(
            "outage.probes_per_open_period",
            max(periods, default=0),
            f"<= {DEFAULT_POLICY.permits}",
            f"{len(periods)} periods, over all processes",
        ),
        Row(
            "outage.recovery_per_open_time",
            round(recovered_s / running_s, 3),
            "<= 2",
            f"{recovered_s:.1f} s after the vendor's return, open time {running_s:.1f} s",
        ),
    ]


def _periods(probes: list[float], *, apart_s: float) -> list[int]:
    """How many calls each break between open periods brought."""
    counts: list[int] = []
    last_s = float("-inf")
    for at_s in probes:
        if at_s - last_s > apart_s:
            counts.append(0)
        counts[-1] += 1
        last_s = at_s
    return counts


def _recovery(
    rows: list[dict[str, Any]], failed: list[float], *, end_s: float, shortest_s: float
) -> tuple[float, float]:
    """Seconds from the vendor's return to full service, and the open time that was running then."""
    answered = sorted(row["asked"] for row in rows if row["outcome"] == "answered")
    back_s = next(at_s for at_s in answered if at_s > max(failed))
    last = [at_s for at_s in failed if at_s < end_s]
    open_s = max(shortest_s, back_s - max(last))
    second = back_s
    while True:
        asked = [row for row in rows if second <= row["asked"] < second + 1.0]
        good = sum(row["outcome"] == "answered" for row in asked)
        if not asked or good >= 0.95 * len(asked):
            return max(0.0, second - end_s), open_s
        second += 0.25
