"""Serving a stored answer: which one may be served to a question, and the outcome that does it."""

from __future__ import annotations

from cache.store import Entry, Store
from chatbot.asked import Asked, CacheOutcome, Outcome, Receipt


def served(entry: Entry, asked: Asked, *, cache: CacheOutcome, cosine: float | None) -> Outcome:
    """The outcome that serves a stored answer."""
    articles = asked.configuration.articles
    return Outcome(
        text=entry.text,
        origin="cache",
        cache=cache,
        tier=entry.tier or None,
        model=entry.model or None,
        cosine=cosine,
        sources=tuple(
            articles[key, locale] for key, locale, _ in entry.sources if (key, locale) in articles
        ),
        checked_at=entry.checked_at,
        entry=entry,
    )


def confirmed(asked: Asked, *, store: Store, receipt: Receipt) -> Outcome | None:
    """The answer of the wording that the shopper said was meant, if it may be served now."""
    if asked.offered is None:
        return None
    choice = asked.offered.choice
    if choice is None:
        receipt.guards.append(asked.offered.note)
        return None
    entry = store.exact(asked.partition, choice.key, is_current=asked.is_current)
    if entry is None:
        receipt.guards.append(f"{asked.offered.note}; its answer is not served any more")
        return None
    receipt.reason = asked.offered.note
    return served(entry, asked, cache="confirmed", cosine=choice.cosine)
