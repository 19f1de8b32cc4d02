"""The short form of the burst of new questions."""

from __future__ import annotations

from benchmarks.faults import joins
from benchmarks.faults.rows import table
from benchmarks.faults.scenarios import Scale
from benchmarks.redis_server import has_redis
from tests.conftest import unavailable


def test_a_burst_is_answered_by_few_calls_and_no_wrong_one() -> None:
    """Joins save calls, nobody gets another intent's answer, and a killed process loses no one else's question."""
    if not has_redis():
        unavailable("redis-server")
    rows = joins.run(Scale.SHORT)
    print("\n" + table(rows))
    assert [row.id for row in rows if not row.reached] == []
