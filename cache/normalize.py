"""Text -> canonical text -> key of the exact tier. Pure.

Two texts share a key only when they differ in width, case, spacing, punctuation or courtesy words
at the ends. Anything that could change the meaning (digits, signs beside digits, currency, word
order) stays.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|excuse me)\b(?: there\b)?"
    r"|亲亲?|你好|您好|请问一下|请问|麻烦问一下|在吗|客服)[\s,.!?~、,。!?:;]*"
)
_CLOSING = re.compile(r"(?:[\s,]*\b(?:please|pls|thanks|thank you|thx)|谢谢|[啊呀哦哈嘛呢哟噢喔])$")
_SPACE = re.compile(r"\s+")
_SPACE_BESIDE_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])")
_KEPT_SIGNS = frozenset("%‰¥$€£#+-/.:@&°")


def canonical(text: str) -> str:
    """The text as the exact tier sees it; empty when nothing but punctuation was there."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _SPACE.sub(" ", "".join(_plain(char) for char in folded)).strip()
    folded = _SPACE_BESIDE_HAN.sub("", folded)
    return _trim(folded)


def key_of(text: str) -> str:
    """Digest (64 hex digits) of the canonical text; the key of the exact tier."""
    return hashlib.blake2b(canonical(text).encode(), digest_size=32).hexdigest()


def _plain(char: str) -> str:
    """Punctuation becomes a space, except the signs that belong to values."""
    if char in _KEPT_SIGNS or unicodedata.category(char)[0] not in "PC":
        return char
    return "" if char in "'\u2019" else " "


def _trim(text: str) -> str:
    """Strip courtesy at both ends until nothing more comes off; never down to nothing."""
    while True:
        shorter = _CLOSING.sub("", _GREETING.sub("", text)).strip(" .:-/&+#@")
        if shorter in ("", text):
            return text
        text = shorter
