"""Fourteen days of a demo shop, made up: what was asked when, how it was answered, what the calls cost. Pure.

The same seed and the same moment give the same history. Its parts fit together: a hit follows a question that
was answered before, saves what that call cost, and a question costs what its calls cost: tokens times the
price of that day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from chatbot.knowledge import ArticleText, terms
from routing.pricing import Cost
from routing.specs import ModelSpec, Tier, Usage
from routing.tokens import estimate_tokens

DAYS = 14
QUESTIONS_PER_DAY = 75
# Share of a day's questions by local hour: nights are quiet, evenings are busy.
BY_HOUR = (1, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 7, 7, 6, 6, 7, 9, 10, 10, 7, 3)
SALE_DAYS_AGO = 3
SALE_HOURS = (20, 21, 22, 23)
SALE_FACTOR = 7
# An hour's questions fall into one quarter of it, so that the worker has counted them all soon after the first start.
WITHIN_S = 840
ANSWER_LIVES = timedelta(days=3)
MIN_LIKENESS = 0.5
FAILED_CALL_SHARE = 0.03
THUMB_SHARE = 0.07
PROMPT_TOKENS = 320
_RARITY = {Tier.FAQ: 0.0, Tier.REGULAR: 0.2, Tier.COMPLEX: 0.3, Tier.HIGH: 0.3}

Priced = Callable[[ModelSpec, Usage, date], tuple[Cost, bool]]


@dataclass(frozen=True, slots=True)
class Theme:
    """A question as somebody words it: its tier and the article that answers it, if any does."""

    text: str
    language: str
    tier: Tier
    tier_reason: str
    article: ArticleText | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call with what it used; `is_failed` is a refusal for too many requests, which costs nothing."""

    model: ModelSpec
    usage: Usage
    cost: Cost
    is_priced: bool
    is_failed: bool
    first_content_ms: int
    total_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the history with all that came of it."""

    at: datetime
    theme: Theme
    outcome: str
    answer: str
    attempts: tuple[Attempt, ...] = ()
    matched: str = ""
    cosine: float | None = None
    saved_nanousd: int = 0
    first_content_ms: int = 0
    total_ms: int = 0
    thumb: str = ""
    opens_conversation: bool = True

    @property
    def cost_nanousd(self) -> int:
        """What its calls cost."""
        return sum(attempt.cost.cost_nanousd for attempt in self.attempts)


@dataclass(slots=True)
class _Stored:
    theme: Theme
    at: datetime
    cost_nanousd: int
    units: frozenset[str]


class History:
    """Plays the days in order, remembering what was answered."""

    def __init__(
        self,
        themes: Sequence[Theme],
        *,
        chains: Mapping[Tier, Callable[[date], Sequence[ModelSpec]]],
        priced: Priced,
        no_article: Mapping[str, str],
        seed: int,
    ) -> None:
        self._rng = Random(seed)  # noqa: S311 - repeatable, not secret
        self._themes = sorted(themes, key=lambda theme: _RARITY[theme.tier] + self._rng.random())
        # A few questions are asked again and again, most seldom; what no article answers, seldom.
        self._weights = [
            (1.0 if theme.article else 0.4) / (rank + 8) for rank, theme in enumerate(self._themes)
        ]
        self._chains, self._priced, self._no_article = chains, priced, no_article
        self._stored: dict[tuple[str, str], list[_Stored]] = {}
        self._last: Asked | None = None

    def play(self, *, now: datetime, zone: ZoneInfo) -> list[Asked]:
        """Every question of the DAYS before `now`, oldest first."""
        return [self._ask(at) for at in self._moments(now, zone)]

    def _moments(self, now: datetime, zone: ZoneInfo) -> list[datetime]:
        found = []
        for hours in range(DAYS * 24, 0, -1):
            start = (now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
            local = start.astimezone(zone)
            expected = QUESTIONS_PER_DAY * BY_HOUR[local.hour] / sum(BY_HOUR)
            ago = (now.astimezone(zone).date() - local.date()).days
            if ago == SALE_DAYS_AGO and local.hour in SALE_HOURS:
                expected *= SALE_FACTOR
            count = int(expected * self._rng.uniform(0.7, 1.3) + self._rng.random())
            # The newest question is more than half an hour old, so that every one has ended.
            found += [
                start + timedelta(seconds=self._rng.uniform(0, WITHIN_S)) for _ in range(count)
            ]
        return sorted(found)

    def _ask(self, at: datetime) -> Asked:
        theme = self._rng.choices(self._themes, self._weights)[0]
        asked = self._answered(theme, at)
        self._last = asked
        return asked

    def _answered(self, theme: Theme, at: datetime) -> Asked:
        if theme.article is None:
            text = self._no_article[theme.language]
            return self._new(theme, at, "miss", text, total_ms=self._rng.randint(15, 60))
        text = _short(theme.article)
        if theme.tier is Tier.COMPLEX:
            return self._called(theme, at, "bypass", text)
        return self._hit(theme, at, text) or self._missed(theme, at, text)

    def _hit(self, theme: Theme, at: datetime, text: str) -> Asked | None:
        """From the cache, when the same or nearly the same was answered not long ago."""
        units = _units(theme.text)
        stored = self._stored.get(_shelf(theme), [])
        fresh = [item for item in stored if at - item.at < ANSWER_LIVES]
        found = max(fresh, key=lambda item: _likeness(item.units, units), default=None)
        if found is None or _likeness(found.units, units) < MIN_LIKENESS:
            return None
        if found.theme.text == theme.text:
            outcome, cosine = "exact", None
            if (at - found.at).total_seconds() < 3:
                outcome = "joined"
        else:
            outcome = "confirmed" if self._rng.random() < 0.12 else "semantic"
            cosine = round(self._rng.uniform(0.88, 0.98), 4)
        quick = self._rng.randint(4, 14) if outcome == "exact" else self._rng.randint(14, 55)
        return self._new(
            theme,
            at,
            outcome,
            text,
            matched=found.theme.text,
            cosine=cosine,
            saved_nanousd=found.cost_nanousd,
            total_ms=quick,
        )

    def _missed(self, theme: Theme, at: datetime, text: str) -> Asked:
        asked = self._called(theme, at, "miss", text)
        units = _units(theme.text)
        kept = _Stored(theme, at, asked.cost_nanousd, units)
        self._stored.setdefault(_shelf(theme), []).append(kept)
        return asked

    def _called(self, theme: Theme, at: datetime, outcome: str, text: str) -> Asked:
        attempts = tuple(self._attempts(theme, at, text))
        last = attempts[-1]
        waited = sum(attempt.total_ms for attempt in attempts[:-1])
        return self._new(
            theme,
            at,
            outcome,
            text,
            attempts=attempts,
            first_content_ms=waited + last.first_content_ms,
            total_ms=waited + last.total_ms,
        )

    def _attempts(self, theme: Theme, at: datetime, text: str) -> list[Attempt]:
        day = at.date()
        models = self._chains[theme.tier](day)
        fails = len(models) > 1 and self._rng.random() < FAILED_CALL_SHARE
        assert theme.article is not None
        read = PROMPT_TOKENS + _tokens(theme.article.text) * 2
        usage = Usage(
            input_tokens=read + self._rng.randint(0, 400),
            cached_input_tokens=PROMPT_TOKENS if self._rng.random() < 0.3 else 0,
            output_tokens=_tokens(text) + self._rng.randint(5, 40),
        )
        first_ms = self._rng.randint(350, 1_400)
        cost, is_priced = self._priced(models[int(fails)], usage, day)
        took = first_ms + usage.output_tokens * self._rng.randint(6, 11)
        done = Attempt(
            models[int(fails)],
            usage,
            cost,
            is_priced,
            is_failed=False,
            first_content_ms=first_ms,
            total_ms=took,
        )
        if not fails:
            return [done]
        nothing = Usage(input_tokens=0, output_tokens=0)
        free, is_priced = self._priced(models[0], nothing, day)
        refused = Attempt(
            models[0],
            nothing,
            free,
            is_priced,
            is_failed=True,
            first_content_ms=0,
            total_ms=self._rng.randint(60, 200),
        )
        return [refused, done]

    def _new(self, theme: Theme, at: datetime, outcome: str, text: str, **values: object) -> Asked:
        before = self._last
        follows = (
            before is not None
            and before.theme.language == theme.language
            and self._rng.random() < 0.35
        )
        thumb = ""
        if theme.article is not None and self._rng.random() < THUMB_SHARE:
            thumb = "up" if self._rng.random() < 0.85 else "down"
        made = {"thumb": thumb, "opens_conversation": not follows, **values}
        return Asked(at=at, theme=theme, outcome=outcome, answer=text, **made)  # type: ignore[arg-type]  # by name


def _shelf(theme: Theme) -> tuple[str, str]:
    return theme.language, theme.article.key if theme.article else ""


def _likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """Shared words against all words: 0..1."""
    return len(left & right) / len(left | right) if left or right else 1.0


@cache
def _units(text: str) -> frozenset[str]:
    return frozenset(terms(text))


@cache
def _tokens(text: str) -> int:
    return estimate_tokens(text)


@cache
def _short(article: ArticleText) -> str:
    """The article's beginning, as an answer would be."""
    return article.shortened(to_tokens=120).text
