"""A text from which values are taken one kind after the other, so that no span is read twice. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Reader = Callable[[re.Match[str]], Iterable[str]]


class Spans:
    """What is left of a text after the spans of earlier kinds were taken."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take(self, pattern: re.Pattern[str], read: Reader) -> set[str]:
        """All values that `read` makes of the matches; a match that gives none stays in the text."""
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
