"""Questions that lost their process are taken up: at start, and every few seconds from then on.

A question is open and nobody holds its lease when its process died, was stopped in the middle, or broke off
between the question's acceptance and its first lease. Who claims it answers it with the time that is
left; when none is left, without a model (`overdue.py`). Several processes may do this on one database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError

from base.writer import WriterBusy
from chatbot import leases
from chatbot.asked import Asked
from chatbot.confirmations import offered_for
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.models import Question
from chatbot.refreshing import refresh_noted

if TYPE_CHECKING:
    from chatbot.runtime import Runtime

logger = logging.getLogger(__name__)
RENEW_EVERY_S = 3.0
SWEEP_EVERY_S = 5.0
MOST_AT_ONCE = 500


async def recover(runtime: Runtime) -> int:
    """Take up the open questions of this site that nobody works on; returns how many there were."""
    supervisor = runtime.supervisor
    if supervisor.draining:
        return 0
    questions = await runtime.writer.run(
        partial(
            leases.claim,
            owner=supervisor.owner,
            now=runtime.clock.now(),
            running=supervisor.running,
            at_most=MOST_AT_ONCE,
        )
    )
    for question in questions:
        # Whoever looks may have seen a part of an answer that nobody will finish.
        restart = {"type": "restart", "id": question.client_id}
        runtime.watchers.publish(question.conversation_id, restart)
        supervisor.start(asked_again(question, runtime))
    if questions:
        logger.info("taking up %s questions that were left open", len(questions))
    return len(questions)


def asked_again(question: Question, runtime: Runtime) -> Asked:
    """An accepted question as its row tells it. Its deadline stands; a clock set back adds no time."""
    now, now_s = runtime.clock.now(), runtime.clock.monotonic_s()
    left_s = (question.deadline_at - now).total_seconds()
    return Asked(
        question_id=question.id,
        conversation_id=question.conversation_id,
        site_id=question.conversation.shopper.site_id,
        shopper_id=question.conversation.shopper_id,
        client_id=question.client_id,
        text=question.text,
        locale=question.locale,
        language="zh-hans" if question.language == "zh-hans" else "en",
        past_the_cache=question.retry_of_id is not None,
        started_s=now_s,
        deadline_s=now_s + min(left_s, QUESTION_DEADLINE_S),
        configuration=runtime.configuration,
        simulated=question.simulated,
        earlier_s=max(0.0, (now - question.accepted_at).total_seconds()),
        offered=offered_for(question),
    )


class Watch:
    """A running process's duties: it renews its leases, takes up lapsed ones, and refreshes stale answers."""

    def __init__(self, runtime: Runtime, *, sweep: bool) -> None:
        self._duties: list[tuple[float, Callable[[], Awaitable[object]]]] = [
            (RENEW_EVERY_S, runtime.supervisor.renew_leases)
        ]
        if sweep:
            self._duties.append((SWEEP_EVERY_S, partial(recover, runtime)))
            self._duties.append((SWEEP_EVERY_S, partial(refresh_noted, runtime)))
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; the first round is one period from now."""
        self._tasks = [
            asyncio.create_task(_every(period_s, duty), name=f"every-{period_s:g}-s")
            for period_s, duty in self._duties
        ]

    def stop(self) -> None:
        """End the duties."""
        for task in self._tasks:
            task.cancel()


async def _every(period_s: float, duty: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(period_s)
        try:
            await duty()
        except (DatabaseError, InterfaceError, WriterBusy):
            logger.exception("leases could not be looked after; trying again")
