"""One of several processes that spend from the same budgets: `till_process ATTEMPTS SEED`.

Prints how many calls it could open. Every second one is completed at its full estimate, the others stay
open, so each takes 1,000 nano-dollars of the budgets for good.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
django.setup()

from base.clock import SystemClock  # noqa: E402  settings first
from base.writer import Writer  # noqa: E402  settings first
from routing.errors import OverBudget  # noqa: E402  settings first
from routing.ledger import Ending, Ledger  # noqa: E402  settings first
from routing.models import Call  # noqa: E402  settings first
from routing.specs import Tier, Usage  # noqa: E402  settings first
from tests.routing.tills import AT_MOST, SNAPSHOT, SPECS  # noqa: E402  settings first

AT_ONCE = 10


async def spend(ledger: Ledger, *, attempts: int, draw: random.Random) -> int:
    """Try so many calls, some at once; how many were let through."""
    numbers, opened = iter(range(attempts)), 0

    async def caller() -> None:
        nonlocal opened
        for number in numbers:
            entry = ledger.entry(draw.choice(SPECS))
            try:
                await ledger.open(
                    entry,
                    tier=draw.choice(list(Tier)),
                    question_id=None,
                    site_id=draw.choice((1, 2)),
                    wait_ms=0,
                    at_most=AT_MOST,
                )
            except OverBudget:
                continue
            opened += 1
            if number % 2:
                await ledger.close(entry, Ending(Call.COMPLETED, Usage(50, 25)))

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return opened


def main() -> None:
    """Spend and say how much."""
    attempts, seed = int(sys.argv[1]), int(sys.argv[2])
    writer = Writer()
    writer.start()
    ledger = Ledger(writer=writer, routing=lambda: SNAPSHOT, clock=SystemClock())
    opened = asyncio.run(spend(ledger, attempts=attempts, draw=random.Random(seed)))
    writer.stop()
    sys.stdout.write(f"{opened}\n")


if __name__ == "__main__":
    main()
