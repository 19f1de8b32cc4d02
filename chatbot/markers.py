"""The marks a model leaves in its answer: `[[article-key]]` for an article used, `[[none]]` for no answer.

Pure. Marks are stripped before display, also when one is cut by a chunk border: text from a possible start
of a mark on is held back until it is clear what it is.
"""

from __future__ import annotations

import re

NONE_MARK = "none"
_MARK = re.compile(r"[ \t]*\[\[\s*([a-z0-9][a-z0-9_-]{0,79})\s*\]\]", re.IGNORECASE)
_POSSIBLE_START = re.compile(r"[ \t]*(?:\[(?:\[\s*[a-z0-9_-]{0,80}\s*\]?)?)?\Z", re.IGNORECASE)


class MarkFilter:
    """Feed chunks, show what `feed` returns, then `flush`; `cited` and `declined` are filled on the way."""

    def __init__(self) -> None:
        self._held = ""
        self.cited: set[str] = set()
        self.declined = False

    def feed(self, chunk: str) -> str:
        """The part of the text so far held back plus `chunk` that may be shown now."""
        text, shown, end = self._held + chunk, "", 0
        for mark in _MARK.finditer(text):
            shown += text[end : mark.start()]
            end = mark.end()
            self._note(mark.group(1).lower())
        # What stood on both sides of a mark is never read as one text: it is no mark either.
        start = _POSSIBLE_START.search(text, end)
        cut = start.start() if start is not None else len(text)
        self._held = text[cut:]
        return shown + text[end:cut]

    def flush(self) -> str:
        """What is still held when the stream has ended; trailing blanks are dropped."""
        rest, self._held = self._held.rstrip(), ""
        return rest

    def _note(self, mark: str) -> None:
        if mark == NONE_MARK:
            self.declined = True
        else:
            self.cited.add(mark)


def strip_marks(text: str) -> tuple[str, frozenset[str], bool]:
    """A whole text without its marks, the articles it cites, and whether it says it does not know."""
    marks = MarkFilter()
    shown = marks.feed(text) + marks.flush()
    return shown.strip(), frozenset(marks.cited), marks.declined
