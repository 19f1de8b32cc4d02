"""The process: nothing before its start, everything while it runs, an orderly end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chatbot.process import Process
from chatbot.runtime import Runtime

ROOT = Path(__file__).resolve().parents[2]


def test_before_the_start_there_is_nothing(settings: Any) -> None:
    """Whoever comes too early is told how to start the site."""
    settings.CELERY_IN_PROCESS = False
    process = Process()
    assert not process.ready
    with pytest.raises(RuntimeError, match="manage.py serve"):
        _ = process.runtime


async def test_lifespan_starts_and_stops_the_parts(
    seeded: None, vendors_at_simulator: Any, settings: Any
) -> None:
    """The server hears that start-up and shutdown are complete; between them questions are taken."""
    settings.CELERY_IN_PROCESS = False
    settings.DATA_DIR = ROOT / "data" / "test"  # where vectors are kept between tests
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    process = Process()
    orders: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    running = asyncio.create_task(process.lifespan({"type": "lifespan"}, orders.get, told.put))
    await orders.put({"type": "lifespan.startup"})
    started = await told.get()
    ready, runtime = process.ready, process.runtime
    await orders.put({"type": "lifespan.shutdown"})
    stopped = await told.get()
    await running
    assert [started["type"], stopped["type"]] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert ready
    assert isinstance(runtime, Runtime)
    assert not process.ready
