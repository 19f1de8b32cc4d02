"""One question played again under two rule sets, each with its own cache. Pure but for what it was given.

What is decided sees the text, the moment and the start state that was logged; where none was logged (an answer
that came from the cache by the same words was never decided), the guard says whom an answer could serve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chatbot.configuration import Configuration
from chatbot.deciding import audience_of, situation_of
from chatbot.dry_cache import Found, Kept, ReplayCache
from chatbot.dry_costs import Costs, Spent
from chatbot.dry_rows import HITS, Logged
from chatbot.guard import Guard
from routing.classifier import Classified, Classifier
from routing.rules import Audience, Situation
from routing.specs import ModelSpec

Vector = NDArray[np.float32]
FIXED, PERSON, ARTICLE, MISS, BYPASS = "fixed", "person", "article", "miss", "bypass"
CONFIRMED = "confirmed"
SERVED = ("exact", "semantic", CONFIRMED)


@dataclass(frozen=True, slots=True)
class Seen:
    """A question with all that is known before a set decides it. `fixed`: a greeting or abuse, no rule is asked."""

    question: Logged
    situation: Situation
    vector: Vector | None
    fixed: bool

    @property
    def may_share(self) -> bool:
        """Whether the guard lets it into the cache."""
        return self.situation.audience is Audience.EVERYONE


@dataclass(frozen=True, slots=True)
class Played:
    """How a question ends under one set. `spent` is the call that is made; None where none is."""

    kind: str
    reason: str
    decided: Classified | None = None
    chain: tuple[ModelSpec, ...] = ()
    spent: Spent | None = None
    answer_id: int | None = None

    @property
    def is_hit(self) -> bool:
        """Whether the cache answers it."""
        return self.kind in SERVED

    @property
    def tier(self) -> str:
        """The tier, empty where none was decided."""
        return self.decided.tier.value if self.decided is not None else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question under the set in force and under the draft; `again` is its logged decision, made again."""

    seen: Seen
    base: Played
    draft: Played
    again: Classified | None = None


@dataclass(slots=True)
class Side:
    """A set with the chains it would use and the cache it would have filled."""

    classifier: Classifier
    costs: Costs
    cache: ReplayCache


class Replay:
    """Plays questions in the order in which they came."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        guard: Guard,
        base: Side,
        draft: Side,
        classifier_of: Callable[[int], Classifier | None],
    ) -> None:
        """Both sides begin with one cache; they part when their sets treat it differently.

        `classifier_of` gives the set of a version, None for one that is not there any more.
        """
        self._configuration, self._guard = configuration, guard
        self._base, self._draft, self._classifier_of = base, draft, classifier_of

    def play(self, question: Logged, vectors: Mapping[str, Vector | None]) -> Pair:
        """One question; `vectors` has its text's and that of the words it was decided in."""
        seen = self._seen(question, vectors)
        if seen.fixed:
            fixed = Played(FIXED, "answered from a fixed text")
            return Pair(seen, fixed, fixed)
        base = self._base.classifier.decide(self._situation(seen, self._base.classifier))
        draft = self._draft.classifier.decide(
            self._situation(seen, self._draft.classifier, freely=self._told(base, question) != "")
        )
        again = self._again(seen, base)
        return Pair(seen, *self._ended(seen, base, draft), again)

    def _seen(self, question: Logged, vectors: Mapping[str, Vector | None]) -> Seen:
        state = question.state
        if state:
            vector = vectors[state.get("text", question.text)]
            situation = situation_of(question.text, dict(state), vector=vector)
            return Seen(question, situation, vector, fixed=False)
        vector, audience, fixed = vectors[question.text], Audience.EVERYONE, False
        if question.cache not in HITS:
            verdict = self._guard.inspect(question.text, language=question.language)
            audience = audience_of(verdict)
            fixed = verdict.abusive or verdict.small_talk is not None
        at = question.at.astimezone(ZoneInfo(self._configuration.site.time_zone))
        situation = Situation(question.text, question.language, at, audience, vector=vector)
        return Seen(question, situation, vector, fixed)

    def _situation(self, seen: Seen, classifier: Classifier, *, freely: bool = False) -> Situation:
        """What a set looks at. `freely`: the logged decision needed no vector, this one may."""
        situation = seen.situation
        if freely:
            situation = replace(situation, vector=seen.vector)
        if classifier.needs_topic and not situation.topic and (freely or not self._logged(seen)):
            situation = replace(situation, topic=self._topic(situation))
        return situation

    def _logged(self, seen: Seen) -> bool:
        """Whether the start state says what the topic was: its set looked at topics."""
        own = self._classifier_of(seen.question.version) if seen.question.state else None
        return own is not None and own.needs_topic

    def _topic(self, situation: Situation) -> str:
        knowledge = self._configuration.knowledge.get(situation.language)
        if knowledge is None:
            return ""
        found = knowledge.search(situation.text, vector=situation.vector, count=1)
        return found[0].article.topic if found else ""

    def _again(self, seen: Seen, base: Classified) -> Classified | None:
        """The logged decision, made again by the set that made it."""
        question = seen.question
        if not question.tier or not question.state:
            return None
        own = self._classifier_of(question.version)
        if own is None:
            return None
        return base if own is self._base.classifier else own.decide(seen.situation)

    def _told(self, decided: Classified, question: Logged) -> str:
        """What a rule says in place of an answer."""
        if decided.actions.to_person:
            return PERSON
        key = (decided.actions.article, question.language)
        return ARTICLE if key in self._configuration.articles else ""

    def _ended(self, seen: Seen, base: Classified, draft: Classified) -> tuple[Played, Played]:
        question = seen.question
        mine, theirs = self._use(seen, base), self._use(seen, draft)
        shared = self._base.cache is self._draft.cache
        if shared and mine != theirs:
            self._draft.cache, shared = self._base.cache.copy(), False
        found = self._found(seen, mine, self._base.cache)
        other = found if shared else self._found(seen, theirs, self._draft.cache)
        told = mine[0] != ""
        played = (
            self._played(seen, base, mine, found, self._base.costs, told=told),
            self._played(seen, draft, theirs, other, self._draft.costs, told=told),
        )
        self._keep(question, seen, played[0], mine, self._base.cache)
        if not shared:
            self._keep(question, seen, played[1], theirs, self._draft.cache)
        return played

    def _use(self, seen: Seen, decided: Classified) -> tuple[str, bool, bool]:
        """What is told instead, and whether the cache is read and written."""
        told = self._told(decided, seen.question)
        shared = seen.may_share and not told and not seen.question.is_retry
        return told, shared and decided.actions.reads, shared and decided.actions.writes

    def _found(self, seen: Seen, use: tuple[str, bool, bool], cache: ReplayCache) -> Found | None:
        if not use[1]:
            return None
        text, language = seen.situation.text, seen.question.language
        return cache.find(text, language=language, vector=seen.vector, at=seen.question.at)

    def _played(
        self,
        seen: Seen,
        decided: Classified,
        use: tuple[str, bool, bool],
        found: Found | None,
        costs: Costs,
        *,
        told: bool,
    ) -> Played:
        """`told`: the set in force told something instead, so that nothing is known of an answer's length."""
        question, chain = seen.question, costs.chain(decided.tier, decided.actions)
        if use[0]:
            return Played(use[0], f"a rule says so: {decided.reason}", decided, chain)
        if found is not None and found.kind != "miss":
            return Played(found.kind, found.reason, decided, chain, answer_id=found.answer_id)
        if found is not None and _tapped(question, found):
            answer_id = question.served_from
            return Played(CONFIRMED, "the shopper said so", decided, chain, answer_id=answer_id)
        kind, reason = (MISS, found.reason) if found is not None else (BYPASS, _beside(seen))
        if self._nothing_known(seen, told=told):
            return Played(kind, "no article answers it", decided, chain)
        spent = costs.spent(decided.tier, decided.actions, usage=question.usage)
        return Played(kind, reason, decided, chain, spent)

    def _nothing_known(self, seen: Seen, *, told: bool) -> bool:
        """Whether no article answers it, so that no model is asked."""
        question = seen.question
        if question.is_logged and not told:
            return question.origin == "template" and question.usage is None
        if question.is_logged and question.usage is not None:
            return False
        knowledge = self._configuration.knowledge.get(question.language)
        return not (knowledge and knowledge.search(question.text, vector=seen.vector, count=1))

    def _keep(
        self,
        question: Logged,
        seen: Seen,
        played: Played,
        use: tuple[str, bool, bool],
        cache: ReplayCache,
    ) -> None:
        """What a miss leaves in the cache: an answer under its logged identity, else one of its own."""
        if not use[2] or played.is_hit or played.spent is None:
            return
        answer_id = question.answer_id
        if answer_id is None and question.is_logged and question.cache == MISS:
            return  # its answer was not stored then, for a reason that holds again
        text, until = seen.situation.text, question.until
        own = answer_id if answer_id is not None else -abs(question.id)
        cache.keep(Kept(text, question.language, seen.vector, own, until))


def _tapped(question: Logged, found: Found) -> bool:
    """Whether the shopper was asked then and chose what would be offered again."""
    return question.cache == CONFIRMED and question.served_from in found.options


def _beside(seen: Seen) -> str:
    if seen.question.is_retry:
        return "asked again past the cache"
    return "a rule serves no stored answer" if seen.may_share else "not for the shared cache"
