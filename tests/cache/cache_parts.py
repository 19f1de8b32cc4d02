"""What the cache's tests share: a store on a real database, answers to put in, unit vectors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from base.clock import ManualClock
from base.reader import Reader
from base.writer import Writer
from cache.models import Answer
from cache.store import Entry, NewAnswer, Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP = "default/en/everyone/v1/live"
ENGINE = "engine-a"
DIMENSION = 4


class Parts:
    """A writer, a reader, a clock, and as many replicas of the store as a test wants."""

    def __init__(self) -> None:
        self.clock = ManualClock(now=NOW)
        self.writer = Writer()
        self.reader = Reader(threads=2)
        self._stores: list[Store] = []

    async def store(self, *, engine_id: str = ENGINE, folder: Path | None = None) -> Store:
        """A replica as a process has it after its start."""
        store = Store(
            writer=self.writer,
            reader=self.reader,
            engine_id=engine_id,
            dimension=DIMENSION,
            now=self.clock.now,
            folder=folder,
        )
        self._stores.append(store)
        await store.load_all()
        return store

    async def rows(self, query: Callable[[], Any]) -> Any:
        """Read or change rows as another process would: in a transaction of its own."""
        return await self.writer.run(query)

    async def stop(self) -> None:
        """End every thread."""
        for store in self._stores:
            store.stop()
        await asyncio.to_thread(self.writer.stop)
        await asyncio.to_thread(self.reader.stop)


@asynccontextmanager
async def started() -> AsyncIterator[Parts]:
    """Parts whose threads run inside the block."""
    parts = Parts()
    parts.writer.start()
    try:
        yield parts
    finally:
        await parts.stop()


def unit(degrees: float) -> NDArray[np.float32]:
    """A unit vector at an angle in the first plane: the cosine of two is that of their angles."""
    angle = math.radians(degrees)
    return np.array([math.cos(angle), math.sin(angle), 0, 0], dtype=np.float32)


def new(wording: str = "which courier", **changes: Any) -> NewAnswer:
    """An answer as it is put in; `changes` replace its fields."""
    values: dict[str, Any] = {
        "partition": SHOP,
        "key": wording,
        "wording": wording,
        "vector": unit(0),
        "text": f"answer to {wording}",
        "origin": Answer.MODEL,
        "model": "deepseek-flash (DeepSeek)",
        "prompt_version": "v1",
        "tier": "FAQ",
        "asker_shopper_id": 7,
        "life": timedelta(days=30),
        "cost_nanousd": 1_234,
        "sources": (("shipping-couriers", "en", 1),),
        "simulated": False,
    }
    return NewAnswer(**values | changes)


def always(_: Entry) -> bool:
    """Every article still stands."""
    return True


def never(_: Entry) -> bool:
    """No article stands any more."""
    return False


def stands() -> bool:
    """At the moment of writing the articles are as they were."""
    return True
