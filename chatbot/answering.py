"""The story of one question, top to bottom: this file is the table of contents of the product.

    guard -> standalone -> rules -> exact -> embed -> lookup -> classify -> join -> dispatch -> remember

Recording the terminal state is the supervisor's (`supervisor.py`), which also sees to it that whatever
happens here ends in exactly one terminal state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from base.clock import Clock
from base.reader import Reader
from cache.decision import Candidate
from cache.embedding import Embedder
from cache.inflight import InFlight
from cache.joining import Joins
from cache.normalize import key_of
from cache.policy import BESIDE_THE_QUESTION
from cache.store import Entry, Store
from chatbot import joining
from chatbot.asked import Asked, Outcome, Receipt, Stage, Unsure, nobody_to_ask
from chatbot.configuration import Configuration
from chatbot.deadlines import DEADLINE_S, ENDING_S
from chatbot.deciding import Plan, begun, decided
from chatbot.doubts import Doubts
from chatbot.guard import Guard, Verdict
from chatbot.knowledge import Found
from chatbot.looking_up import look_up, sight_of
from chatbot.renewing import Renewing
from chatbot.rewriting import Rewriting
from chatbot.searching import articles_for, aside, last_turns
from chatbot.serving import confirmed, served
from chatbot.speaking import Speaking
from routing.chains import chain_for
from routing.classifier import Classified
from routing.dispatch import Dispatcher
from routing.errors import Exhausted, TooLarge


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that answering works with; one per process."""

    guard: Guard
    embedder: Embedder
    store: Store
    flights: InFlight[Outcome]
    joins: Joins
    doubts: Doubts
    renewing: Renewing
    dispatcher: Dispatcher
    speaking: Speaking
    rewriting: Rewriting
    reader: Reader
    clock: Clock
    configuration: Callable[[], Configuration]


async def answer(asked: Asked, *, desk: Desk, stage: Stage, receipt: Receipt) -> Outcome:
    """Answer one question. Raises routing or cancellation errors; the supervisor ends those."""
    verdict = await aside(asked, partial(desk.guard.inspect, asked.text, language=asked.language))
    receipt.guards = verdict.notes
    spoken = desk.speaking.small_talk(asked, verdict)
    if spoken is not None:
        receipt.reason = "answered from a fixed text"
        return spoken
    standalone = await desk.rewriting.standalone(asked, verdict=verdict, receipt=receipt)
    if standalone is not None:
        asked, verdict = standalone
        stage = replace(stage, offer=nobody_to_ask)
    plan = await begun(asked, verdict, desk=desk, receipt=receipt)
    told = desk.speaking.by_rule(asked, plan.decided, verdict=verdict, receipt=receipt)
    if told is not None:
        return told
    asked = asked.under(plan.actions)
    if asked.beside_the_cache or not verdict.may_share:
        receipt.reason = asked.why_beside or "not for the shared cache"
        return await think(asked, plan, desk=desk, stage=stage, receipt=receipt, verdict=verdict)

    chosen = confirmed(asked, store=desk.store, receipt=receipt)
    if chosen is not None:
        return chosen
    key = key_of(asked.text)
    entry = desk.store.exact(asked.partition, key, is_current=asked.is_current)
    if entry is not None:
        receipt.reason = "the same wording was answered before"
        return served(entry, asked, cache="exact", cosine=None)

    old = desk.store.exact(asked.partition, key, is_current=asked.may_be_stale)
    for_somebody = asked.question_id != 0
    if (
        old is not None
        and for_somebody
        and desk.renewing.begin(asked, old, think=partial(anew, desk, verdict, plan))
    ):
        receipt.reason = (
            "its article has changed; staff allow the old answer until the new one is made"
        )
        return served(old, asked, cache="stale", cosine=None)

    own = partial(think, asked, plan, desk=desk, stage=stage, receipt=receipt, verdict=verdict)
    return await joining.by_words(
        asked,
        key=key,
        desk=desk,
        receipt=receipt,
        serve=served,
        own=own,
        alone=partial(own, may_join=False),
    )


async def anew(
    desk: Desk, verdict: Verdict, plan: Plan, asked: Asked, stage: Stage, receipt: Receipt
) -> Outcome:
    """Make an answer behind an old one that is served meanwhile."""
    return await think(asked, plan, desk=desk, stage=stage, receipt=receipt, verdict=verdict)


async def think(
    asked: Asked,
    plan: Plan,
    *,
    desk: Desk,
    stage: Stage,
    receipt: Receipt,
    verdict: Verdict,
    may_join: bool = True,
) -> Outcome:
    """Embed, look up, classify, join, else make."""
    vector = await plan.seen(asked, desk=desk, receipt=receipt)
    may_share = verdict.may_share and not asked.beside_the_cache
    options: tuple[Candidate[Entry], ...] = ()
    sight = sight_of(asked, vector) if may_share else None
    if sight is not None:
        decision = await look_up(asked, sight, store=desk.store)
        receipt.note(decision)
        if decision.hit is not None:
            return served(decision.hit.entry, asked, cache="semantic", cosine=decision.hit.cosine)
        options = decision.options

    tier = await decided(plan, asked, vector, receipt=receipt)
    asked = asked.under(tier.actions)
    if options and await stage.offer(options, tier.tier):
        raise Unsure
    own = partial(
        make,
        asked,
        desk=desk,
        stage=stage,
        receipt=receipt,
        verdict=verdict,
        tier=tier,
        vector=vector,
    )
    if not (may_share and may_join):
        return await own()
    return await joining.by_meaning(
        asked, vector, tier=tier, desk=desk, receipt=receipt, serve=served, own=own
    )


async def make(
    asked: Asked,
    *,
    desk: Desk,
    stage: Stage,
    receipt: Receipt,
    verdict: Verdict,
    tier: Classified,
    vector: NDArray[np.float32] | None,
) -> Outcome:
    """A new answer: from the articles, by a model or as they stand."""
    found = await articles_for(asked, reader=desk.reader, verdict=verdict, vector=vector)
    if not found:
        return desk.speaking.no_article(asked, verdict=verdict, tier=tier, receipt=receipt)
    if verdict.may_share and not asked.beside_the_cache and desk.doubts.stand(asked, found=found):
        receipt.reason = "asked before, and a model's answer hardly fitted: the article instead"
        return desk.speaking.article_instead(asked, verdict=verdict, tier=tier, found=found)
    return await ask_model(
        asked,
        desk=desk,
        stage=stage,
        receipt=receipt,
        verdict=verdict,
        tier=tier,
        found=found,
        vector=vector,
    )


async def ask_model(
    asked: Asked,
    *,
    desk: Desk,
    stage: Stage,
    receipt: Receipt,
    verdict: Verdict,
    tier: Classified,
    found: list[Found],
    vector: NDArray[np.float32] | None,
) -> Outcome:
    """Let the tier's chain answer from the articles; the shop's best article when no model can."""
    turns = await last_turns(asked, reader=desk.reader) if verdict.leaning else []
    telling = desk.speaking.telling(asked, verdict=verdict, stage=stage)
    ends_s = min(asked.deadline_s, asked.started_s + DEADLINE_S[tier.tier])
    try:
        built = desk.speaking.prompt(
            asked, verdict=verdict, found=found, turns=turns, now=desk.clock.now()
        )
        # The dispatcher ends by itself before this; were it held up, the article would be late.
        async with asyncio.timeout(ends_s - ENDING_S / 2 - desk.clock.monotonic_s()):
            await telling.begin()
            answered = await desk.dispatcher.complete(
                built.prompt,
                chain=chain_for(asked.configuration.routing, tier.tier, tier.actions),
                tier=tier.tier,
                question_id=asked.question_id or None,
                site_id=asked.site_id,
                deadline_s=ends_s - ENDING_S,
                max_output_tokens=tier.actions.at_most(desk.speaking.answer_tokens),
                end_user=f"shopper-{asked.shopper_id}",
                on_delta=telling.delta,
                on_restart=telling.restart,
                on_wait=stage.wait,
            )
    except (Exhausted, TooLarge, TimeoutError) as error:
        why = f"no model: {str(error) or 'none ended in time'}"
        receipt.reason = f"{receipt.reason}; {why}" if receipt.reason else why
        await telling.discard()
        return desk.speaking.article_instead(asked, verdict=verdict, tier=tier, found=found)
    told = await telling.end(answered, built=built, tier=tier, bypass=not verdict.may_share)
    if told.outcome.origin != "model":
        return told.outcome
    stored = await desk.speaking.remember(
        told,
        asked=asked,
        desk_store=desk.store,
        verdict=verdict,
        receipt=receipt,
        built=built,
        found=found,
        vector=vector,
    )
    if BESIDE_THE_QUESTION in receipt.objections:
        desk.doubts.note(asked, found=found)
    return told.with_stored(stored)
