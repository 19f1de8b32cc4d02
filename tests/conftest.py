"""What the whole suite shares: the local vendor, the embedding model, a running site."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A slow machine is no reason to fail: no example has a time limit, nor has making it.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

if TYPE_CHECKING:
    from cache.embedding import Embedder
    from chatbot.runtime import Runtime
    from simulator.running import RunningSimulator

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI") == "true"


SLOW_FIRST = ("faults", "test_architecture")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process ends up alone with it."""
    items.sort(key=lambda item: not {item.path.parent.name, item.path.stem} & set(SLOW_FIRST))


def unavailable(what: str) -> None:
    """Skip with the reason; in CI a missing part is a failure instead."""
    if IN_CI:
        pytest.fail(f"{what} is missing, and CI must not skip", pytrace=False)
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def embedder() -> Iterator[Embedder]:
    """The packaged embedding model, loaded once; its exported form is kept between runs."""
    from cache.embedding import Embedder

    model = Embedder(folder=ROOT / "data" / "test")
    model.start()
    yield model
    model.stop()


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """The local vendor on a free port, answering at once and without limits."""
    from simulator.config import Config
    from simulator.running import RunningSimulator

    with RunningSimulator(Config(first_ms=0, chunk_ms=0)) as running:
        yield running


@pytest.fixture
def vendors_at_simulator(
    simulator: RunningSimulator, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> RunningSimulator:
    """All five keys set, every vendor's address pointing at the simulator."""
    from base import env
    from chatbot.management.commands.serve import DEMO_KEY, VENDOR_PATHS

    settings.UPSTREAM_ALLOW_LOOPBACK = True
    for name in env.KEY_NAMES:
        vendor = name.removesuffix("_API_KEY")
        monkeypatch.setenv(name, DEMO_KEY)
        monkeypatch.setenv(f"{vendor}_BASE_URL", simulator.url + VENDOR_PATHS[vendor.lower()])
    return simulator


@pytest.fixture(scope="session")
def shop_copy() -> Iterator[sqlite3.Connection]:
    """Where the first seeded database is kept: seeding takes a second, copying it back next to nothing."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    yield copy
    copy.close()


@pytest.fixture
def seeded(transactional_db: None, shop_copy: sqlite3.Connection) -> None:
    """The demo shop in the test database."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    from chatbot.seeding import seed

    if connection.vendor != "sqlite":
        seed()
        return
    connection.ensure_connection()
    if shop_copy.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        seed()
        connection.connection.backup(shop_copy)
    else:
        shop_copy.backup(connection.connection)
        ContentType.objects.clear_cache()


@pytest.fixture
async def runtime(
    seeded: None, vendors_at_simulator: RunningSimulator, embedder: Embedder, settings: Any
) -> AsyncIterator[Runtime]:
    """The site's parts, started on the seeded database; vectors are kept between tests.

    Open questions are taken up only where a test says so.
    """
    from chatbot.runtime import Runtime

    settings.DATA_DIR = ROOT / "data" / "test"
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    running = Runtime(embedder=embedder)
    await running.start(take_up_open_questions=False)
    yield running
    await running.stop()
