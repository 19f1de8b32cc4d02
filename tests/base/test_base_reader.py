"""Reads off the event loop: a bounded pool that closes its own connections."""

from __future__ import annotations

import asyncio
import threading
from sqlite3 import ProgrammingError
from typing import Any

import pytest
from django.db import connection

from base.models import Counter
from base.reader import Reader

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 20.0


async def test_result_and_exception_reach_the_caller() -> None:
    """What the query returns or raises comes back to the task that asked."""
    reader = Reader(threads=1)
    assert await reader.run(Counter.objects.count) == 0
    with pytest.raises(Counter.DoesNotExist):
        await reader.run(Counter.objects.get)
    await asyncio.to_thread(reader.stop)


async def test_slow_read_holds_neither_loop_nor_other_reads() -> None:
    """While one query waits, another thread of the pool answers."""
    reader, go_on = Reader(threads=2), threading.Event()
    slow = asyncio.create_task(reader.run(lambda: go_on.wait(WAIT_S)))
    assert await reader.run(Counter.objects.count) == 0
    go_on.set()
    assert await slow is True
    await asyncio.to_thread(reader.stop)


async def test_pool_is_bounded_and_further_reads_queue() -> None:
    """A hundred reads on three threads are all answered by at most three threads."""
    reader = Reader(threads=3)
    found = await asyncio.gather(*(reader.run(threading.get_ident) for _ in range(100)))
    await asyncio.to_thread(reader.stop)
    assert 1 <= len(set(found)) <= 3


@pytest.mark.parametrize("used", [0, 1, 4], ids=["unused", "one-thread-used", "all-used"])
async def test_stop_closes_every_connection(used: int) -> None:
    """However many of its threads have read, the end leaves no connection open."""
    reader, together = Reader(threads=4), threading.Barrier(max(1, used))
    opened: list[Any] = []

    def query() -> None:
        Counter.objects.count()
        opened.append(connection.connection)
        together.wait(WAIT_S)

    await asyncio.gather(*(reader.run(query) for _ in range(used)))
    await asyncio.to_thread(reader.stop)
    assert len(opened) == used
    assert not any(_is_open(raw) for raw in opened)


def _is_open(raw: Any) -> bool:
    """Whether a driver's connection still answers."""
    try:
        raw.execute("SELECT 1")
    except ProgrammingError as error:
        return "closed" not in str(error)
    return True
