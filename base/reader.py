"""Reads of the hot path: a small thread pool, so that a slow query never holds the event loop.

Each thread keeps its own database connection. The pool is bounded by its size; waiting reads queue.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connection

T = TypeVar("T")


class Reader:
    """Runs functions that read rows, off the event loop."""

    def __init__(self, *, threads: int = 4) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="reader")

    async def run(self, query: Callable[[], T]) -> T:
        """Run `query` in the pool and return what it returns; its exceptions reach the caller."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _guarded, query)

    def stop(self) -> None:
        """Wait for running reads and close the pool's connections."""
        everyone = threading.Barrier(self._threads)
        for _ in range(self._threads):
            self._pool.submit(_close_own_connection, everyone)
        self._pool.shutdown(wait=True)


def _close_own_connection(everyone: threading.Barrier) -> None:
    """Close this thread's connection; the barrier makes each thread take exactly one such job."""
    everyone.wait()
    connection.close()


def _guarded(query: Callable[[], T]) -> T:
    close_old_connections()
    return query()
