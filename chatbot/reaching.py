"""From an admin page, which runs in a thread, to the loop of the process that serves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from chatbot.runtime import Runtime

T = TypeVar("T")


def in_loop(work: Coroutine[Any, Any, T], *, runtime: Runtime, within_s: float) -> T:
    """The result of `work`, run on the serving loop. Raises TimeoutError, after cancelling it."""
    running = asyncio.run_coroutine_threadsafe(work, runtime.loop)
    try:
        return running.result(timeout=within_s)
    except TimeoutError:
        running.cancel()
        raise
