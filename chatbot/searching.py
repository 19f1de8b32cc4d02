"""What a question is answered from: the shop's articles and the turns before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from base.reader import Reader
from chatbot import transcript
from chatbot.asked import Asked
from chatbot.guard import Verdict
from chatbot.knowledge import Found

LONG_TEXT_CHARACTERS = 300
TURNS_BEFORE = 3
T = TypeVar("T")


async def articles_for(
    asked: Asked, *, reader: Reader, verdict: Verdict, vector: NDArray[np.float32] | None
) -> list[Found]:
    """The shop's articles for this question, best first; empty when none passes the floor."""
    knowledge = asked.configuration.knowledge.get(asked.language)
    if knowledge is None:
        return []
    subject = await _subject(asked, verdict=verdict, reader=reader)
    speaks = vector if subject == asked.text else None
    return await aside(asked, partial(knowledge.search, subject, vector=speaks))


async def aside(asked: Asked, work: Callable[[], T]) -> T:
    """Run pure work on the question: at once when it is short, in a thread when it is long."""
    if len(asked.text) <= LONG_TEXT_CHARACTERS:
        return work()
    return await asyncio.to_thread(work)


async def last_turns(asked: Asked, *, reader: Reader) -> list[transcript.Turn]:
    """The newest answered turns before the question, oldest first."""
    return await reader.run(
        partial(
            transcript.last_turns,
            asked.conversation_id,
            before_question_id=asked.question_id,
            count=TURNS_BEFORE,
        )
    )


async def _subject(asked: Asked, *, verdict: Verdict, reader: Reader) -> str:
    """What to search articles for: a leaning question is searched together with the turn before it."""
    if not verdict.leaning:
        return asked.text
    turns = await last_turns(asked, reader=reader)
    return f"{turns[-1].question} {asked.text}" if turns else asked.text
