"""Are two questions the same but for one named thing in the same place? Pure.

"Is the backpack leather?" and "Is the handbag leather?" are nearly one vector, and no list of
products knows every thing a shopper may name. The sign is read only when the frame is identical
word for word and the one swapped span (1-2 words, 1-4 Han characters) stands where a noun stands
and holds no verb, function word, inflection, typo or synonym of the other. A version word on one
side only ("lite", 轻薄款) is such a sign too.
"""

from __future__ import annotations

import re
from functools import lru_cache

from base.text import han_count
from cache.normalize import canonical
from cache.swap_words import (
    ANYTHING,
    FUNCTION_WORDS,
    HAN_ANYTHING,
    HAN_FUNCTION,
    HAN_SYNONYMS,
    HAN_VERSIONS,
    NOUNS_IN_ING,
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
_NO_THINGS = FUNCTION_WORDS | VERBS
_PIECE = re.compile(r"[a-z0-9][a-z0-9.:/@-]*|[\u3400-\u9fff]|[^\s]")
_DIGIT = re.compile(r"\d")


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
    frame = head + tail
    if not one or not other:
        return None
    han = han_count(left) > 0 and han_count(right) > 0
    differ = (
        _han_things(one, other, frame, a[:head]) if han else _things(one, other, frame, a[:head])
    )
    joiner = "" if han else " "
    return f"products differ: {joiner.join(one)} / {joiner.join(other)}" if differ else None


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


def _things(
    one: tuple[str, ...], other: tuple[str, ...], frame: int, before: tuple[str, ...]
) -> bool:
    longest = max(len(one), len(other))
    if longest > _MAX_WORDS or frame / (frame + longest) < MIN_SHARED:
        return False
    if before and before[-1] in VERB_BEFORE:
        return False
    if not (_names_thing(one) and _names_thing(other)):
        return False
    return not _same_thing(" ".join(one), " ".join(other))


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


def _han_things(
    one: tuple[str, ...], other: tuple[str, ...], frame: int, before: tuple[str, ...]
) -> bool:
    longest = max(len(one), len(other))
    if longest > _MAX_HAN or frame < _MIN_FRAME_HAN or frame / (frame + longest) < MIN_SHARED_HAN:
        return False
    texts = "".join(one), "".join(other)
    if any(_DIGIT.search(text) or HAN_FUNCTION.search(text) for text in texts):
        return False
    if (before and before[-1] in "不没未") or not HAN_ANYTHING.isdisjoint(texts):
        return False
    groups = [HAN_SYNONYMS.get(text, text) for text in texts]
    return groups[0] != groups[1] and texts[0] not in texts[1] and texts[1] not in texts[0]
