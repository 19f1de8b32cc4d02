"""A question's vector, when the embedding model can judge its words and is free in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cache.embedding import Embedded
from chatbot.asked import Asked, Receipt
from chatbot.deadlines import EMBED_WITHIN_S

if TYPE_CHECKING:
    from chatbot.answering import Desk

MAX_UNKNOWN_SHARE = 0.10


async def embed(asked: Asked, *, desk: Desk, receipt: Receipt) -> NDArray[np.float32] | None:
    """The question's unit vector, or None: the model is too busy, does not know the words, or cannot see the end."""
    if asked.configuration.engine_id != desk.embedder.engine_id:
        receipt.guards.append("coverage: the embedding model is being changed")
        return None
    embedded = await _embedded_in_time(asked, desk=desk)
    if embedded is None:
        receipt.guards.append(f"coverage: no vector within {EMBED_WITHIN_S:g} s")
    elif embedded.unknown_share > MAX_UNKNOWN_SHARE:
        receipt.guards.append(
            f"coverage: {embedded.unknown_share:.0%} of the word pieces are unknown"
        )
    elif not embedded.fits:
        receipt.guards.append("coverage: longer than the model's window")
    else:
        return embedded.vector
    receipt.reason = receipt.reason or "exact tier only: the embedding model cannot judge this text"
    return None


async def _embedded_in_time(asked: Asked, *, desk: Desk) -> Embedded | None:
    try:
        async with asyncio.timeout(asked.started_s + EMBED_WITHIN_S - desk.clock.monotonic_s()):
            return await desk.embedder.embed(asked.text)
    except TimeoutError:
        return None
