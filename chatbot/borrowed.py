"""What a question must not smuggle into an answer that others will read. Pure.

Two nets behind the rule of `cache.policy`: addresses in an answer must stand in an article that it cites,
and a question that tells the model what to say never leads to a shared answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from base.text import fold
from chatbot.knowledge import ArticleText

_ADDRESS = re.compile(
    r"https?://[^\s)\]]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:[a-z0-9-]+\.)+(?:[a-z]{2,})(?:/[^\s)\]]*)?",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"\b(?:answer|reply|respond)\s*(?::|with\b|that\b|only\b|in the form\b)|\b(?:say|tell (?:me|them|everyone)) that\b"
    r"|\b(?:begin|start|end|finish) (?:your|the) (?:answer|reply|response)\b"
    r"|\b(?:ignore|disregard|forget) (?:all|any|the|your|previous|prior|above)\b|\byou are now\b|\bsystem prompt\b"
    r"|\[\[|</?article|(?:回答|答案|回复)\s*[:：是为]|请(?:回答|回复|说)[:：“\"]|忽略(?:以上|之前|前面|所有)|你现在是"
)


def foreign_addresses(answer: str, *, articles: Sequence[ArticleText]) -> tuple[str, ...]:
    """Links, domains and e-mail addresses in the answer that none of `articles` holds."""
    known = fold("\n".join(f"{article.title}\n{article.text}" for article in articles))
    found = (match.group().rstrip(".,;") for match in _ADDRESS.finditer(answer))
    return tuple(address for address in found if fold(address) not in known)


def instructs(question: str) -> bool:
    """Whether a question tells the model what to answer."""
    return _INSTRUCTION.search(fold(question)) is not None
