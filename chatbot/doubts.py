"""Questions whose answer was doubted lately: a repeat gets the shop's article and costs no call.

An answer that hardly fits its question is not shared (`relevance.py`), so every repeat would call a model
again for an answer that is doubted again. The article that it came from speaks for itself instead. Kept
in this process, a bounded number of them; an article that changes, or another that fits better, lets
the models try anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from cache.normalize import key_of
from chatbot.asked import Asked
from chatbot.knowledge import Found

MOST = 10_000
_Key = tuple[str, str]
_Source = tuple[str, str, int]


class Doubts:
    """The doubted questions of one process, the most recent `MOST` of them."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._doubted: OrderedDict[_Key, _Source] = OrderedDict()

    def note(self, asked: Asked, *, found: Sequence[Found]) -> None:
        """The answer to this question, made from these articles, was doubted."""
        key = _key(asked)
        self._doubted[key] = _source(found)
        self._doubted.move_to_end(key)
        if len(self._doubted) > self._most:
            self._doubted.popitem(last=False)

    def stand(self, asked: Asked, *, found: Sequence[Found]) -> bool:
        """Whether the same words were doubted and would be answered from the same article again."""
        return self._doubted.get(_key(asked)) == _source(found)


def _key(asked: Asked) -> _Key:
    return asked.partition, key_of(asked.text)


def _source(found: Sequence[Found]) -> _Source:
    best = found[0].article
    return best.key, best.locale, best.version
