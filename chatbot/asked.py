"""The values that travel through the story of one question: what was asked, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from base.text import Language
from cache.decision import Candidate, Decision
from cache.store import Entry, SourceKey
from chatbot.configuration import Configuration
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.knowledge import ArticleText
from chatbot.offering import Offered
from chatbot.prompts import PROMPT_VERSION
from routing.classifier import Classified
from routing.rules import Actions, Situation
from routing.specs import Tier

Origin = Literal["cache", "model", "article", "template", "person"]
CacheOutcome = Literal["exact", "semantic", "confirmed", "joined", "stale", "miss", "bypass"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An accepted question, with the configuration it is decided on and its deadline.

    `started_s` is when this process took it up, `earlier_s` the time since its acceptance before that
    (a process that died had it). Both `started_s` and `deadline_s` are readings of `monotonic_s`.
    """

    question_id: int
    conversation_id: int
    site_id: int
    shopper_id: int
    client_id: str
    text: str
    locale: str
    language: Language
    past_the_cache: bool
    started_s: float
    deadline_s: float
    configuration: Configuration
    simulated: bool
    earlier_s: float = 0.0
    offered: Offered | None = None
    unread: bool = False
    unkept: bool = False

    def under(self, actions: Actions) -> Asked:
        """The question with what a rule forbids of the shared cache."""
        return replace(
            self,
            unread=self.unread or not actions.reads,
            unkept=self.unkept or not actions.writes,
        )

    @property
    def beside_the_cache(self) -> bool:
        """Whether no stored answer may be served: the shopper turned it down, or a rule forbids it."""
        return self.past_the_cache or self.unread

    @property
    def why_beside(self) -> str:
        """Why no stored answer may be served, in words; empty when one may."""
        if self.past_the_cache:
            return "asked again past the cache"
        return "a rule serves no stored answer" if self.unread else ""

    @property
    def partition(self) -> str:
        """Everything that must be equal for an answer to be shared; compared exactly."""
        mode = "simulated" if self.simulated else "live"
        return f"{self.configuration.site.key}/{self.language}/everyone/{PROMPT_VERSION}/{mode}"

    def is_current(self, entry: Entry) -> bool:
        """Whether every article that the answer rests on still stands at the version it was made from.

        An answer that the shopper has just turned down is none for this question.
        """
        if self.offered is not None and entry.answer_id in self.offered.rejected:
            return False
        return self.stands(entry.sources)

    def may_be_stale(self, entry: Entry) -> bool:
        """Whether staff allow the answer to be shown until a new one is made."""
        allowed, versions = (
            self.configuration.served_while_stale,
            self.configuration.article_versions,
        )
        return all(
            versions.get((key, locale)) == version or (key, locale) in allowed
            for key, locale, version in entry.sources
        )

    def stands(self, sources: Iterable[SourceKey]) -> bool:
        """Whether these articles still stand at these versions."""
        versions = self.configuration.article_versions
        return all(versions.get((key, locale)) == version for key, locale, version in sources)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the rules with the state it was made in, so that it can be made again."""

    classified: Classified
    situation: Situation
    engine_id: str


@dataclass(slots=True)
class Receipt:
    """How the decision was made; filled on the way and stored with the answer.

    `side_cost_nanousd` is what calls beside the answer's own took.
    """

    guards: list[str] = field(default_factory=list)
    reason: str = ""
    vetoes: tuple[str, ...] = ()
    nearest: Candidate[Entry] | None = None
    tier_reason: str = ""
    decided: Decided | None = None
    rule_set_version: int | None = None
    objections: tuple[str, ...] = ()
    side_cost_nanousd: int = 0
    probability: float | None = None
    judged_by: str = ""
    features: tuple[float, ...] = ()
    near: tuple[Candidate[Entry], ...] = ()

    def note(self, decision: Decision[Entry]) -> None:
        """Keep what the look-up decided and why."""
        self.reason, self.vetoes, self.nearest = decision.reason, decision.vetoes, decision.nearest
        self.probability, self.judged_by = decision.probability, decision.judged_by
        self.near, self.features = decision.near, decision.features


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended: the text and everything the `answer` frame and the rows need."""

    text: str
    origin: Origin
    cache: CacheOutcome
    tier: str | None = None
    model: str | None = None
    cosine: float | None = None
    sources: tuple[ArticleText, ...] = ()
    checked_at: datetime | None = None
    entry: Entry | None = None
    stored: Entry | None = None
    cost_nanousd: int = 0


class Unsure(Exception):
    """The shopper was asked which wording was meant: the story begins again when that is settled."""


async def nobody_to_ask(_candidates: Sequence[Candidate[Entry]], _tier: Tier) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an answer appears while it is being made: deltas, a restart, a wait with its estimate.

    `offer` asks the shopper whether a near wording was meant; True: break off with Unsure.
    """

    delta: Callable[[str], Awaitable[None]]
    restart: Callable[[], Awaitable[None]]
    wait: Callable[[float, int], Awaitable[None]]
    offer: Callable[[Sequence[Candidate[Entry]], Tier], Awaitable[bool]] = nobody_to_ask


def unasked(
    text: str, *, language: Language, configuration: Configuration, simulated: bool, now_s: float
) -> Asked:
    """A question that no shopper asked: to see how it would be decided, or to warm the cache."""
    return Asked(
        question_id=0,
        conversation_id=0,
        site_id=configuration.site.id,
        shopper_id=0,
        client_id="",
        text=text,
        locale=language,
        language=language,
        past_the_cache=False,
        started_s=now_s,
        deadline_s=now_s + QUESTION_DEADLINE_S,
        configuration=configuration,
        simulated=simulated,
    )
