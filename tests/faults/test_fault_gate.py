"""The short forms of the gate's fault scenarios: limits, Retry-After, outage, overload."""

from __future__ import annotations

import pytest

from benchmarks.faults import limits, outage, overload, retry_after
from benchmarks.faults.rows import table
from benchmarks.faults.scenarios import Scale, Scenario
from benchmarks.redis_server import has_redis
from tests.conftest import unavailable

# What a busy machine may miss without anything being wrong: figures of speed, not of promises.
OF_SPEED = ("used_share", "median_told", "promise_kept", "in_vain", "recovery")


@pytest.mark.parametrize(
    "run", [limits.run, retry_after.run, outage.run, overload.run], ids=lambda run: run.__module__
)
def test_what_was_promised_holds(run: Scenario) -> None:
    """Every row that does not depend on the machine's speed is reached."""
    if not has_redis():
        unavailable("redis-server")
    rows = run(Scale.SHORT)
    print("\n" + table(rows))

    held = [row for row in rows if not any(word in row.id for word in OF_SPEED)]
    assert len(held) >= 1
    assert [row.id for row in held if not row.reached] == []
