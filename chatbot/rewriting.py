"""A follow-up in words of its own, by the cheapest tier's model, so that it may use the shared cache.

Only the rewritten question goes on: it is looked up, answered from articles alone, and stored under
its own words. Nothing of the conversation travels with it. Where anything speaks against that
(`standalone.py`), or no model answers in time, the follow-up is answered from its conversation
and stays out of the cache.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from django.conf import settings

from base.clock import Clock
from base.reader import Reader
from chatbot.asked import Asked, Receipt
from chatbot.guard import Guard, Verdict
from chatbot.searching import aside, last_turns
from chatbot.standalone import against_turns, objection
from chatbot.transcript import Turn
from routing.dispatch import Answered, Dispatcher
from routing.errors import Exhausted, TooLarge
from routing.specs import FinishReason, Message, Prompt, Tier

REWRITE_TOKENS = 80
REWRITE_WITHIN_S = 4.0
ANSWER_CHARACTERS = 300
LONGEST_FOLLOW_UP = 300
_TAG = re.compile(r"<(?=\s*/?\s*(?:earlier|follow-up))", re.IGNORECASE)
TEMPLATE_PATH = Path(__file__).resolve().parent.parent / "templates" / "prompts" / "rewrite.txt"
TEMPLATE = TEMPLATE_PATH.read_text(encoding="utf-8")


class Rewriting:
    """Rewrites follow-ups; holds no state about any of them."""

    def __init__(
        self, *, guard: Guard, dispatcher: Dispatcher, reader: Reader, clock: Clock
    ) -> None:
        self._guard = guard
        self._dispatcher = dispatcher
        self._reader = reader
        self._clock = clock
        self.enabled: bool = settings.REWRITE_FOLLOW_UPS

    async def standalone(
        self, asked: Asked, *, verdict: Verdict, receipt: Receipt
    ) -> tuple[Asked, Verdict] | None:
        """The question in words of its own with its verdict, or None: it stays as it is.

        The receipt says which words, or why not.
        """
        if not self._may_try(asked, verdict):
            return None
        turns = await last_turns(asked, reader=self._reader)
        if not turns:
            return None
        against = await aside(
            asked, partial(against_turns, turns, guard=self._guard, language=asked.language)
        )
        if against is None:
            rewritten = await self._rewritten(asked, turns=turns, receipt=receipt)
            against = objection(
                rewritten,
                follow_up=asked.text,
                turns=turns,
                language=asked.language,
                guard=self._guard,
                products=asked.configuration.products,
            )
        if against is not None:
            receipt.guards.append(f"not rewritten: {against}")
            return None
        receipt.guards.append(f"rewritten to stand alone: {rewritten}")
        return replace(asked, text=rewritten), self._guard.inspect(
            rewritten, language=asked.language
        )

    def _may_try(self, asked: Asked, verdict: Verdict) -> bool:
        only_leaning = bool(verdict.leaning) and not verdict.personal and not verdict.abusive
        return (
            self.enabled
            and only_leaning
            and not asked.past_the_cache
            and len(asked.text) <= LONGEST_FOLLOW_UP
        )

    async def _rewritten(self, asked: Asked, *, turns: Sequence[Turn], receipt: Receipt) -> str:
        """What the model wrote, on one line; empty when none did in time."""
        now_s = self._clock.monotonic_s()
        ends_s = min(now_s + REWRITE_WITHIN_S, asked.deadline_s)
        try:
            async with asyncio.timeout(ends_s - now_s):
                answered = await self._call(asked, turns=turns, deadline_s=ends_s)
        except (Exhausted, TooLarge, TimeoutError):
            return ""
        receipt.side_cost_nanousd += answered.cost_nanousd
        if answered.reply.finish_reason is not FinishReason.STOP:
            return ""
        return answered.reply.text.strip()

    async def _call(self, asked: Asked, *, turns: Sequence[Turn], deadline_s: float) -> Answered:
        return await self._dispatcher.complete(
            prompt_for(asked.text, turns=turns),
            chain=asked.configuration.routing.chains[Tier.FAQ],
            tier=Tier.FAQ,
            question_id=asked.question_id or None,
            site_id=asked.site_id,
            deadline_s=deadline_s,
            max_output_tokens=REWRITE_TOKENS,
            end_user=f"shopper-{asked.shopper_id}",
            on_delta=_unseen,
            on_restart=_unseen,
            on_wait=_unseen,
        )


def prompt_for(follow_up: str, *, turns: Sequence[Turn]) -> Prompt:
    """The request: fixed rules, then the turns and the follow-up as material."""
    lines = [
        line
        for turn in turns
        for line in (
            f"Shopper: {_line(turn.question)}",
            f"Shop: {_line(turn.answer)[:ANSWER_CHARACTERS]}",
        )
    ]
    earlier = "\n".join(lines)
    content = f"<earlier>\n{earlier}\n</earlier>\n<follow-up>\n{_line(follow_up)}\n</follow-up>"
    return Prompt(system=TEMPLATE, messages=(Message(role="user", content=content),))


def _line(text: str) -> str:
    """On one line, unable to leave its place."""
    return _TAG.sub("< ", " ".join(text.split()))


async def _unseen(*_: object) -> None:
    """Nothing of it is shown."""
