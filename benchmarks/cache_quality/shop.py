"""A simulated shop for a labelled stream: articles that cover two to four labels, answers in many wordings.

Labels that lie near each other share an article and some of its sentences. An article is found by the
product's own retrieval, not by its label. An answer is told in at least eight wordings of
different length, order and phrasing; its core sentence is always there, the others come and go.
Everything follows from the labels and a seed.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cache_quality.sentences import Fact, make_fact
from benchmarks.cache_quality.streams import Stream
from chatbot.knowledge import ArticleText, Knowledge, terms

WORDINGS = 12
OWN_FACTS = 3
SHARED_FACTS = 2
KEYWORDS = 12
ARTICLE_SIZES = (2, 3, 4, 3)
OPENINGS = ("", "", "Thanks for asking! ", "Here is how it works. ", "Good question. ", "Hello! ")
CLOSINGS = ("", "", " Anything else we can help with?", " Write to us if it does not work.")
CHINESE_OPENINGS = ("", "", "您好！", "感谢咨询。", "亲，", "说明如下：")
CHINESE_CLOSINGS = ("", "", "还有其他问题吗？", "如不行请再联系我们。")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as a model gave it: its text and the key of the article that it cites."""

    text: str
    article: str


class Shop:
    """Answers questions of one stream; `tell` is None when the retrieval does not offer the article."""

    def __init__(self, stream: Stream, *, seed: int) -> None:
        self._chinese = stream.chinese
        self._seed = seed
        self._facts: dict[str, list[Fact]] = {}
        self._article_of: dict[str, str] = {}
        self._asked: Counter[str] = Counter()
        articles = [self._article(number, group) for number, group in enumerate(_groups(stream))]
        words = _keywords(stream)
        self._knowledge = Knowledge([self._text(key, labels, words) for key, labels in articles])
        self._offered: dict[str, frozenset[str]] = {}
        self.offered_wrong = 0

    def begin(self) -> None:
        """Tell everything from the start again, as on the first day."""
        self._asked.clear()
        self.offered_wrong = 0

    def tell(self, question: str, label: str) -> Told | None:
        """What the model answers, in a wording of its own each time."""
        article = self._article_of[label]
        if article not in self._found(question):
            self.offered_wrong += 1
            return None
        self._asked[label] += 1
        return Told(text=self._wording(label, self._asked[label] % WORDINGS), article=article)

    def _found(self, question: str) -> frozenset[str]:
        """Keys of the three best articles; the same each time, so it is asked once."""
        if question not in self._offered:
            ranked = self._knowledge.rank(question, vector=None)[:3]
            self._offered[question] = frozenset(item.article.key for item in ranked)
        return self._offered[question]

    def _article(self, number: int, labels: Sequence[str]) -> tuple[str, Sequence[str]]:
        key = f"article-{number}"
        rng = random.Random(f"{self._seed}/{key}")
        shared = [make_fact(f"{key}/{n}", rng, chinese=self._chinese) for n in range(SHARED_FACTS)]
        for label in labels:
            own = [make_fact(f"{label}/{n}", rng, chinese=self._chinese) for n in range(OWN_FACTS)]
            self._facts[label] = [*own, *shared]
            self._article_of[label] = key
        return key, labels

    def _text(self, key: str, labels: Sequence[str], words: dict[str, list[str]]) -> ArticleText:
        body = " ".join(fact.phrasings[0] for label in labels for fact in self._facts[label])
        about = " ".join(word for label in labels for word in words[label])
        titles = tuple(label.replace("_", " ") for label in labels)
        return ArticleText(
            key=key,
            locale="zh-hans" if self._chinese else "en",
            version=1,
            topic="",
            title=" / ".join(titles),
            text=f"{about}\n\n{body}",
            asked_as=titles,
            url="",
        )

    def _wording(self, label: str, number: int) -> str:
        rng = random.Random(f"{self._seed}/{label}/{number}")
        core, *others = self._facts[label]
        told = [core, *rng.sample(others, rng.randint(0, len(others)))]
        rng.shuffle(told)
        opening, closing = (
            (CHINESE_OPENINGS, CHINESE_CLOSINGS) if self._chinese else (OPENINGS, CLOSINGS)
        )
        between = "" if self._chinese else " "
        body = between.join(rng.choice(fact.phrasings) for fact in told)
        return f"{rng.choice(opening)}{body}{rng.choice(closing)}"


def _groups(stream: Stream) -> Iterator[list[str]]:
    """Labels in groups of two to four, each with those whose questions lie nearest."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for number, label in enumerate(stream.labels):
        rows[label].append(number)
    names = list(rows)
    middles = np.stack([stream.vectors[rows[label]].mean(axis=0) for label in names])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True) + 1e-9
    free = dict.fromkeys(range(len(names)))
    turn = 0
    while free:
        first = next(iter(free))
        size = ARTICLE_SIZES[turn % len(ARTICLE_SIZES)]
        nearest = sorted(free, key=lambda other: -float(middles[first] @ middles[other]))[:size]
        for taken in nearest:
            del free[taken]
        turn += 1
        yield [names[taken] for taken in nearest]


def _keywords(stream: Stream) -> dict[str, list[str]]:
    """Per label the words that its questions hold most and others hardly: what an article would say."""
    by_label: defaultdict[str, Counter[str]] = defaultdict(Counter)
    everywhere: Counter[str] = Counter()
    for text, label in zip(stream.texts, stream.labels, strict=True):
        units = set(terms(text))
        by_label[label].update(units)
        everywhere.update(units)
    return {
        label: sorted(counts, key=lambda unit: (-(counts[unit] ** 1.5) / everywhere[unit], unit))[
            :KEYWORDS
        ]
        for label, counts in by_label.items()
    }
