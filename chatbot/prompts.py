"""The request to a model: system text, articles, last turns and the question, each with a token budget.

Pure. What does not fit is cut, oldest first: turns before articles, never the question. `build` says what
the prompt holds, since only a prompt of question and articles may lead to a shared answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chatbot.knowledge import ArticleText
from chatbot.transcript import Turn
from routing.errors import TooLarge
from routing.specs import Message, Prompt
from routing.tokens import estimate_tokens

ARTICLE_BUDGET_TOKENS = 1_600
BLOCK_TOKENS = 20
HISTORY_BUDGET_TOKENS = 600
QUESTION_BUDGET_TOKENS = 6_500
MAX_TURNS = 3
ANSWER_TOKENS = 400

LANGUAGE_NAMES = {"en": "English", "zh-hans": "Simplified Chinese"}
PERSONAL_RULE = (
    "If the question is about the shopper's own order, explain how they look it up themselves."
)
_TAG = re.compile(r"<(?=\s*/?\s*article)", re.IGNORECASE)
TEMPLATE_PATH = Path(__file__).resolve().parent.parent / "templates" / "prompts" / "answer.txt"
TEMPLATE = TEMPLATE_PATH.read_text(encoding="utf-8")
PROMPT_VERSION = hashlib.blake2b(TEMPLATE.encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class BuiltPrompt:
    """The prompt and what went into it."""

    prompt: Prompt
    offered: tuple[ArticleText, ...]
    turns: int
    tokens: int


def build(
    question: str,
    *,
    articles: Sequence[ArticleText],
    turns: Sequence[Turn],
    shop: str,
    tone: str,
    language: str,
    today: date | None,
) -> BuiltPrompt:
    """Put the prompt together. `today` None leaves the date out: an answer that may be shared must
    not depend on the day it was made. Raises TooLarge when the question alone exceeds its budget."""
    if estimate_tokens(question) > QUESTION_BUDGET_TOKENS:
        message = f"the question is longer than {QUESTION_BUDGET_TOKENS} tokens"
        raise TooLarge(message)
    offered = _fit_articles(articles)
    kept = _fit_turns(turns[-MAX_TURNS:])
    system = TEMPLATE.format(
        shop=shop,
        today=f"Today is {today.isoformat()} in the shop's time zone." if today else "",
        language=LANGUAGE_NAMES[language],
        tone=tone,
        personal=PERSONAL_RULE,
        articles="\n".join(_block(article) for article in offered),
    )
    messages = [message for turn in kept for message in _as_messages(turn)]
    messages.append(Message(role="user", content=question))
    prompt = Prompt(system=system, messages=tuple(messages))
    tokens = estimate_tokens(system) + sum(estimate_tokens(message.content) for message in messages)
    return BuiltPrompt(prompt=prompt, offered=offered, turns=len(kept), tokens=tokens)


def _as_messages(turn: Turn) -> tuple[Message, Message]:
    return Message(role="user", content=turn.question), Message(
        role="assistant", content=turn.answer
    )


def _block(article: ArticleText) -> str:
    """An article as the prompt shows it; neither its text nor its title can leave the block."""
    title, body = _TAG.sub("< ", " ".join(article.title.split())), _TAG.sub("< ", article.text)
    return f'<article key="{article.key}">\nTitle: {title}\n{body}\n</article>'


def _fit_articles(articles: Sequence[ArticleText]) -> tuple[ArticleText, ...]:
    """The best articles that fit the budget; the first always stays, cut if it must be."""
    kept: list[ArticleText] = []
    left = ARTICLE_BUDGET_TOKENS
    for article in articles:
        frame = estimate_tokens(article.title) + BLOCK_TOKENS
        cost = frame + estimate_tokens(article.text)
        if cost > left and kept:
            break
        kept.append(article if cost <= left else article.shortened(to_tokens=left - frame))
        left -= cost
    return tuple(kept)


def _fit_turns(turns: Sequence[Turn]) -> list[Turn]:
    """The newest turns that fit the budget; the oldest are cut first."""
    kept: list[Turn] = []
    left = HISTORY_BUDGET_TOKENS
    for turn in reversed(turns):
        left -= estimate_tokens(turn.question) + estimate_tokens(turn.answer)
        if left < 0:
            break
        kept.insert(0, turn)
    return kept
