"""What a question must not smuggle into an answer that others will read. Pure.

Two nets behind the rule of `cache.policy`: addresses in an answer must stand in an article that it cites,
and a question that tells the model what to say never leads to a shared answer, nor does an answer that
does what such a question wants: repeating its quoted words, giving orders, or changing the language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from base.text import fold, language_of
from chatbot.instructions import instructs
from chatbot.knowledge import ArticleText

__all__ = ["borrowed_words", "foreign_addresses", "instructs"]

_ADDRESS = re.compile(
    r"https?://[^\s)\]]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b(?:[a-z0-9-]+\.)+(?:[a-z]{2,})(?:/[^\s)\]]*)?",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“「『‘]([^\"“”「」『』‘’]{4,200})[\"”」』’]")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def foreign_addresses(answer: str, *, articles: Sequence[ArticleText]) -> tuple[str, ...]:
    """Links, domains and e-mail addresses in the answer that none of `articles` holds."""
    known = fold("\n".join(f"{article.title}\n{article.text}" for article in articles))
    found = (match.group().rstrip(".,;") for match in _ADDRESS.finditer(answer))
    return tuple(address for address in found if fold(address) not in known)


def borrowed_words(
    question: str, answer: str, *, articles: Sequence[ArticleText]
) -> tuple[str, ...]:
    """What the answer has from the question and not from the articles, or tells its reader to obey."""
    known = fold("\n".join(f"{article.title}\n{article.text}" for article in articles))
    said = fold(answer)
    quoted = (_EDGES.sub("", fold(match.group(1))) for match in _QUOTED.finditer(question))
    repeated = [f'"{words}"' for words in quoted if words in said and words not in known]
    if instructs(answer) and not instructs(known):
        repeated.append("an instruction")
    if language_of(answer) != language_of(question):
        repeated.append("another language than the question")
    return tuple(repeated)
