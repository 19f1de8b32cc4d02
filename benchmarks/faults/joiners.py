"""One process of a burst: its questions join in flight over Redis as the site's do; a call is a wait.

Order (JSON file): redis, vectors (.npy), texts, labels, asked (places of this process's questions). It prints
`placed` and how many lead as soon as each of its questions leads or waits. Told `land` on its input, leaders
land with their label. The last line is what came of it: asked, calls, joined, wrong, lost.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from base.clock import SystemClock
from base.state import SharedState
from cache.joining import Asking, Followed, Forbids, Join, Joins, Lead, lead_or_follow
from cache.redis_joins import RedisJoins
from cache.vetoes import ProductNames, Stated, conflicts, stated

PARTITION = "burst/en/everyone/v1/live"
WITHIN_S = 300.0
NO_PRODUCTS = ProductNames.of({})


@cache
def _stated(text: str) -> Stated:
    return stated(text, products=NO_PRODUCTS)


def _forbids(mine: str, theirs: str) -> bool:
    return bool(conflicts(_stated(mine), _stated(theirs)))


@dataclass(slots=True)
class Placed:
    """Joins that count how many have a place now."""

    joins: Joins
    places: dict[asyncio.Task[None] | None, Join] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.joins)

    async def enter(self, asking: Asking, *, forbids: Forbids) -> Lead | Join:
        """As the joins do."""
        self.places.pop(asyncio.current_task(), None)
        place = await self.joins.enter(asking, forbids=forbids)
        if isinstance(place, Join):
            self.places[asyncio.current_task()] = place
        return place

    async def stop(self) -> None:
        """As the joins do."""
        await self.joins.stop()

    @property
    def waiting(self) -> int:
        """Those behind a leader that still flies."""
        return sum(not place.outcome.done() for place in self.places.values())


@dataclass(slots=True)
class Burst:
    """What this process's questions came to."""

    joins: Placed
    landing: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    joined: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: int = 0

    async def ask(self, asking: Asking, *, label: str) -> None:
        """One question to its end."""
        place = await lead_or_follow(
            self.joins, asking, forbids=partial(_forbids, asking.text), within_s=WITHIN_S
        )
        if place is None:
            self.lost += 1
        elif isinstance(place, Followed):
            self.joined += 1
            if place.note != label:
                self.wrong.append(f"{asking.text} | {place.text} | {place.cosine}")
        else:
            self.calls += 1
            self.moved.set()
            await self.landing.wait()
            place.land(label)

    async def all_placed(self, count: int) -> None:
        """Until each of `count` questions leads or waits."""
        while self.calls + self.joins.waiting < count:
            self.moved.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.moved.wait(), timeout=0.05)


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """All questions of this process at once."""
    vectors = np.load(order["vectors"]) if order["vectors"] else None
    state = SharedState(order["redis"], timeout_s=10.0)
    await state.start()
    joins = Placed(RedisJoins(state=state, clock=SystemClock(), catch_up=_nothing))
    burst = Burst(joins)
    tasks = [
        asyncio.create_task(
            burst.ask(
                Asking(
                    PARTITION,
                    order["texts"][place],
                    order["texts"][place],
                    None if vectors is None else vectors[place],
                ),
                label=order["labels"][place],
            )
        )
        for place in order["asked"]
    ]
    await burst.all_placed(len(tasks))
    print(f"placed {burst.calls}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    burst.landing.set()
    await asyncio.gather(*tasks)
    await joins.stop()
    await state.stop()
    return {
        "asked": len(tasks),
        "calls": burst.calls,
        "joined": burst.joined,
        "wrong": burst.wrong,
        "lost": burst.lost,
    }


async def _nothing() -> None:
    """There is no cache to catch up with here."""


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))), flush=True)
