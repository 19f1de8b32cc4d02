"""What is said: the prompt, the stream as shown, and fixed texts; what is kept of it.

`Telling` carries one model answer from its first delta to its end: marks are stripped on the way, a refusal
to answer is never shown as text, and an answer that states a figure which no article holds is replaced
by the article itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cache.store import Entry, Store
from chatbot.asked import Asked, Outcome, Receipt, Stage
from chatbot.guard import Verdict
from chatbot.knowledge import ArticleText, Found, unsupported_figures
from chatbot.markers import MarkFilter
from chatbot.prompts import ANSWER_TOKENS, BuiltPrompt, build
from chatbot.recognising import recognised
from chatbot.relevance import Relevance
from chatbot.remembering import (
    Told,
    admission_of,
    against_sharing,
    new_answer,
    sources_of,
)
from chatbot.transcript import Turn
from routing.classifier import Classified
from routing.dispatch import Answered
from routing.specs import FinishReason


class Speaking:
    """Texts of one process; holds no state about any question."""

    answer_tokens = ANSWER_TOKENS

    def __init__(self, *, relevance: Relevance, now: Callable[[], datetime]) -> None:
        self._relevance = relevance
        self._now = now

    def small_talk(self, asked: Asked, verdict: Verdict) -> Outcome | None:
        """A fixed answer for a greeting, thanks, a goodbye, or abuse."""
        key = "abusive" if verdict.abusive else verdict.small_talk
        if key is None:
            return None
        return Outcome(text=_say(asked, key), origin="template", cache="bypass")

    def by_rule(
        self, asked: Asked, decided: Classified | None, *, verdict: Verdict, receipt: Receipt
    ) -> Outcome | None:
        """What a rule says in place of an answer: where to find a person, or one of the shop's articles.

        None when no rule does, or its article is not there in the question's language.
        """
        if decided is None or decided.rule is None:
            return None
        said = f"{decided.rule.label} says what is answered"
        if decided.actions.to_person:
            receipt.reason = said
            text, tier = _say(asked, "to_person"), decided.tier.value
            return Outcome(text=text, origin="template", cache="bypass", tier=tier)
        article = asked.configuration.articles.get((decided.actions.article, asked.language))
        if article is None:
            return None
        receipt.reason = said
        lead = self._lead(asked, verdict)
        return _article_outcome(asked, article=article, lead=lead, tier=decided, bypass=True)

    def _lead(self, asked: Asked, verdict: Verdict) -> str:
        return f"{_say(asked, 'no_orders')}\n\n" if verdict.personal else ""

    def no_article(
        self, asked: Asked, *, verdict: Verdict, tier: Classified, receipt: Receipt
    ) -> Outcome:
        """No article answers this: say so, and how to look it up when it is about the shopper's own case."""
        receipt.objections = ("no article answers it",)
        return Outcome(
            text=_say(asked, "no_orders_at_all" if verdict.personal else "no_article"),
            origin="template",
            cache="miss" if verdict.may_share and not asked.beside_the_cache else "bypass",
            tier=tier.tier.value,
        )

    def prompt(
        self,
        asked: Asked,
        *,
        verdict: Verdict,
        found: Sequence[Found],
        turns: Sequence[Turn],
        now: datetime,
    ) -> BuiltPrompt:
        """The request to the model; only one for this shopper alone holds the date. Raises TooLarge."""
        site = asked.configuration.site
        return build(
            asked.text,
            articles=[item.article for item in found],
            turns=turns,
            shop=site.name_in(asked.language),
            tone=site.tone.get(asked.language, ""),
            language=asked.language,
            today=None if verdict.may_share else now.astimezone(ZoneInfo(site.time_zone)).date(),
        )

    def telling(self, asked: Asked, *, verdict: Verdict, stage: Stage) -> Telling:
        """Start telling an answer."""
        return Telling(asked, stage=stage, lead=self._lead(asked, verdict))

    def article_instead(
        self, asked: Asked, *, verdict: Verdict, tier: Classified, found: Sequence[Found]
    ) -> Outcome:
        """The shop's best article, when no model gave an answer."""
        lead = self._lead(asked, verdict)
        return _article_outcome(
            asked, article=found[0].article, lead=lead, tier=tier, bypass=not verdict.may_share
        )

    async def remember(
        self,
        told: Told,
        *,
        asked: Asked,
        desk_store: Store,
        verdict: Verdict,
        receipt: Receipt,
        built: BuiltPrompt,
        found: Sequence[Found],
        vector: NDArray[np.float32] | None,
    ) -> Entry | None:
        """Store the answer for everyone if nothing speaks against it; the receipt names what does."""
        now = self._now()
        receipt.objections = against_sharing(
            told,
            asked=asked,
            verdict=verdict,
            built=built,
            found=found,
            vector=vector,
            relevance=self._relevance,
            now=now,
        )
        if receipt.objections:
            return None
        sources = sources_of(told, built)
        new = recognised(
            new_answer(told, asked=asked, vector=vector, sources=sources, now=now),
            near=receipt.near,
            lexicon=desk_store.answer_words(asked.partition),
        )
        admission = admission_of(new, asked=asked, engine_id=desk_store.engine_id, now=self._now)
        stored = await desk_store.remember(new, still_current=admission)
        receipt.objections = (admission.reason,) if admission.reason else ()
        return stored


class Telling:
    """One model answer on its way to the shopper."""

    def __init__(self, asked: Asked, *, stage: Stage, lead: str) -> None:
        self._asked = asked
        self._stage = stage
        self._lead = lead
        self._marks = MarkFilter()
        self._shown = ""

    async def begin(self) -> None:
        """Say first what is certain."""
        if self._lead:
            await self._stage.delta(self._lead)

    async def delta(self, text: str) -> None:
        """Show a piece of the answer, without marks; nothing of a refusal is shown."""
        shown = self._marks.feed(text)
        if not self._shown:
            shown = shown.lstrip()
        if shown and not self._marks.declined:
            self._shown += shown
            await self._stage.delta(shown)

    async def restart(self) -> None:
        """Another model takes over: forget what was shown."""
        self._marks, self._shown = MarkFilter(), ""
        await self._stage.restart()
        await self.begin()

    async def discard(self) -> None:
        """The text shown so far will be replaced by another answer."""
        if self._shown:
            await self._stage.restart()

    async def end(
        self, answered: Answered, *, built: BuiltPrompt, tier: Classified, bypass: bool
    ) -> Told:
        """The finished answer, or what replaces it."""
        rest = self._marks.flush()
        if rest and not self._marks.declined:
            self._shown += rest
            await self._stage.delta(rest)
        refused = answered.reply.finish_reason in (FinishReason.REFUSAL, FinishReason.FILTER)
        text = self._shown.strip()
        if self._marks.declined or refused or not text:
            await self.discard()
            return self._declined(answered, tier=tier, bypass=bypass)
        invented = self._invented(text, built)
        if invented:
            await self.discard()
            outcome = _article_outcome(
                self._asked, article=built.offered[0], lead=self._lead, tier=tier, bypass=bypass
            )
            return self._ended(replace(outcome, cost_nanousd=answered.cost_nanousd))
        return self._ended(
            self._outcome(text, answered, built=built, tier=tier, bypass=bypass),
            finished=answered.reply.finish_reason is FinishReason.STOP,
        )

    def _invented(self, text: str, built: BuiltPrompt) -> tuple[str, ...]:
        """Figures that neither the articles nor the shopper stated."""
        asked = ArticleText("", "", 0, "", "", self._asked.text, (), "")
        return unsupported_figures(text, articles=[*built.offered, asked])

    def _outcome(
        self, text: str, answered: Answered, *, built: BuiltPrompt, tier: Classified, bypass: bool
    ) -> Outcome:
        return Outcome(
            text=f"{self._lead}{text}",
            origin="model",
            cache="bypass" if bypass or self._asked.beside_the_cache else "miss",
            tier=tier.tier.value,
            model=answered.model.label,
            sources=tuple(article for article in built.offered if article.key in self._marks.cited),
            cost_nanousd=answered.cost_nanousd,
        )

    def _declined(self, answered: Answered, *, tier: Classified, bypass: bool) -> Told:
        outcome = Outcome(
            text=f"{self._lead}{_say(self._asked, 'no_article')}",
            origin="template",
            cache="bypass" if bypass or self._asked.beside_the_cache else "miss",
            tier=tier.tier.value,
            model=answered.model.label,
            cost_nanousd=answered.cost_nanousd,
        )
        return self._ended(outcome)

    def _ended(self, outcome: Outcome, *, finished: bool = False) -> Told:
        return Told(outcome=outcome, finished=finished, cited=frozenset(self._marks.cited))


def _say(asked: Asked, key: str) -> str:
    return asked.configuration.site.say(key, locale=asked.language)


def _article_outcome(
    asked: Asked, *, article: ArticleText, lead: str, tier: Classified, bypass: bool
) -> Outcome:
    title = asked.configuration.site.say("article_lead", locale=asked.language, title=article.title)
    return Outcome(
        text=f"{lead}{title}\n\n{article.text}",
        origin="article",
        cache="bypass" if bypass or asked.beside_the_cache else "miss",
        tier=tier.tier.value,
        sources=(article,),
    )
