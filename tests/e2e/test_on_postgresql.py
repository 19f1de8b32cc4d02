"""The same site on PostgreSQL: prepared, served, asked by many shoppers at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import unavailable
from servers import has_postgresql, running_postgresql
from test_journey import VECTORS

from benchmarks.site import borrow, running_simulator, running_site
from chatbot.replaying import play

pytestmark = pytest.mark.e2e
QUESTION = "Which courier do you use?"


def test_site_runs_on_postgresql(tmp_path: Path) -> None:
    """Twenty shoppers ask the same at once: one call, twenty answers; a later one hits the exact tier."""
    if not has_postgresql():
        unavailable("a PostgreSQL server")
    borrow(VECTORS, tmp_path)
    with (
        running_postgresql() as database_url,
        running_simulator() as address,
        running_site(
            tmp_path, simulator_url=address, settings={"DATABASE_URL": database_url}
        ) as site,
    ):
        crowd = asyncio.run(play([QUESTION] * 20, url=site.url, sessions=20, rate_per_s=0.0))
        later = asyncio.run(play([QUESTION], url=site.url, sessions=1, rate_per_s=0.0))
        calls = site.vendor.bill()["totals"]["completed"]

    assert {item.outcome for item in crowd} <= {"miss", "joined", "exact"}
    assert [item.outcome for item in later] == ["exact"]
    assert calls == 1
