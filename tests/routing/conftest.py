"""A local model vendor on a socket, a writer thread, and a dispatcher over both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from base.writer import Writer
from simulator.config import Config
from simulator.running import RunningSimulator
from tests.routing.stage import Stage, staged
from tests.routing.world import World


@pytest.fixture(scope="session")
def _vendor_process() -> Iterator[RunningSimulator]:
    with RunningSimulator(Config()) as running:
        yield running


@pytest.fixture
def vendor(_vendor_process: RunningSimulator) -> RunningSimulator:
    """The vendor without bill, faults or limits of earlier tests."""
    _vendor_process.heal()
    _vendor_process.reset()
    return _vendor_process


@pytest.fixture
def writer(transactional_db: None) -> Iterator[Writer]:
    """A running writer over the test database."""
    running = Writer()
    running.start()
    yield running
    running.stop()


@pytest_asyncio.fixture
async def world(vendor: RunningSimulator, writer: Writer) -> AsyncIterator[World]:
    """A dispatcher that calls the vendor."""
    made = World(vendor, writer=writer)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def stage(writer: Writer) -> AsyncIterator[Stage]:
    """Scripted vendors and a dispatcher that calls them."""
    async with staged(writer) as made:
        yield made
