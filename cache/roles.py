"""Do two questions say the same words of each other the other way round, or ask for another action? Pure.

"A charger for this phone" and "a phone for this charger" hold the same words, so neither the vector nor the
overlap tells them apart; the order does. Two signs, each only where BOTH texts show it:

- roles: the same things stand behind each other's marker ("for phone" / "for charger", 换大码 / 换小码);
- actions: each text asks for one kind of action, and the kinds exclude each other (return / exchange).
"""

from __future__ import annotations

import re
from functools import lru_cache

from base.stems import stem
from base.text import tokens


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SKIPPED = _words("a an the this that these those my your our their his her some any")
_MARKERS = _words(
    """
    for to into onto from with without by than before after against instead of in on when if which
    what buy get swap change exchange replace pay turn
    """
)
_ACTIONS = (
    ("return", _words("return")),
    ("exchange", frozenset(["exchang", "swap"])),
    ("refund", frozenset(["refund"])),
    ("replace", frozenset(["replac"])),
    ("cancel", frozenset(["cancel"])),
    ("change", frozenset(["chang", "edit", "amend", "modify"])),
    ("repair", frozenset(["repair", "fix", "mend"])),
    ("clean", frozenset(["clean", "wash"])),
    ("track", frozenset(["track"])),
    ("reroute", frozenset(["rerout", "redirect"])),
)
# Pairs that one answer may serve: what is said of the one is said of the other, or they are one act.
_COMPATIBLE = (
    frozenset({"return", "refund"}),
    frozenset({"exchange", "replace"}),
    frozenset({"exchange", "change"}),
    frozenset({"replace", "change"}),
)
_HAN_ACTIONS = (
    ("return", re.compile(r"退货|退回|退了|退掉|能退|可以退|怎么退|想退")),
    ("exchange", re.compile(r"换货|换码|换尺码|换颜色|换一件|能换|可以换|怎么换|想换")),
    ("refund", re.compile(r"退款|退钱")),
    ("cancel", re.compile(r"取消")),
    ("change", re.compile(r"修改|更改|改地址|改电话")),
    ("repair", re.compile(r"维修|修理|返修")),
)
_HAN_MARKER = re.compile(r"[换到从比给改送配搭退为用]")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_LONGEST_HAN = 4
_FEWEST_SHARED = 0.6


def swapped_roles(left: str, right: str) -> str | None:
    """What stands in each other's place, in words; None when nothing does."""
    return _latin_swap(_behind(left), _behind(right)) or _han_swap(left, right)


def other_action(left: str, right: str) -> str | None:
    """The actions that exclude each other, in words; None unless each text asks for exactly one kind."""
    one, other = _actions(left), _actions(right)
    if len(one) != 1 or len(other) != 1 or one == other:
        return None
    if one | other in _COMPATIBLE:
        return None
    return f"actions differ: {min(one)} / {min(other)}"


_Behind = dict[str, str]


def _latin_swap(left: _Behind, right: _Behind) -> str | None:
    """`left` and `right` map each word that stands once to the word before it."""
    shared = left.keys() & right.keys()
    if len(shared) < _FEWEST_SHARED * max(len(left), len(right), 1):
        return None
    behind_left = {before: word for word, before in left.items() if word in shared}
    behind_right = {before: word for word, before in right.items() if word in shared}
    for marker in behind_left.keys() & behind_right.keys():
        a, b = behind_left[marker], behind_right[marker]
        if not marker or a == b or a in _MARKERS or b in _MARKERS:
            continue
        crossed = marker in _MARKERS or (right[a] and right[a] == left[b])
        if crossed and left[b] != right[b] and left[a] != right[a]:
            return f"roles are swapped: {marker} {a} / {marker} {b}"
    return None


@lru_cache(maxsize=4_096)
def _behind(text: str) -> _Behind:
    words = [stem(token) for token in tokens(text) if token not in _SKIPPED]
    pairs = zip(["", *words], words, strict=False)
    once = {word for word in words if words.count(word) == 1}
    return {word: before for before, word in pairs if word in once}


def _han_swap(left: str, right: str) -> str | None:
    for marker, before, after in _around(left):
        for other, other_before, other_after in _around(right):
            if marker != other:
                continue
            a = _common(before, other_after)
            b = _common_after(after, other_before)
            if a and b and a != b:
                return f"roles are swapped: {a}{marker}{b} / {b}{marker}{a}"
    return None


def _around(text: str) -> list[tuple[str, str, str]]:
    """Each marker with what stands right before and right behind it in its run."""
    return [
        (
            match.group(),
            run[max(0, match.start() - _LONGEST_HAN) : match.start()],
            run[match.end() :],
        )
        for run in _HAN_RUN.findall(text)
        for match in _HAN_MARKER.finditer(run)
    ]


def _common(before: str, after: str) -> str:
    """The longest text that ends `before` and begins `after`."""
    return next(
        (before[-size:] for size in range(len(before), 0, -1) if after.startswith(before[-size:])),
        "",
    )


def _common_after(after: str, before: str) -> str:
    """The longest text that begins `after` and ends `before`."""
    longest = min(_LONGEST_HAN, len(after))
    return next(
        (after[:size] for size in range(longest, 0, -1) if before.endswith(after[:size])), ""
    )


@lru_cache(maxsize=4_096)
def _actions(text: str) -> frozenset[str]:
    words = {stem(token) for token in tokens(text)}
    latin = {name for name, forms in _ACTIONS if words & forms}
    han = {name for name, pattern in _HAN_ACTIONS if pattern.search(text)}
    return frozenset(latin | han)
