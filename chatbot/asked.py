"""The values that travel through the story of one question: what was asked, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from base.text import Language
from cache.decision import Candidate
from cache.store import Entry
from chatbot.configuration import Configuration
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.knowledge import ArticleText
from chatbot.prompts import PROMPT_VERSION

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

    @property
    def partition(self) -> str:
        """Everything that must be equal for an answer to be shared; compared exactly."""
        mode = "simulated" if self.simulated else "live"
        return f"{self.configuration.site.key}/{self.language}/everyone/{PROMPT_VERSION}/{mode}"


@dataclass(slots=True)
class Receipt:
    """How the decision was made; filled on the way and stored with the answer."""

    guards: list[str] = field(default_factory=list)
    reason: str = ""
    vetoes: tuple[str, ...] = ()
    nearest: Candidate[Entry] | None = None
    tier_reason: str = ""
    objections: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an answer appears while it is being made: deltas, a restart, a wait with its estimate."""

    delta: Callable[[str], Awaitable[None]]
    restart: Callable[[], Awaitable[None]]
    wait: Callable[[float, int], Awaitable[None]]


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
