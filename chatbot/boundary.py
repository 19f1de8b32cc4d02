"""Where work in the background that nobody waits for may fail: the one place that catches whatever it is.

Such work is done again or made up for by what runs after it, and it must not take the process's own loops with
it. Answers end in the supervisor, frames in the consumer, outbox rows in their Celery task.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


async def survive(work: Awaitable[T], *, otherwise: str) -> T | None:
    """The result of `work`, or None when it failed: then the log holds the error and this sentence.

    Being cancelled is no failure and goes on to the caller.
    """
    try:
        return await work
    except Exception:  # the boundary of what runs in the background
        logger.exception(otherwise)
        return None
