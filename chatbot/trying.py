"""A staff member's test question put to a model: through the dispatcher like any other call, and stored nowhere.

The call is booked under the site and no question, behind shoppers in the queue; the vendor is told that
staff asked. The answer goes through what shoppers' answers go through (marks, refusals, invented figures).
"""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.asked import Stage
from chatbot.explaining import Explained
from chatbot.runtime import Runtime
from routing.chains import chain_for
from routing.errors import Exhausted, TooLarge

WITHIN_S = 25.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a shopper would read, who wrote it and what that cost; `problem` in place of them."""

    text: str = ""
    model: str = ""
    model_id: int | None = None
    cost_nanousd: int = 0
    origin: str = ""
    tokens: str = ""
    problem: str = ""


async def try_with_model(explained: Explained, *, staff_id: int, runtime: Runtime) -> Tried:
    """Let the chain answer. Nothing enters the cache, whatever the answer is like."""
    built, asked, tier = explained.prompt, explained.match.asked, explained.tier
    if built is None:
        return Tried(problem="No model is asked for this text.")
    verdict, speaking = explained.match.guard, runtime.desk.speaking
    telling = speaking.telling(asked, verdict=verdict, stage=_UNSEEN)
    await telling.begin()
    try:
        answered = await runtime.desk.dispatcher.complete(
            built.prompt,
            chain=chain_for(asked.configuration.routing, tier.tier, tier.actions),
            tier=tier.tier,
            question_id=None,
            site_id=asked.site_id,
            deadline_s=runtime.clock.monotonic_s() + WITHIN_S,
            max_output_tokens=explained.answer_tokens,
            end_user=f"staff-{staff_id}",
            on_delta=telling.delta,
            on_restart=telling.restart,
            on_wait=_unseen,
        )
    except (Exhausted, TooLarge) as error:
        return Tried(problem=f"No model answered: {error}")
    told = await telling.end(answered, built=built, tier=tier, bypass=True)
    usage = answered.reply.usage
    return Tried(
        text=told.outcome.text,
        model=answered.model.label,
        model_id=answered.model.id,
        cost_nanousd=answered.cost_nanousd,
        origin=told.outcome.origin,
        tokens=f"{usage.input_tokens} + {usage.output_tokens}" if usage else "",
    )


async def _unseen(*_: object) -> None:
    """Nobody watches it being written."""


_UNSEEN = Stage(delta=_unseen, restart=_unseen, wait=_unseen)
