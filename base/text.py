"""What a text is made of: script, language, words, character n-grams. Pure functions.

The product speaks English and Simplified Chinese, so a language is decided by script: Han characters
against Latin letters. One Han character carries about as much as one Latin word, hence the weighting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

Language = Literal["en", "zh-hans"]

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['\u2019][A-Za-z]+)?")
_TOKEN = re.compile(
    r"[a-z\u00c0-\u024f]+(?:['\u2019][a-z]+)?|\d+(?:[.,]\d+)*|[\u3400-\u4dbf\u4e00-\u9fff]+"
)


def han_count(text: str) -> int:
    """Number of Han characters in `text`."""
    return len(_HAN.findall(text))


def latin_word_count(text: str) -> int:
    """Number of Latin words in `text`."""
    return len(_LATIN_WORD.findall(text))


def language_of(text: str, *, default: Language = "en") -> Language:
    """The language of a question by script; `default` when it holds neither Han nor Latin."""
    han, latin = han_count(text), latin_word_count(text)
    if han == 0 and latin == 0:
        return default
    return "zh-hans" if han >= latin else "en"


def fold(text: str) -> str:
    """NFKC and casefold: full-width and half-width forms, and letter cases, become one."""
    return unicodedata.normalize("NFKC", text).casefold()


def tokens(text: str) -> Iterator[str]:
    """Folded words, numbers and runs of Han characters, in order."""
    return (match.group() for match in _TOKEN.finditer(fold(text)))


def char_ngrams(run: str, *, smallest: int = 1, largest: int = 2) -> Iterator[str]:
    """Overlapping character n-grams of one run of text, `smallest` to `largest` characters long."""
    for size in range(smallest, largest + 1):
        for start in range(len(run) - size + 1):
            yield run[start : start + size]


def has_control_characters(text: str) -> bool:
    """True when `text` holds control characters other than tab and line breaks."""
    return any(unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in text)
