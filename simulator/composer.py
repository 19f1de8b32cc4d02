"""Plays an obedient model: answers from the articles of the prompt and names those it used.

Every sentence between opening and closing is copied from an article of the prompt, so figures are
never changed (the `invents` twist adds one figure that no article has). Equal question, articles,
turn and seed give an equal answer; another turn gives another wording.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from simulator.articles import Article, parse_articles
from simulator.counting import has_han

_LATIN = re.compile(r"[^\W\u3400-\u4dbf\u4e00-\u9fff]+")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_STOP_WORDS = """
a an and any are as at be by can could do does for from get have how i if in is it me my of on or
our please that the their there this to was we what when where which who will with would you your
的 吗 呢 我 你 们 是 了 请问 什么 怎么 可以
"""
_STOP = frozenset(_STOP_WORDS.split())
_LEAD_BONUS = 1.5
_FIRST_BONUS = 0.25
_SECOND_SHARE = 0.6
_TWO_ARTICLES_SHARE = 0.5
_PARAGRAPHS_SHARE = 0.5
_SHORTEST_STEM_CHARS = 3

_LEADS = (":", "：")

_OPENINGS = {
    "en": (
        "",
        "",
        "Thanks for asking!",
        "Good question.",
        "Here is how it works.",
        "Happy to help with that.",
        "Hello, and thank you for your patience.",
    ),
    "zh": ("", "", "您好！", "感谢您的咨询。", "很高兴为您解答。", "亲，您好，说明如下。"),
}
_CLOSINGS = {
    "en": (
        "",
        "",
        "Let us know if anything is unclear.",
        "If your case is different, just tell me a little more about it.",
        "Is there anything else we can do for you?",
    ),
    "zh": (
        "",
        "",
        "如果还有疑问，欢迎随时告诉我们。",
        "希望能帮到您！",
        "如情况不同，请再补充一些细节。",
    ),
}
_SORRY = {
    "en": "I am sorry, the information I have does not answer this.",
    "zh": "很抱歉，现有资料无法回答这个问题。",
}
_INVENTED = {
    "en": "On top of that, orders above {figure} come with a complimentary gift card.",
    "zh": "此外，满{figure}元的订单还会附赠礼品卡。",
}
_REFUSED = {
    "en": "I am sorry, but I cannot help with this request.",
    "zh": "很抱歉，我无法协助处理这个请求。",
}


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer and the keys of the articles it marks, in order of appearance."""

    text: str
    keys: tuple[str, ...] = ()


def language_of(question: str) -> str:
    """`zh` if the question has a Han character, else `en`."""
    return "zh" if has_han(question) else "en"


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM_CHARS:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=8192)
def units(text: str) -> frozenset[str]:
    """What two texts are compared by: stemmed words, and bigrams of Han characters."""
    found = {_stem(w) for w in _LATIN.findall(text.lower()) if w not in _STOP}
    for run in _HAN_RUN.findall(text):
        found.update(run[i : i + 2] for i in range(len(run) - 1) if run[i : i + 2] not in _STOP)
        if len(run) == 1 and run not in _STOP:
            found.add(run)
    return frozenset(found)


@lru_cache(maxsize=512)
def _weighed(articles: tuple[Article, ...]) -> tuple[list[frozenset[str]], Counter[str]]:
    """The units of each article, and in how many articles each unit is."""
    bodies = [units(f"{article.title}\n{article.body}") for article in articles]
    return bodies, Counter(unit for body in bodies for unit in body)


def rank(question: str, *, articles: Sequence[Article]) -> list[tuple[float, Article]]:
    """Articles by their overlap with the question, best first; the first listed is favoured."""
    bodies, frequency = _weighed(tuple(articles))
    asked = units(question)
    scored = []
    for place, (article, body) in enumerate(zip(articles, bodies, strict=True)):
        title = units(article.title)
        score = sum(
            (2 if unit in title else 1) * math.log(1 + len(articles) / frequency[unit])
            for unit in sorted(asked & body)
        )
        scored.append((score + (_FIRST_BONUS if place == 0 else 0.0), -place, article))
    return [(score, article) for score, _, article in sorted(scored, key=lambda s: s[:2])[::-1]]


def _choose(question: str, *, articles: Sequence[Article], dice: random.Random) -> list[Article]:
    ranked = [(score, article) for score, article in rank(question, articles=articles)]
    chosen = [ranked[0][1]]
    for score, article in ranked[1:2]:
        close = score > 0 and score >= _SECOND_SHARE * ranked[0][0]
        if close and article.sentences and dice.random() < _TWO_ARTICLES_SHARE:
            chosen.append(article)
    return chosen


def _sentences(article: Article, *, question: str, wanted: int) -> list[str]:
    """The sentences nearest to the question, in the order of the article.

    Words of the title say nothing about one sentence more than another; between equals the article's
    beginning is preferred, where its main fact stands.
    """
    chinese = has_han(question)
    pool = [s for s in article.sentences if has_han(s) == chinese] or list(article.sentences)
    pool = [s for s in pool if not s.endswith(_LEADS)] or pool
    asked = units(question) - units(article.title)
    by_overlap = sorted(
        range(len(pool)), key=lambda i: (-len(asked & units(pool[i])) - _LEAD_BONUS / (1 + i), i)
    )
    return [pool[i] for i in sorted(by_overlap[:wanted])]


def _finish(sentence: str) -> str:
    if sentence.endswith((".", "!", "?", "。", "！", "？", ":", "：", ";", "；")):
        return sentence
    return sentence + ("。" if has_han(sentence) else ".")


def _block(sentences: Sequence[str], *, key: str, style: str, extra: str) -> str:
    lines = [_finish(sentence) for sentence in sentences] + ([extra] if extra else [])
    mark = f"[[{key}]]"
    if style == "bullets":
        return "\n".join(f"- {line}" for line in lines) + f" {mark}"
    if style == "each":
        return " ".join(f"{line} {mark}" for line in lines)
    glue = "" if has_han("".join(lines)) else " "
    return f"{glue.join(lines)} {mark}"


def _invent(system: str, *, language: str, dice: random.Random) -> str:
    figure = dice.randint(1001, 9998)
    while str(figure) in system:
        figure = figure + 1
    return _INVENTED[language].format(figure=figure)


def unknown(question: str) -> str:
    """What is said when nothing in the prompt answers."""
    return f"[[none]] {_SORRY[language_of(question)]}"


def refusal(question: str) -> str:
    """What is said when the model declines."""
    return _REFUSED[language_of(question)]


def compose(
    question: str, *, system: str, turn: int, seed: int = 0, invents: bool = False
) -> Composed:
    """Answer from the articles in `system`; `[[none]]` and an apology if it holds none.

    Keys are those of the articles used, at most two, each marked as `[[key]]` in the text.
    """
    articles = [article for article in parse_articles(system) if article.sentences]
    if not articles:
        return Composed(unknown(question))
    digest = hashlib.sha256(f"{seed}|{turn}|{question}".encode()).digest()
    dice = random.Random(int.from_bytes(digest[:8], "big"))
    language = language_of(question)
    chosen = _choose(question, articles=articles, dice=dice)
    wanted = dice.randint(2, 4)
    style = dice.choice(("flow", "flow", "bullets", "each"))
    opening, closing = dice.choice(_OPENINGS[language]), dice.choice(_CLOSINGS[language])
    blocks = []
    for place, article in enumerate(chosen):
        share = max(1, wanted - wanted // 2 * (len(chosen) - 1)) if place == 0 else wanted // 2
        last = place == len(chosen) - 1
        extra = _invent(system, language=language, dice=dice) if invents and last else ""
        picked = _sentences(article, question=question, wanted=share)
        blocks.append(_block(picked, key=article.key, style=style, extra=extra))
    gap = "" if language == "zh" else " "
    if style == "bullets" or dice.random() < _PARAGRAPHS_SHARE:
        gap = "\n\n"
    parts = [part for part in (opening, *blocks, closing) if part]
    return Composed(gap.join(parts), tuple(article.key for article in chosen))
