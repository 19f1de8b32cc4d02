"""Asking stale answers' questions anew, so that shoppers find a fresh answer and do not wait for one."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from cache.models import Answer
from cache.vetoes import conflicts, stated
from chatbot import answering
from chatbot.asked import Asked, Receipt
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.renewing import SILENT
from chatbot.staleness import adopt_wordings, claim_refresh, is_refresh_noted

if TYPE_CHECKING:
    from chatbot.runtime import Runtime

logger = logging.getLogger(__name__)


async def refresh(runtime: Runtime, answer_ids: list[int]) -> int:
    """Make answers anew, one after the other, in the order given; returns how many were replaced.

    A question that no model can answer now stays stale: the next shopper's question tries again.
    """
    await runtime.catch_up()
    replaced = 0
    for answer_id in answer_ids:
        if runtime.supervisor.draining:
            break
        asked = await runtime.reader.run(partial(_asked, answer_id, runtime))
        if asked is not None and await _refresh_one(runtime, answer_id, asked):
            replaced += 1
    return replaced


async def refresh_noted(runtime: Runtime) -> int:
    """Make anew what a worker in a process of its own has noted; returns how many were replaced."""
    if not await runtime.reader.run(is_refresh_noted):
        return 0
    claim = partial(claim_refresh, now=runtime.clock.now())
    return await refresh(runtime, await runtime.writer.run(claim))


async def _refresh_one(runtime: Runtime, answer_id: int, asked: Asked) -> bool:
    outcome = await answering.answer(asked, desk=runtime.desk, stage=SILENT, receipt=Receipt())
    fresh = outcome.stored
    if fresh is None:
        return False
    products = asked.configuration.products
    mine = stated(asked.text, products=products)
    await runtime.writer.run(
        partial(
            adopt_wordings,
            old_answer_id=answer_id,
            new_answer_id=fresh.answer_id,
            fits=lambda wording: not conflicts(mine, stated(wording, products=products)),
            now=runtime.clock.now(),
        )
    )
    return True


def _asked(answer_id: int, runtime: Runtime) -> Asked | None:
    """The stale answer's first wording as a question that no shopper waits for."""
    answer = Answer.objects.filter(id=answer_id, status__in=(Answer.STALE, Answer.LIVE)).first()
    wording = answer.wordings.order_by("id").first() if answer is not None else None
    if answer is None or wording is None:
        return None
    started_s = runtime.clock.monotonic_s()
    language = answer.partition.split("/")[1]
    return Asked(
        question_id=0,
        conversation_id=0,
        site_id=runtime.configuration.site.id,
        shopper_id=wording.asker_shopper_id or 0,
        client_id="",
        text=wording.text,
        locale=language,
        language="zh-hans" if language == "zh-hans" else "en",
        past_the_cache=False,
        started_s=started_s,
        deadline_s=started_s + QUESTION_DEADLINE_S,
        configuration=runtime.configuration,
        simulated=answer.simulated,
    )
