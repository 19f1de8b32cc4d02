"""A light English stemmer. Pure.

It takes off plural and verb endings only: enough to join "returns", "returned" and "returning"
without joining words of different meaning.
"""

from __future__ import annotations

_DOUBLED = frozenset("bdgmnprt")
_MIN_STEM = 3


def stem(word: str) -> str:
    """The word without its commonest endings; short words stay as they are."""
    word = word.replace("\u2019", "'").removesuffix("'s")
    for ending, replacement in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ing", ""),
        ("ed", ""),
        ("es", "e"),
        ("s", ""),
    ):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= _MIN_STEM
            and not word.endswith("ss")
        ):
            return _undouble(word.removesuffix(ending) + replacement)
    return word.removesuffix("e") if len(word) > _MIN_STEM + 1 else word


def _undouble(word: str) -> str:
    """`shipp` -> `ship`, then a silent final e is dropped so that all forms meet."""
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] in _DOUBLED:
        word = word[:-1]
    return word.removesuffix("e") if len(word) > _MIN_STEM + 1 else word
