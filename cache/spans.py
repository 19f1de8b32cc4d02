"""A text from which values are taken kind by kind, so that no span is read twice. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_LATIN_WORD = re.compile(r"[a-z]+")
_DIGIT_OR_HAN = re.compile(r"[\d\u3400-\u9fff]")

Reader = Callable[[re.Match[str]], Iterable[str]]


class Spans:
    """What is left of a text after the spans of earlier kinds were taken."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = frozenset(_LATIN_WORD.findall(text.casefold()))
        self._other_signs = _DIGIT_OR_HAN.search(text) is not None

    def may_hold(self, words: frozenset[str]) -> bool:
        """A cheap look before a long pattern: digits, Han characters, or any of the Latin words."""
        return self._other_signs or not words.isdisjoint(self._words)

    def take(self, pattern: re.Pattern[str], read: Reader) -> set[str]:
        """All values that `read` makes of the matches; a match without any stays in the text."""
        found: set[str] = set()

        def note(match: re.Match[str]) -> str:
            values = tuple(read(match))
            found.update(values)
            return " " * len(match.group()) if values else match.group()

        self.text = pattern.sub(note, self.text)
        return found


def plain_number(written: str) -> str:
    """Canonical digits of a decimal number: no separators, no needless zeros."""
    digits = written.replace(",", "")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return digits.lstrip("0") or "0" if not digits.startswith("0.") else digits
