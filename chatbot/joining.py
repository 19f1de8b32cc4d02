"""Asking once what many ask at the same time: the same words before, the same meaning after a look-up that missed.

Who joins gets the leader's answer only if it may be shared: it was stored, and may be served now, or it is
one of the shop's own articles. Else everyone goes their own way at once. The wait ends early enough to go it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cache.decision import Candidate
from cache.inflight import Flight, Shared
from cache.joining import Asking, Followed, Lead, lead_or_follow
from cache.normalize import key_of
from cache.store import Entry
from cache.vetoes import conflicts, stated
from chatbot.asked import Asked, CacheOutcome, Outcome, Receipt
from chatbot.borrowed import instructs
from chatbot.deadlines import DEADLINE_S
from routing.classifier import Classified

if TYPE_CHECKING:
    from chatbot.answering import Desk

# What is left of a question's time when it stops waiting for another one.
OWN_WAY_S = 3.0
_SHOWN = 80
OwnWay = Callable[[], Awaitable[Outcome]]


class Serve(Protocol):
    """Turns a stored answer into an outcome."""

    def __call__(
        self, entry: Entry, asked: Asked, /, *, cache: CacheOutcome, cosine: float | None
    ) -> Outcome: ...


async def by_words(
    asked: Asked,
    *,
    key: str,
    desk: Desk,
    receipt: Receipt,
    serve: Serve,
    own: OwnWay,
    alone: OwnWay,
) -> Outcome:
    """Join the same words of this process, or lead on one's `own` way; after joining in vain go on `alone`.

    An article that stands for an answer serves all: they would wait in vain for the same models.
    """
    flight = await _flight(asked, key=key, desk=desk)
    if flight is None:
        receipt.guards.append("joined the same words, which took too long")
        return await alone()
    if isinstance(flight, Shared):
        same = _same(flight.value, asked, receipt=receipt, serve=serve)
        return await alone() if same is None else same
    try:
        outcome = await own()
        flight.land(outcome if _may_be_shared(outcome) else None)
        return outcome
    finally:
        flight.abandon()


async def _flight(
    asked: Asked, *, key: str, desk: Desk
) -> Flight[Outcome] | Shared[Outcome] | None:
    """Lead or wait; None when only the time to go one's own way is left."""
    try:
        async with asyncio.timeout(asked.deadline_s - OWN_WAY_S - desk.clock.monotonic_s()):
            return await desk.flights.lead_or_wait(f"{asked.partition}\n{key}")
    except TimeoutError:
        return None


def _same(left: Outcome | None, asked: Asked, *, receipt: Receipt, serve: Serve) -> Outcome | None:
    """What the same words led to, if it still holds for `asked`; an article may have changed meanwhile."""
    if left is None:
        return None
    receipt.reason = "the same question was being answered"
    entry = left.entry or left.stored
    if entry is None:
        sources = [(article.key, article.locale, article.version) for article in left.sources]
        return replace(left, cache="joined") if asked.stands(sources) else None
    if not asked.is_current(entry):
        return None
    if left.cosine is not None:
        receipt.nearest = Candidate(entry=entry, text=entry.wording, cosine=left.cosine)
    return serve(entry, asked, cache="joined", cosine=left.cosine)


async def by_meaning(
    asked: Asked,
    vector: NDArray[np.float32] | None,
    *,
    tier: Classified,
    desk: Desk,
    receipt: Receipt,
    serve: Serve,
    own: OwnWay,
) -> Outcome:
    """Join a question in flight of any process, or lead; without a vector only the same words."""
    if instructs(asked.text):
        return await own()
    place = await _place(asked, vector, tier=tier, desk=desk)
    if place is None:
        receipt.guards.append("joined a question in flight, which took too long")
        return await own()
    if isinstance(place, Followed):
        joined = _followed(place, asked, desk=desk, receipt=receipt, serve=serve)
        return await own() if joined is None else joined
    try:
        outcome = await own()
        place.land(_note(outcome) if _may_be_shared(outcome) else None)
        return outcome
    finally:
        place.abandon()


async def _place(
    asked: Asked, vector: NDArray[np.float32] | None, *, tier: Classified, desk: Desk
) -> Lead | Followed | None:
    products = asked.configuration.products
    mine = stated(asked.text, products=products)
    ends_s = min(asked.deadline_s, asked.started_s + DEADLINE_S[tier.tier])
    return await lead_or_follow(
        desk.joins,
        Asking(partition=asked.partition, key=key_of(asked.text), text=asked.text, vector=vector),
        forbids=lambda text: bool(conflicts(mine, stated(text, products=products))),
        within_s=ends_s - OWN_WAY_S - desk.clock.monotonic_s(),
    )


def _followed(
    place: Followed, asked: Asked, *, desk: Desk, receipt: Receipt, serve: Serve
) -> Outcome | None:
    """The leader's answer for this question; None when there is none that may be served."""
    if place.note is None:
        return None
    receipt.reason = _reason(place)
    note = json.loads(place.note)
    if "text" in note:
        return _article(note, asked)
    entry = desk.store.exact(asked.partition, note["key"], is_current=asked.is_current)
    if entry is None:
        return None
    if place.cosine is not None:
        receipt.nearest = Candidate(entry=entry, text=place.text, cosine=place.cosine)
        receipt.vetoes = ()
    return serve(entry, asked, cache="joined", cosine=place.cosine)


def _reason(place: Followed) -> str:
    shown = place.text if len(place.text) <= _SHOWN else f"{place.text[:_SHOWN]}…"
    how = "the same words" if place.cosine is None else f"cosine {place.cosine:.3f}"
    return f"joined “{shown}” while it was being answered: {how}"


def _may_be_shared(outcome: Outcome) -> bool:
    return outcome.entry is not None or outcome.stored is not None or outcome.origin == "article"


def _note(outcome: Outcome) -> str:
    """Where others find the answer; an article is in no store, so it is sent."""
    entry = outcome.entry or outcome.stored
    if entry is not None:
        return json.dumps({"key": entry.key})
    sources = [(article.key, article.locale, article.version) for article in outcome.sources]
    return json.dumps({"text": outcome.text, "tier": outcome.tier, "sources": sources})


def _article(note: dict[str, Any], asked: Asked) -> Outcome | None:
    """The article that the leader got in the place of an answer, if it still reads so."""
    articles = asked.configuration.articles
    sources = [(key, locale, version) for key, locale, version in note["sources"]]
    if not asked.stands(sources):
        return None
    return Outcome(
        text=note["text"],
        origin="article",
        cache="joined",
        tier=note["tier"],
        sources=tuple(articles[key, locale] for key, locale, _ in sources),
    )
