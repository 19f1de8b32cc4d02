"""The training questions of the relevance model, and what it is shown of each.

`relevance_data/train_*.csv` holds questions written by hand about the demo shop: those that its articles
answer, and those near its subjects that they do not. The demo's routing examples and the guard's
general questions join the answerable ones, the latter with half a say, since not every one of them is
answered by an article.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.text import Language
from chatbot.guard_training import written as guard_questions
from chatbot.knowledge import ArticleText
from chatbot.relevance import MODEL_PATH, USUAL_FROM, Usual, units
from chatbot.seeding import DEMO_DIR, read_article
from routing.rule_sets import EXAMPLES_PATH

DATA = MODEL_PATH.parent
_SUFFIX: dict[Language, str] = {"en": "en", "zh-hans": "zh"}
_ANSWERED_TIERS = ("FAQ", "REGULAR")
_GENERAL = 0
_GUARD_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Example:
    """One training question; `weight` is its say in the fit."""

    text: str
    answerable: bool
    weight: float


def examples(language: Language) -> list[Example]:
    """All training questions of a language, each text once; the ones written for it come first."""
    found: dict[str, Example] = {}
    for example in _all(language):
        found.setdefault(example.text, example)
    return list(found.values())


def usual_language(language: Language) -> Usual:
    """How shoppers put things: every training question that a shopper of this shop may well ask."""
    texts = {row["text"] for row in _routing_examples(language)}
    texts |= {example.text for example in guard_questions(language)}
    for example in examples(language):
        (texts.add if example.answerable else texts.discard)(example.text)
    counts = Counter(unit for text in texts for unit in units(text))
    return Usual({unit: n for unit, n in counts.items() if n >= USUAL_FROM}, len(texts))


def without(usual: Usual, question: str) -> Usual:
    """The same as if `question` had not been among the texts, so that none vouches for itself."""
    fewer = {unit: usual.counts[unit] - 1 for unit in units(question) if unit in usual.counts}
    kept = {**usual.counts, **fewer}
    for unit, count in fewer.items():
        if count < USUAL_FROM:
            del kept[unit]
    return Usual(kept, usual.total)


def demo_articles(language: Language) -> list[ArticleText]:
    """The demo shop's articles as they are delivered."""
    return [
        ArticleText(
            key=path.stem,
            locale=language,
            version=1,
            url="",
            **{**(fields := read_article(path)), "asked_as": tuple(fields["asked_as"])},
        )
        for path in sorted((DEMO_DIR / "articles" / language).glob("*.md"))
    ]


def digest_of(training: Sequence[Example]) -> str:
    """Name of a training set; it changes with any question."""
    rows = sorted((example.text, example.answerable, example.weight) for example in training)
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=16).hexdigest()


def _all(language: Language) -> Iterator[Example]:
    for row in _rows(DATA / f"train_{_SUFFIX[language]}.csv"):
        yield Example(row["text"], answerable=row["kind"] == "answerable", weight=1.0)
    for row in _routing_examples(language):
        if row["tier"] in _ANSWERED_TIERS:
            yield Example(row["text"], answerable=True, weight=1.0)
    for example in guard_questions(language):
        if example.kind == _GENERAL:
            yield Example(example.text, answerable=True, weight=_GUARD_WEIGHT)


def _routing_examples(language: Language) -> Iterator[dict[str, str]]:
    return (row for row in _rows(EXAMPLES_PATH) if row["language"] == language)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
