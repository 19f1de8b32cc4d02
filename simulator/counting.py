"""The simulator's own tokens: a Han character is one, a word one per four characters begun,
any other visible character one. Usage, limits and the bill all rest on this one count."""

from __future__ import annotations

import re
from functools import lru_cache

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_CHAR = re.compile(f"[{_HAN}]")
_TOKEN = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+|[^\w\s]")
_SPAN = re.compile(rf"\s*(?:[{_HAN}]|[^\W{_HAN}]+|[^\w\s])|\s+$")
_CHARS_PER_TOKEN = 4


def has_han(text: str) -> bool:
    """Whether the text contains a Chinese character."""
    return _HAN_CHAR.search(text) is not None


def _weigh(token: str) -> int:
    return -(-len(token) // _CHARS_PER_TOKEN)


@lru_cache(maxsize=4096)
def count_tokens(text: str) -> int:
    """Tokens of a text; 0 for blank text."""
    return sum(_weigh(match) for match in _TOKEN.findall(text))


def pieces(text: str, *, spans_per_piece: int = 3) -> list[str]:
    """Cut a text into stream pieces; joined they give the text back."""
    spans = _SPAN.findall(text)
    return [
        "".join(spans[start : start + spans_per_piece])
        for start in range(0, len(spans), spans_per_piece)
    ]


def cut_to(text: str, *, max_tokens: int) -> str:
    """The longest prefix of whole words that counts at most `max_tokens`."""
    used_tokens = end = 0
    for match in _SPAN.finditer(text):
        used_tokens += _weigh(match.group().strip())
        if used_tokens > max_tokens:
            return text[:end]
        end = match.end()
    return text
