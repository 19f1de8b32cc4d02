"""What a question gets when its time is over: no model is called any more.

A fixed text, or the shop's best article if one is good enough. It takes a moment, whatever it is that
took so long before: the vector is used only when it comes at once.
"""

from __future__ import annotations

import asyncio
import queue
from functools import partial

import numpy as np
from numpy.typing import NDArray

from chatbot.answering import Desk
from chatbot.asked import Asked, Outcome, Receipt
from chatbot.deciding import decided, planned
from chatbot.searching import articles_for, aside
from chatbot.vectorising import MAX_UNKNOWN_SHARE

VECTOR_WITHIN_S = 0.2


async def answer_overdue(asked: Asked, *, desk: Desk, receipt: Receipt) -> Outcome | None:
    """The answer without a model, or None when no article passes the floor."""
    verdict = await aside(asked, partial(desk.guard.inspect, asked.text, language=asked.language))
    receipt.reason = f"{receipt.reason}; time was over" if receipt.reason else "time was over"
    spoken = desk.speaking.small_talk(asked, verdict)
    if spoken is not None:
        return spoken
    vector = await _vector(asked, desk=desk)
    plan = planned(asked, verdict, now=desk.clock.now())
    tier = await decided(plan, asked, vector, receipt=receipt)
    found = await articles_for(asked, reader=desk.reader, verdict=verdict, vector=vector)
    if not found:
        return None
    return desk.speaking.article_instead(asked, verdict=verdict, tier=tier, found=found)


async def _vector(asked: Asked, *, desk: Desk) -> NDArray[np.float32] | None:
    try:
        async with asyncio.timeout(VECTOR_WITHIN_S):
            embedded = await desk.embedder.embed(asked.text)
    except (TimeoutError, queue.Full):
        return None
    speaks = embedded.unknown_share <= MAX_UNKNOWN_SHARE and embedded.fits
    return embedded.vector if speaks else None
