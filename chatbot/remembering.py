"""Whether an answer may be stored for everyone, and as what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cache.normalize import key_of
from cache.policy import Proposal, objections
from cache.store import Entry, NewAnswer
from cache.vetoes import conflicts, stated
from chatbot.admission import Admission
from chatbot.asked import Asked, Outcome
from chatbot.borrowed import borrowed_words, foreign_addresses, instructs
from chatbot.guard import Verdict, identifier_marks
from chatbot.knowledge import ArticleText, Found, unsupported_figures
from chatbot.lifetimes import is_over, life_of, next_end
from chatbot.models import Article
from chatbot.prompts import PROMPT_VERSION, BuiltPrompt
from chatbot.relevance import Relevance, admits_not_knowing
from chatbot.suspicion import suspicions


@dataclass(frozen=True, slots=True)
class Told:
    """A finished answer with the facts that decide whether it may be stored."""

    outcome: Outcome
    finished: bool
    cited: frozenset[str]

    def with_stored(self, stored: Entry | None) -> Outcome:
        """The outcome, naming the entry that was stored for others, if any."""
        return replace(self.outcome, stored=stored)


def against_sharing(
    told: Told,
    *,
    asked: Asked,
    verdict: Verdict,
    built: BuiltPrompt,
    found: Sequence[Found],
    vector: NDArray[np.float32] | None,
    relevance: Relevance,
    now: datetime | None = None,
) -> tuple[str, ...]:
    """What speaks against storing an answer for everyone; `found` is what retrieval gave, best first.

    `now` decides whether what it says holds still; None = that is not asked.
    """
    text, cited = told.outcome.text, _cited(told, built)
    return objections(
        Proposal(
            question_may_be_shared=verdict.may_share
            and not asked.past_the_cache
            and not asked.unkept
            and not instructs(asked.text),
            prompt_held_only_articles=built.turns == 0,
            finished=told.finished,
            declined=admits_not_knowing(text),
            beside_the_question=bool(cited)
            and relevance.is_beside(
                asked.text,
                language=asked.language,
                vector=vector,
                found=found,
                cited=told.cited,
            ),
            cited=told.cited,
            offered=frozenset(article.key for article in built.offered),
            unsupported_figures=(
                *unsupported_figures(text, articles=cited),
                *foreign_addresses(text, articles=cited),
            ),
            personal_marks=identifier_marks(text),
            borrowed=borrowed_words(asked.text, text, articles=cited),
            is_over=now is not None and is_over(text, now=now, zone=_zone(asked)),
        )
    )


def sources_of(told: Told, built: BuiltPrompt) -> tuple[tuple[str, str, int], ...]:
    """Key, locale and version of every article that the answer rests on."""
    return tuple((article.key, article.locale, article.version) for article in _cited(told, built))


def new_answer(
    told: Told,
    *,
    asked: Asked,
    vector: NDArray[np.float32] | None,
    sources: tuple[tuple[str, str, int], ...],
    now: datetime,
) -> NewAnswer:
    """The row that serves everyone from now on, asked for in this shopper's words."""
    outcome, articles = told.outcome, asked.configuration.articles
    topics = {
        articles[key, locale].topic for key, locale, _ in sources if (key, locale) in articles
    }
    return NewAnswer(
        partition=asked.partition,
        key=key_of(asked.text),
        wording=asked.text,
        vector=vector,
        text=outcome.text,
        origin="model",
        model=outcome.model or "",
        prompt_version=PROMPT_VERSION,
        tier=outcome.tier or "",
        asker_shopper_id=asked.shopper_id,
        life=life_of(topics, days=asked.configuration.site.answer_days),
        cost_nanousd=outcome.cost_nanousd,
        sources=sources,
        simulated=asked.simulated,
        until=next_end(outcome.text, now=now, zone=_zone(asked)),
    )


def admission_of(
    new: NewAnswer, *, asked: Asked, engine_id: str, now: Callable[[], datetime]
) -> Admission:
    """What the store asks inside its transaction, before it writes this answer."""
    products = asked.configuration.products
    return Admission(
        new=new,
        stands=partial(versions_stand, asked.site_id, new.sources),
        suspicions=suspicions(asked.text, language=asked.language),
        differs=lambda a, b: bool(
            conflicts(stated(a, products=products), stated(b, products=products))
        ),
        engine_id=engine_id,
        now=now,
        by_a_shopper=asked.question_id != 0,
    )


def versions_stand(site_id: int, sources: Sequence[tuple[str, str, int]]) -> bool:
    """Whether the articles still stand at these versions; runs inside the writing transaction."""
    return all(
        Article.objects.filter(
            site_id=site_id, key=key, locale=locale, version=version, enabled=True
        ).exists()
        for key, locale, version in sources
    )


def _zone(asked: Asked) -> ZoneInfo:
    return ZoneInfo(asked.configuration.site.time_zone)


def _cited(told: Told, built: BuiltPrompt) -> list[ArticleText]:
    return [article for article in built.offered if article.key in told.cited]
