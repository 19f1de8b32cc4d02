"""Do two questions that are otherwise alike ask for opposites? Pure.

Two signs, each read only when the rest of the wording is largely the same (a free paraphrase may
negate its way round): words of an antonym pair in the same place (before / after, 注册 / 注销), or
a word that one text denies and the other states (opened / not opened). Question forms that merely
look negative ("can't I", 能不能) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from base.text import char_ngrams, fold, tokens
from cache.polarity_words import (
    HAN_NEGATION,
    HAN_NEGATIVE_QUESTION,
    HAN_NOT_YET,
    HAN_PAIRS,
    HAN_POTENTIAL,
    HAN_SEEMING_NEGATION,
    HAN_SKIPPED,
    IRREGULAR,
    LATIN_PAIRS,
    NEEDED,
    NEGATIONS,
    NOT_ONLY,
    NOT_UN,
    NOT_YET,
    PHRASES,
    SEEMING_NEGATION,
    SKIPPED,
    UN_WORD,
)

MIN_SHARED = 0.5

_DROPPED = NEGATIONS | {"do", "does", "did"}
_FIRST_HAN = "\u3400"
_ENDING = re.compile(r"(?:ies|ied|ing|ed|es|s|e|y)$")


def polarity_conflict(left: str, right: str) -> str | None:
    """The contrast in words, or None."""
    a, b = _read(left), _read(right)
    for one, other in (*_latin_contrasts(a, b), *_han_contrasts(a, b)):
        if _alike(a, b, ignoring=(one, other)):
            return f"polarity differs: {one} / {other}"
    if {_only(a), _only(b)} == {True, False} and _alike(a, b, ignoring=("only", "not")):
        return "polarity differs: only / not only"
    denied = _denied(a, b) or _denied(b, a)
    if denied and a.negations % 2 != b.negations % 2 and _alike(a, b, ignoring=()):
        return f"polarity differs: one of them negates {denied!r}"
    return None


def _only(reading: _Reading) -> bool | None:
    """Whether the text says "only" or "not only"; None where it says neither."""
    if "only" not in reading.folded:
        return None
    return NOT_ONLY.search(reading.folded) is None


class _Reading:
    """A text as words and Han n-grams, with what it denies."""

    def __init__(self, text: str) -> None:
        folded = fold(text)
        # Cheap looks first: most texts hold neither such a phrase nor a negation.
        if any(sign in folded for sign in ("stock", "sold", "log", "sign", "non")):
            for pattern, instead in PHRASES:
                folded = pattern.sub(instead, folded)
        negative = any(sign in folded for sign in ("no", "nt", "n't", "n\u2019t"))
        plain = SEEMING_NEGATION.sub(" ", folded) if negative else folded
        self.folded = folded
        self.plain = HAN_SEEMING_NEGATION.sub(" ", HAN_NEGATIVE_QUESTION.sub("", plain))
        self.words = [word for word in tokens(self.plain) if word[0] < _FIRST_HAN]
        self.stems = [stem(word) for word in self.words]
        han = [word for word in tokens(self.plain) if word[0] >= _FIRST_HAN]
        self.frame = [stem(word) for word in map(_undenied, self.words) if word not in _DROPPED]
        self.has_han = bool(han)
        self.denied_words = frozenset(_denied_words(self.words))
        self.denied_han = frozenset(_denied_han(self.plain)) if han else frozenset()
        self.negations = sum(_is_negation(word) for word in self.words)
        self.negations += len(HAN_NEGATION.findall(self.plain)) if han else 0
        stated = {stem(_positive(word)) for word in self.words if not _is_bare_negation(word)}
        self.stated_words = stated - self.denied_words
        self.units = stated | {
            unit for run in han for unit in char_ngrams(HAN_NEGATION.sub("", run))
        }


_read = lru_cache(maxsize=4_096)(_Reading)


def stem(word: str) -> str:
    """The word without its ending, so that ships, shipped and shipping are one."""
    word = IRREGULAR.get(word, word)
    short = _ENDING.sub("", word)
    short = short[:-1] if len(short) > 3 and short[-1] == short[-2] else short
    return short if len(short) >= 3 else word


_OPPOSITES: dict[str, list[str]] = {}
for _one, _other in ((stem(one), stem(other)) for one, other in LATIN_PAIRS):
    _OPPOSITES.setdefault(_one, []).append(_other)
    _OPPOSITES.setdefault(_other, []).append(_one)


def _latin_contrasts(a: _Reading, b: _Reading) -> Iterator[tuple[str, str]]:
    """Opposites in the same place: beside the same word."""
    for one in _OPPOSITES.keys() & set(a.stems):
        for other in _OPPOSITES[one]:
            crossed = other in b.stems and other not in a.stems and one not in b.stems
            if crossed and _neighbours(a.stems, one) & _neighbours(b.stems, other):
                yield one, other


def _neighbours(words: list[str], word: str) -> set[tuple[int, str]]:
    """What stands before (-1) and after (1) each place of the word."""
    padded = ["", *words, ""]
    places = [place for place, found in enumerate(padded) if found == word]
    beside = {(side, padded[place + side]) for place in places for side in (-1, 1)}
    return {(side, neighbour) for side, neighbour in beside if neighbour}


def _han_contrasts(a: _Reading, b: _Reading) -> Iterator[tuple[str, str]]:
    if not (a.has_han and b.has_han):
        return
    for one, other in HAN_PAIRS:
        for first, second in ((one, other), (other, one)):
            crossed = first in a.folded and second in b.folded
            crossed = crossed and second not in a.folded and first not in b.folded
            if crossed and _same_neighbour(a.folded, first, b.folded, second):
                yield first, second


def _same_neighbour(text: str, word: str, other_text: str, other: str) -> bool:
    """Whether the character before both words, or the one after both, is the same."""
    before, after = _beside(text, word)
    other_before, other_after = _beside(other_text, other)
    return bool(before and before == other_before) or bool(after and after == other_after)


def _beside(text: str, word: str) -> tuple[str, str]:
    before, _, after = text.partition(word)
    return before[-1:], after[:1]


def _denied(a: _Reading, b: _Reading) -> str | None:
    """A word that `a` denies and `b` states; none where `b` says "not yet" in its own way."""
    if not NOT_YET.isdisjoint(set(b.words).difference(a.words)):
        return None
    if "without" in a.words and not NEEDED.isdisjoint(b.words):
        return None
    words = a.denied_words & b.stated_words
    if words:
        return min(words)
    if a.words and a.negations and a.frame == b.frame:
        return " ".join(a.words)
    if a.denied_han and (HAN_NOT_YET.search(a.folded) or not HAN_NOT_YET.search(b.folded)):
        states = (char for char in sorted(a.denied_han) if _states(b.plain, char))
        return next(states, None)
    return None


def _states(text: str, char: str) -> bool:
    """Whether `char` stands in the text without a negation before it or 不 after it."""
    return (
        re.search(rf"(?<![不没未无非别])(?<![不没未][{HAN_SKIPPED}]){char}(?!不)", text) is not None
    )


def _denied_words(words: list[str]) -> Iterator[str]:
    for place, word in enumerate(words):
        if _is_bare_negation(word):
            denied = next((later for later in words[place + 1 :] if later not in SKIPPED), None)
            if denied is not None:
                yield stem(_positive(denied))
        elif _positive(word) != word:
            yield stem(_positive(word))


def _denied_han(text: str) -> Iterator[str]:
    yield from (match[1] for match in HAN_POTENTIAL.finditer(text))
    rest = HAN_POTENTIAL.sub(" ", text)
    for match in HAN_NEGATION.finditer(rest):
        following = rest[match.end() :].lstrip(HAN_SKIPPED)
        if following[:1] >= _FIRST_HAN:
            yield following[0]


def _undenied(word: str) -> str:
    bare = re.sub(r"n['\u2019]t$", "", word)
    return _positive({"ca": "can", "wo": "will"}.get(bare, bare))


def _is_bare_negation(word: str) -> bool:
    return word in NEGATIONS or word.endswith(("n't", "n\u2019t"))


def _is_negation(word: str) -> bool:
    return _is_bare_negation(word) or _positive(word) != word


def _positive(word: str) -> str:
    """`unopened` -> `opened`; other words unchanged."""
    return word if word in NOT_UN else UN_WORD.sub("", word)


def _alike(a: _Reading, b: _Reading, *, ignoring: tuple[str, ...]) -> bool:
    """Whether at least MIN_SHARED of the smaller text's units are shared, contrast words aside."""
    left, right = (
        {unit for unit in reading.units if not any(unit in word for word in ignoring)}
        for reading in (a, b)
    )
    smaller = min(len(left), len(right))
    return smaller == 0 or len(left & right) / smaller >= MIN_SHARED
