"""Staff-tuned rules: ordered, the first that matches decides. Pure matching over frozen values.

Predicates and actions are closed sets; no regular expression ever comes from a rule. A Latin phrase
matches whole words, a Chinese one matches anywhere. A rule sees a `Situation` and nothing else, so the
same situation is decided the same at any later time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from base.text import fold, han_count
from routing.specs import Tier

Nearness = Callable[["RuleSpec"], float]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Audience(StrEnum):
    """Whom an answer may serve: everyone, only the asker, or only this conversation."""

    EVERYONE = "everyone"
    PERSONAL = "personal"
    FOLLOW_UP = "follow_up"


class CacheUse(StrEnum):
    """What a rule forbids of the shared cache."""

    USUAL = ""
    NO_READ = "no_read"
    NO_WRITE = "no_write"
    NEITHER = "neither"


@dataclass(frozen=True)
class Situation:
    """All that a decision may depend on.

    `at` is in the site's zone. `topic` is that of the best article, empty when none is good enough.
    `vector` is unit float32, or None where the embedding model cannot judge the text.
    """

    text: str
    language: str
    at: datetime
    audience: Audience = Audience.EVERYONE
    topic: str = ""
    vector: NDArray[np.float32] | None = None

    @cached_property
    def folded(self) -> str:
        """The text as phrases are compared with it."""
        return squeezed(self.text)


@dataclass(frozen=True, slots=True)
class Actions:
    """What is done beside the tier; the defaults change nothing."""

    prefer_quality: bool = False
    chain: Tier | None = None
    to_person: bool = False
    article: str = ""
    cache: CacheUse = CacheUse.USUAL
    max_tokens: int | None = None

    @property
    def reads(self) -> bool:
        """Whether a stored answer may be served."""
        return self.cache not in (CacheUse.NO_READ, CacheUse.NEITHER)

    @property
    def writes(self) -> bool:
        """Whether the answer may be stored for others."""
        return self.cache not in (CacheUse.NO_WRITE, CacheUse.NEITHER)

    @property
    def in_words(self) -> tuple[str, ...]:
        """Each action that changes something."""
        forbidden = {
            CacheUse.NO_READ: "no stored answer is served",
            CacheUse.NO_WRITE: "the answer is not stored",
            CacheUse.NEITHER: "no stored answer is served, and the answer is not stored",
        }
        parts = (
            "handed to a person" if self.to_person else "",
            f"answered with the article {self.article}" if self.article else "",
            f"the models of {self.chain.value}" if self.chain is not None else "",
            "high-quality models first" if self.prefer_quality else "",
            forbidden.get(self.cache, ""),
            f"at most {self.max_tokens} tokens" if self.max_tokens is not None else "",
        )
        return tuple(part for part in parts if part)

    def at_most(self, tokens: int) -> int:
        """The length of an answer in tokens, within what the rule allows."""
        return tokens if self.max_tokens is None else min(tokens, self.max_tokens)

    @property
    def early(self) -> bool:
        """Whether they must be known before the cache is read."""
        return not self.reads or self.to_person or bool(self.article)


NO_ACTIONS = Actions()


@dataclass(frozen=True)
class RuleSpec:
    """One rule, frozen. An empty predicate holds for every question; lengths are in folded characters.

    `from_time` and `until_time` are the site's clock, the end excluded; a window may run past midnight.
    `near_text` or the examples of `near_tier` must have a cosine of `min_cosine` at least.
    `tier` None leaves the tier to the rules' last step, the nearest examples.
    """

    position: int
    name: str
    language: str = ""
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    min_characters: int = 0
    max_characters: int | None = None
    audience: Audience | None = None
    from_time: time | None = None
    until_time: time | None = None
    weekdays: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    near_text: str = ""
    near_tier: Tier | None = None
    min_cosine: float = 0.0
    tier: Tier | None = None
    actions: Actions = NO_ACTIONS

    @property
    def needs_meaning(self) -> bool:
        """Whether it looks at the vector or the best article."""
        return bool(self.topics or self.near)

    @property
    def near(self) -> bool:
        """Whether it asks for a near example."""
        return bool(self.near_text) or self.near_tier is not None

    @property
    def is_selective(self) -> bool:
        """Whether it leaves any question to the rules after it. What it only forbids does not count."""
        asked = bool(phrases(self.any_of) or phrases(self.all_of)) or self.near
        around = self.audience is not None or bool(self.language or self.topics or self._window)
        lengths = self.min_characters > 0 or self.max_characters is not None
        return asked or around or lengths

    @property
    def label(self) -> str:
        """The rule as reasons name it."""
        return f'rule {self.position} "{self.name}"'

    def matches(self, situation: Situation, *, nearness: Nearness) -> str | None:
        """What made the rule match, in words; None when it does not.

        `nearness` gives the cosine of the question to the rule's example; it is asked last.
        """
        if not self._surroundings_fit(situation):
            return None
        folded = situation.folded
        if _first(self._none, folded) or not all(holds(p, folded) for p in self._all):
            return None
        phrase = _first(self._any, folded)
        if self._any and not phrase:
            return None
        cosine = nearness(self) if self.near else 1.0
        if cosine < self.min_cosine:
            return None
        return self._because(phrase, cosine)

    def _surroundings_fit(self, situation: Situation) -> bool:
        length = len(situation.folded)
        return (
            self.language in ("", situation.language)
            and self.min_characters <= length
            and (self.max_characters is None or length <= self.max_characters)
            and self.audience in (None, situation.audience)
            and (not self.topics or situation.topic in self.topics)
            and self._in_time(situation.at)
        )

    def _in_time(self, at: datetime) -> bool:
        if self.weekdays and WEEKDAYS[at.weekday()] not in self.weekdays:
            return False
        if self.from_time is not None and self.from_time == self.until_time:
            return False
        start, end, now = self.from_time or time.min, self.until_time, at.time()
        if end is None or end == time.min:
            return start <= now
        return start <= now < end if start < end else start <= now or now < end

    def _because(self, phrase: str, cosine: float) -> str:
        """The first of what was asked for that says something about the question."""
        if phrase or self.all_of:
            return f'"{phrase or ", ".join(self.all_of)}"'
        if self.near:
            return f"an example with cosine {cosine:.2f}"
        return self.surroundings

    @cached_property
    def surroundings(self) -> str:
        """The predicates beside phrases and examples, in words."""
        parts = [
            f"topic {', '.join(self.topics)}" if self.topics else "",
            f"audience {self.audience.value}" if self.audience is not None else "",
            f"at least {self.min_characters} characters" if self.min_characters else "",
            f"at most {self.max_characters} characters" if self.max_characters is not None else "",
            f"time {self._window}" if self._window else "",
            f"language {self.language}" if self.language else "",
        ]
        return ", ".join(part for part in parts if part)

    @property
    def _window(self) -> str:
        clock = ""
        if self.from_time is not None or self.until_time is not None:
            clock = f"{self.from_time or time.min:%H:%M}-{self.until_time or time.min:%H:%M}"
        return " ".join(part for part in (" ".join(self.weekdays), clock) if part)

    @cached_property
    def _any(self) -> list[str]:
        return phrases(self.any_of)

    @cached_property
    def _all(self) -> list[str]:
        return phrases(self.all_of)

    @cached_property
    def _none(self) -> list[str]:
        return phrases(self.none_of)


def squeezed(text: str) -> str:
    """Folded, with single blanks."""
    return " ".join(fold(text).split())


def phrases(written: Sequence[str]) -> list[str]:
    """The phrases of a list as they are looked for; blank ones are left out."""
    return [phrase for phrase in map(squeezed, written) if phrase]


def holds(phrase: str, folded: str) -> bool:
    """Whether a folded text holds a folded phrase: whole words for Latin, anywhere for Chinese."""
    if phrase not in folded:
        return False
    if han_count(phrase):
        return True
    start = folded.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        if not (_wordy(folded[start - 1 : start]) or _wordy(folded[end : end + 1])):
            return True
        start = folded.find(phrase, start + 1)
    return False


def _wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


def _first(wanted: list[str], folded: str) -> str:
    # Most phrases are nowhere in the text: that is found out without a call.
    return next((p for p in wanted if p in folded and holds(p, folded)), "")
