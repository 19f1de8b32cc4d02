"""What stored wordings a text would meet, and what would become of it: staff search the cache by meaning.

Runs on the serving process's loop with its own parts, so it shows what a shopper would get now; it calls no
model and stores nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from base.text import Language
from cache.decision import Decision
from cache.normalize import canonical, key_of
from cache.store import Entry
from cache.vetoes import conflicts, stated
from chatbot.asked import Asked, unasked
from chatbot.guard import Verdict
from chatbot.looking_up import look_up, sight_of
from chatbot.offering import options_of
from chatbot.runtime import Runtime
from chatbot.vectorising import MAX_UNKNOWN_SHARE

NO_VECTOR = "no vector: the exact tier alone decides"


@dataclass(frozen=True, slots=True)
class Near:
    """A stored wording near the text. `cosine` is None for the same words."""

    entry: Entry
    cosine: float | None
    vetoes: tuple[str, ...]
    outdated: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Match:
    """The way of one text through the cache. `asked` and `guard` are what the steps after it need.

    `probability` is how sure the decision was of the favoured answer, None without one; `options` are wordings
    that a shopper would be asked about.
    """

    asked: Asked
    guard: Verdict
    vector: NDArray[np.float32] | None
    canonical: str
    notes: tuple[str, ...]
    may_share: bool
    embedding: str
    exact: Near | None
    near: tuple[Near, ...]
    verdict: str
    reason: str
    options: tuple[str, ...] = ()
    probability: float | None = None
    judged_by: str = ""


async def match(text: str, *, language: Language, runtime: Runtime) -> Match:
    """Guard, exact tier, neighbours and decision for `text`."""
    asked = unasked(
        text,
        language=language,
        configuration=runtime.configuration,
        simulated=runtime.simulated,
        now_s=runtime.clock.monotonic_s(),
    )
    verdict = runtime.desk.guard.inspect(text, language=language)
    vector, embedding = await _vector(text, runtime)
    exact = _exact(asked, runtime)
    near, meaning, decision = await _near(asked, vector, runtime)
    return Match(
        asked=asked,
        guard=verdict,
        vector=vector,
        canonical=canonical(text),
        notes=tuple(verdict.notes),
        may_share=verdict.may_share,
        embedding=embedding,
        exact=exact,
        near=near,
        verdict=_verdict(may_share=verdict.may_share, exact=exact, by_meaning=meaning),
        reason=NO_VECTOR if decision is None else decision.reason,
        options=tuple(item.question for item in options_of(decision.options)) if decision else (),
        probability=decision.probability if decision else None,
        judged_by=decision.judged_by if decision else "",
    )


def _verdict(*, may_share: bool, exact: Near | None, by_meaning: str) -> str:
    if not may_share:
        return "refused"
    if exact is not None and not exact.outdated:
        return "exact"
    return by_meaning


async def _vector(text: str, runtime: Runtime) -> tuple[NDArray[np.float32] | None, str]:
    embedded = await runtime.embedder.embed(text)
    shown = f"{embedded.unknown_share:.0%} of the word pieces are unknown"
    if embedded.unknown_share > MAX_UNKNOWN_SHARE:
        return None, f"{shown}: too many, so it is found by its exact words only"
    if not embedded.fits:
        return None, "longer than the model's window, so it is found by its exact words only"
    return embedded.vector, shown


def _exact(asked: Asked, runtime: Runtime) -> Near | None:
    entry = runtime.store.exact(asked.partition, key_of(asked.text), is_current=lambda _: True)
    if entry is None:
        return None
    outdated = not _stands(entry, asked)
    return Near(entry=entry, cosine=None, vetoes=(), outdated=outdated, chosen=not outdated)


async def _near(
    asked: Asked, vector: NDArray[np.float32] | None, runtime: Runtime
) -> tuple[tuple[Near, ...], str, Decision[Entry] | None]:
    """The neighbours with what speaks against each, then what the decision says; None without a look-up."""
    sight = sight_of(asked, vector)
    if sight is None:
        return (), "miss", None
    decision = await look_up(asked, sight, store=runtime.store)
    products = asked.configuration.products
    mine = stated(asked.text, products=products)
    found = await runtime.store.nearest(
        asked.partition, sight.vector, is_current=lambda _: True, space=sight.space
    )
    hit = decision.hit.entry.wording_id if decision.hit is not None else None
    near = tuple(
        Near(
            entry=item.entry,
            cosine=item.cosine,
            vetoes=conflicts(mine, stated(item.text, products=products)),
            outdated=not _stands(item.entry, asked),
            chosen=item.entry.wording_id == hit,
        )
        for item in found
    )
    kind = "semantic" if decision.hit is not None else ("options" if decision.options else "miss")
    return near, kind, decision


def _stands(entry: Entry, asked: Asked) -> bool:
    versions = asked.configuration.article_versions
    return all(versions.get((key, locale)) == version for key, locale, version in entry.sources)
