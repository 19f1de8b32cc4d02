"""An article is edited again and again while it is asked about: nobody who asks after a save reads an older text."""

from __future__ import annotations

import asyncio
import itertools
import re

from sockets import opened

from chatbot.models import Article
from chatbot.runtime import Runtime
from simulator.running import RunningSimulator

EDITS = 6
WORDINGS = (
    "Which courier do you use?",
    "What courier do you use?",
    "which courier do you use",
    "Which couriers do you use?",
)
_NUMBERS = itertools.count(1)
_PARCELS = re.compile(r"(\d+) couriers")


class Shop:
    """The shop's article and what was committed last."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.committed = 0
        self.served: list[tuple[int, int, str]] = []  # committed at the asking, read, cache

    async def edit(self, number: int) -> None:
        """Staff save a text that names its number."""

        def save() -> None:
            row = Article.objects.get(key="shipping-couriers", locale="en")
            row.text = f"We use {number} couriers for all parcels, among them SF Express."
            row.save()

        await self.runtime.writer.run(save)
        self.committed = number

    async def ask(self, text: str) -> None:
        """A new shopper asks, and what is read is kept with what was committed before."""
        number = next(_NUMBERS)
        socket = await opened(self.runtime, address=f"10.1.{number // 250}.{number % 250}")
        committed = self.committed
        frame = (await socket.ask(text))[-1]
        found = _PARCELS.search(frame.get("text", ""))
        if found is not None:
            self.served.append((committed, int(found[1]), frame["cache"]))
        await socket.close()


async def test_nothing_older_is_served_after_a_save(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """Answers in flight, joins and hits: whoever asks after the commit reads that text or a newer one."""
    shop = Shop(runtime)
    await shop.edit(1)
    running: list[asyncio.Task[None]] = []
    vendors_at_simulator.fault("hang", options={"max_s": 0.3})
    for number in range(2, EDITS + 2):
        for step in range(8):
            running.append(asyncio.create_task(shop.ask(WORDINGS[step % len(WORDINGS)])))
            await asyncio.sleep(0.03 * (step % 3))
        await shop.edit(number)
        await asyncio.gather(*(shop.ask(wording) for wording in WORDINGS))
    await asyncio.gather(*running)
    assert [row for row in shop.served if row[1] < row[0]] == []
    caches = {cache for *_, cache in shop.served}
    assert {"miss", "joined"} <= caches
    assert caches & {"exact", "semantic"}
    assert len(shop.served) >= EDITS * 6
