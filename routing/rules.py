"""Staff-tuned rules: ordered, the first that matches decides. Pure matching over frozen values.

Predicates are a closed set (phrases, language, length); no regular expression ever comes from a rule. A
Latin phrase matches whole words, a Chinese one matches anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from base.text import fold, han_count
from routing.models import Rule
from routing.specs import Tier


@dataclass(frozen=True)
class RuleSpec:
    """One rule, frozen. Empty `language` means every language."""

    position: int
    name: str
    language: str
    any_of: tuple[str, ...]
    all_of: tuple[str, ...]
    none_of: tuple[str, ...]
    min_characters: int
    tier: Tier

    @classmethod
    def of(cls, row: Rule) -> RuleSpec:
        """The rule as a row holds it."""
        return cls(
            position=row.position,
            name=row.name,
            language=row.language,
            any_of=tuple(row.any_of),
            all_of=tuple(row.all_of),
            none_of=tuple(row.none_of),
            min_characters=row.min_characters,
            tier=Tier(row.tier),
        )

    def matches(self, text: str, *, language: str) -> str | None:
        """The phrase that made the rule match, or None when it does not."""
        folded = fold(text)
        if self.language not in ("", language) or len(text) < self.min_characters:
            return None
        if any(pattern.search(folded) for pattern in self._none) or not all(
            pattern.search(folded) for pattern in self._all
        ):
            return None
        if not self._any:
            return ", ".join(self.all_of) or f"at least {self.min_characters} characters"
        found = next((match for pattern in self._any if (match := pattern.search(folded))), None)
        return found.group() if found is not None else None

    @cached_property
    def _any(self) -> list[re.Pattern[str]]:
        return compile_phrases(self.any_of)

    @cached_property
    def _all(self) -> list[re.Pattern[str]]:
        return compile_phrases(self.all_of)

    @cached_property
    def _none(self) -> list[re.Pattern[str]]:
        return compile_phrases(self.none_of)


def compile_phrases(phrases: Sequence[str]) -> list[re.Pattern[str]]:
    """Patterns of literal phrases: whole words for Latin, anywhere for Chinese."""
    return [_phrase_pattern(fold(phrase)) for phrase in phrases if phrase.strip()]


def _phrase_pattern(phrase: str) -> re.Pattern[str]:
    literal = r"\s+".join(re.escape(part) for part in phrase.split())
    return re.compile(literal if han_count(phrase) else rf"(?<!\w){literal}(?!\w)")
