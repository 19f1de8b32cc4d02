"""Are two questions the same but for one named thing in the same place? Pure.

"Is the backpack leather?" and "Is the handbag leather?" are nearly one vector, and no list of
products knows every thing a shopper may name. The sign is read only when the frame is identical
word for word and the one swapped span (1-2 words, 1-4 Han characters) stands where a noun stands
and holds no verb, function word, inflection, typo or synonym of the other. A version word on one
side only ("lite", 轻薄款) is such a sign too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from base.text import han_count
from cache.normalize import canonical
from cache.swap_words import (
    ANYTHING,
    FUNCTION_WORDS,
    HAN_ANYTHING,
    HAN_BEFORE_HEAD,
    HAN_FUNCTION,
    HAN_HEADS,
    HAN_SYNONYMS,
    HAN_VERSIONS,
    NOUNS_IN_ING,
    SENDING,
    SYNONYMS,
    VERB_BEFORE,
    VERBS,
    VERSIONS,
)

MIN_SHARED = 0.6
MIN_SHARED_HAN = 0.4
_MAX_WORDS = 2
_MAX_HAN = 4
_MIN_FRAME_HAN = 2
_MAX_SHARED_HAN = 2
_NO_THINGS = FUNCTION_WORDS | VERBS
_PIECE = re.compile(r"[a-z0-9][a-z0-9.:/@-]*|[\u3400-\u9fff]|[^\s]")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class _Swap:
    """Two spans in one frame, as pieces of text."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def longest(self) -> int:
        return max(len(self.one), len(self.other))

    @property
    def shared(self) -> float:
        """Share of the longer text (0..1) that both have."""
        frame = len(self.before) + len(self.after)
        return frame / (frame + self.longest)


def swapped_things(left: str, right: str) -> str | None:
    """The two things in words, or None."""
    a, b = _pieces(left), _pieces(right)
    if a == b:
        return None
    head = _shared(a, b)
    tail = _shared(a[head:][::-1], b[head:][::-1])
    one, other = a[head : len(a) - tail], b[head : len(b) - tail]
    versions = _version_added(one, other)
    if versions:
        return f"products differ: one is the {versions} version"
    if not one or not other:
        return None
    span = _Swap(one, other, a[:head], a[len(a) - tail :])
    if han_count(left) and han_count(right):
        differ, joiner = _han_things(span), ""
    else:
        differ, joiner = _things(span, proper=_capital(one, left) and _capital(other, right)), " "
    return f"products differ: {joiner.join(one)} / {joiner.join(other)}" if differ else None


def _capital(words: tuple[str, ...], text: str) -> bool:
    return words[0].capitalize() in text


@lru_cache(maxsize=4_096)
def _pieces(text: str) -> tuple[str, ...]:
    return tuple(_PIECE.findall(canonical(text)))


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """How many pieces both begin with."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        count += 1
    return count


def _version_added(one: tuple[str, ...], other: tuple[str, ...]) -> str | None:
    """The version word that is all one side adds to the frame."""
    added = one or other
    if one and other:
        return None
    text = "".join(added) if added and han_count(added[0]) else " ".join(added)
    known = text in VERSIONS or text in HAN_VERSIONS
    return text if known else None


def _things(span: _Swap, *, proper: bool) -> bool:
    if span.longest > _MAX_WORDS or span.shared < MIN_SHARED or _before_verb(span, proper=proper):
        return False
    if not (_names_thing(span.one) and _names_thing(span.other)):
        return False
    return not _same_thing(" ".join(span.one), " ".join(span.other))


def _before_verb(span: _Swap, *, proper: bool) -> bool:
    """Whether a verb is expected in the place; after "to" a place may stand as well."""
    if span.before[-1:] == ("to",):
        return not proper and span.before[-2:-1] not in SENDING
    return bool(span.before) and span.before[-1] in VERB_BEFORE


def _names_thing(words: tuple[str, ...]) -> bool:
    """Whether the words may name one thing; numbers are compared elsewhere."""
    if any(_DIGIT.search(word) or word in _NO_THINGS or _gerund(word) for word in words):
        return False
    noun = words[-1]
    return len(noun) > 2 and _stem(noun) not in ANYTHING and not noun.endswith("ed")


def _gerund(word: str) -> bool:
    return word.endswith("ing") and word not in NOUNS_IN_ING


def _same_thing(one: str, other: str) -> bool:
    if one.replace(" ", "") == other.replace(" ", "") or _typo(one, other):
        return True
    words, others = ({_stem(word) for word in text.split()} for text in (one, other))
    if words & others and (words <= others or others <= words):
        return True  # "gift card" / "card": one only says more
    groups = {SYNONYMS.get(word, word) for word in words}
    return groups == {SYNONYMS.get(word, word) for word in others}


def _stem(word: str) -> str:
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss")):
        if word.endswith(ending):
            return word.removesuffix(ending) + instead
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _typo(one: str, other: str) -> bool:
    """One letter more or less, or letters in another order; a changed letter makes another word."""
    if min(len(one), len(other)) < 5 or one[0] != other[0]:
        return False
    if len(one) == len(other):
        return sorted(one) == sorted(other)
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    return any(longer[:cut] + longer[cut + 1 :] == shorter for cut in range(len(longer)))


def _han_things(span: _Swap) -> bool:
    frame = len(span.before) + len(span.after)
    if span.longest > _MAX_HAN or frame < _MIN_FRAME_HAN or span.shared < MIN_SHARED_HAN:
        return False
    one, other = "".join(span.one), "".join(span.other)
    if any(_DIGIT.search(text) or _is_function(text, span) for text in (one, other)):
        return False
    if span.before[-1:] in (("不",), ("没",), ("未",)) or not HAN_ANYTHING.isdisjoint((one, other)):
        return False
    return one not in other and other not in one and not _han_synonyms(span)


def _is_function(text: str, span: _Swap) -> bool:
    """Whether a function word is in the span; 内 before 裤 is part of the thing's name."""
    named = span.after[:1] and span.after[0] in HAN_HEADS and text in HAN_BEFORE_HEAD
    return not named and HAN_FUNCTION.search(text) is not None


def _han_synonyms(span: _Swap) -> bool:
    """Whether the words around the span mean the same: 运 / 邮 before 费 are 运费 / 邮费."""
    before, after = "".join(span.before), "".join(span.after)
    for left in range(_MAX_SHARED_HAN + 1):
        for right in range(_MAX_SHARED_HAN + 1):
            start, end = before[len(before) - left :], after[:right]
            one, other = (f"{start}{''.join(part)}{end}" for part in (span.one, span.other))
            if HAN_SYNONYMS.get(one, one) == HAN_SYNONYMS.get(other, other):
                return True
    return False
