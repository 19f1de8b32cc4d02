"""Questions that an earlier process accepted and did not end: they are taken up again at start."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from chatbot.answering import QUESTION_DEADLINE_S
from chatbot.asked import Asked
from chatbot.models import Question
from chatbot.transcript import open_questions

if TYPE_CHECKING:
    from chatbot.runtime import Runtime

logger = logging.getLogger(__name__)


async def recover(runtime: Runtime) -> int:
    """Answer every open question of this site with a fresh deadline; returns how many there were."""
    questions = await runtime.reader.run(open_questions)
    for question in questions:
        runtime.supervisor.start(_asked(question, runtime))
    if questions:
        logger.info("taking up %s questions that were left open", len(questions))
    return len(questions)


def _asked(question: Question, runtime: Runtime) -> Asked:
    started_s = runtime.clock.monotonic_s()
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
        started_s=started_s,
        deadline_s=started_s + QUESTION_DEADLINE_S,
        configuration=runtime.configuration,
        simulated=question.simulated,
    )
