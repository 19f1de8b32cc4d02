"""Whether the articles behind an answer speak of what was asked at all. Pure.

The article floor asks whether a question sounds like the shop; this asks the opposite: what of the question
does the cited article NOT hold. A unit (a stemmed word, a pair of Han characters) that neither the
article nor shoppers' usual language has is foreign, and foreign units are what most unanswerable
questions near the shop's subjects have in common ("How do I cancel my gym contract?"). A linear model
weighs them with how well a typical wording is met. Fitted by `manage.py fit_relevance`, kept as JSON in
`relevance_data/`; nothing in it names an article, so it serves another shop's articles as well.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from base.stems import stem
from base.text import char_ngrams, fold, tokens
from chatbot.knowledge import ArticleText, Found

MODEL_PATH = Path(__file__).resolve().parent / "relevance_data" / "model.json"
# A unit of shoppers' usual language is one that this many of the training questions hold.
USUAL_FROM = 2
_MOST_UNITS, _MOST_FOREIGN, _LONGEST_RUN = 20, 6, 5
_MARK_WEIGHT = 2.0
VECTOR_SCALE = 4.0
Vector = NDArray[np.float32]
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
_ASKS_FIGURE = re.compile(
    r"\bhow (?:many|much|long|far|often|big|tall|large|soon)\b|多少|几|多久|多大|多长|何时"
)
_ASKING = re.compile(
    r"谁|为什么|为啥|多少钱|多少|几点|几|什么时候|什么|怎么样|怎么|咋|哪家|哪里|哪|吗|能不能"
)
_NOT_KNOWING = re.compile(
    r"\b(?:do not|don't|have no|without) (?:currently )?(?:have )?(?:any |enough |specific )*"
    r"(?:information|details|data)\b"
    r"|\b(?:articles?|information|pages?)(?: \w+){0,3} (?:do not|don't|does not|doesn't)"
    r" (?:answer|mention|cover|say|state|specify|include|address)\b"
    r"|\bnot (?:mentioned|covered|specified|stated|addressed) in\b"
    r"|\bi(?: am|'m) (?:not sure|unable to (?:say|answer|confirm))\b"
    r"|\bcan(?:not|'t) (?:answer|confirm|say for certain)\b"
    r"|(?:没有|没|未|暂无)(?:明确)?(?:提到|提及|提供|说明|涉及|相关)(?:的)?(?:信息|资料|内容|说明|这|该|您)"
    r"|无法(?:确认|回答|确定|解答)|(?:资料|文章|信息)(?:里|中)?(?:并)?(?:没有|未|没)"
)


@lru_cache(maxsize=8192)
def units(text: str) -> tuple[str, ...]:
    """Distinct stemmed words and pairs of Han characters, in order."""
    found: dict[str, None] = {}
    for token in tokens(text):
        if _is_han(token[0]):
            found.update(dict.fromkeys(char_ngrams(token, smallest=min(2, len(token)), largest=2)))
        else:
            found[stem(token)] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Usual:
    """How many of `total` shoppers' questions hold each unit; those below USUAL_FROM are left out."""

    counts: Mapping[str, int]
    total: int

    def weight(self, unit: str) -> float:
        """Inverse document frequency; a unit that shoppers do not use weighs most."""
        return math.log((self.total + 1) / (self.counts.get(unit, 0) + 1))


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Weights of one language; from `bound` on, an answer is taken to be beside the question.

    `scales`: name of a figure -> (mean, deviation, weight). `weights`: mark -> weight; a mark that the fit
    never saw weighs nothing. `digest` names the training data behind them. `direction` is added for the
    question's unit vector, scaled by VECTOR_SCALE, and means something to `engine_id` alone.
    """

    scales: Mapping[str, Sequence[float]]
    weights: Mapping[str, float]
    intercept: float
    bound: float
    total: int
    counts: Mapping[str, int]
    digest: str
    direction: Sequence[float] = ()
    engine_id: str = ""


def admits_not_knowing(answer: str) -> bool:
    """Whether an answer says in its own words that the articles do not answer, mark or no mark."""
    return _NOT_KNOWING.search(fold(answer).replace("\u2019", "'")) is not None


class Relevance:
    """The fitted weights of every language; with and without vectors where they were fitted for both."""

    def __init__(self, models: Mapping[str, LanguageModel], *, engine_id: str) -> None:
        self._models = models
        self._engine_id = engine_id

    @classmethod
    def load(cls, path: Path = MODEL_PATH, *, engine_id: str) -> Relevance:
        """Read the fitted model. `engine_id` names the engine of the vectors that will be given.

        Raises FileNotFoundError when it was never fitted.
        """
        stored = json.loads(path.read_text(encoding="utf-8"))
        models = {name: LanguageModel(**model) for name, model in stored.items()}
        return cls(models, engine_id=engine_id)

    def digest(self, language: str) -> str:
        """Name of the training data that the weights of a language were fitted from."""
        return self._models[language].digest

    def is_beside(
        self,
        question: str,
        *,
        language: str,
        vector: Vector | None,
        found: Sequence[Found],
        cited: Collection[str],
    ) -> bool:
        """Whether the best cited article too probably does not answer the question to serve others.

        `found` is what retrieval offered, best first; citing none of it is beside the question.
        """
        chosen = next((item for item in found if item.article.key in cited), None)
        if chosen is None:
            return True
        model = self._model(language, vector)
        return (
            _doubt(question, model=model, vector=vector, chosen=chosen, found=found) >= model.bound
        )

    def _model(self, language: str, vector: Vector | None) -> LanguageModel:
        fitted = self._models.get(with_vector(language))
        if vector is None or fitted is None or fitted.engine_id != self._engine_id:
            return self._models[language]
        return fitted


def with_vector(language: str) -> str:
    """Name of the model of a language that also weighs the question's vector."""
    return f"{language}+vector"


def _doubt(
    question: str,
    *,
    model: LanguageModel,
    vector: Vector | None,
    chosen: Found,
    found: Sequence[Found],
) -> float:
    """Probability (0..1) that the chosen article does not answer the question."""
    usual = Usual(model.counts, model.total)
    score = model.intercept
    for name, value in figures(question, chosen=chosen, found=found, usual=usual).items():
        if name in model.scales:
            mean, deviation, weight = model.scales[name]
            score += weight * (value - mean) / deviation
    for mark, value in marks(question, article=chosen.article).items():
        score += model.weights.get(mark, 0.0) * value
    if vector is not None and model.direction:
        score += VECTOR_SCALE * float(np.dot(np.asarray(model.direction), vector))
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def figures(
    question: str, *, chosen: Found, found: Sequence[Found], usual: Usual
) -> dict[str, float]:
    """What can be counted about a question and the article that is to answer it."""
    asked, held = units(question), _held(chosen.article)
    whole = sum(map(usual.weight, asked)) or 1.0
    missing = [unit for unit in asked if unit not in held]
    foreign = [unit for unit in missing if unit not in usual.counts]
    known = [unit for unit in missing if unit in usual.counts]
    others = [item for item in found if item.article.key != chosen.article.key]
    return {
        "foreign_share": sum(map(usual.weight, foreign)) / whole,
        "known_share": sum(map(usual.weight, known)) / whole,
        "foreign": min(_MOST_FOREIGN, len(foreign)),
        "rarest_missing": max(map(usual.weight, missing), default=0.0),
        "rarest_known": max(map(usual.weight, known), default=0.0),
        "units": min(_MOST_UNITS, len(asked)),
        "lexical": chosen.lexical,
        "lexical_margin": chosen.lexical - max((item.lexical for item in others), default=0.0),
        "foreign_run": _longest_foreign_run(question, held=held, usual=usual),
        "new_characters": _new_characters(question, article=chosen.article),
        **_sentence_figures(question, asked=asked, article=chosen.article, usual=usual),
        **_cosine_figures(chosen, others=others),
        **_wording_figures(asked, article=chosen.article, usual=usual, whole=whole),
    }


def _cosine_figures(chosen: Found, *, others: Sequence[Found]) -> dict[str, float]:
    """What the embedding adds; nothing where it does not speak."""
    if chosen.cosine is None:
        return {}
    return {
        "score": chosen.score,
        "margin": chosen.score - max((item.score for item in others), default=0.0),
        "cosine": chosen.cosine,
        "cosine_margin": chosen.cosine - max((item.cosine or 0.0 for item in others), default=0.0),
    }


def _wording_figures(
    asked: Sequence[str], *, article: ArticleText, usual: Usual, whole: float
) -> dict[str, float]:
    """How well the nearest typical wording is met: Dice overlap, and the share of either side."""
    best = (0.0, 0.0, 0.0)
    for wording in (article.title, *article.asked_as):
        typical = units(wording)
        shared = sum(usual.weight(unit) for unit in typical if unit in asked)
        own = sum(map(usual.weight, typical)) or 1.0
        best = max(best, (2 * shared / (own + whole), shared / own, shared / whole))
    return {"wording": best[0], "wording_covered": best[1], "wording_covers": best[2]}


def _sentence_figures(
    question: str, *, asked: Sequence[str], article: ArticleText, usual: Usual
) -> dict[str, float]:
    """How much of the question one sentence alone holds, and whether it lacks the figure asked for."""
    whole = sum(map(usual.weight, asked)) or 1.0
    covered, sentence = max(
        (
            (sum(usual.weight(unit) for unit in asked if unit in held) / whole, text)
            for text, held in _sentences(article)
        ),
        default=(0.0, ""),
    )
    lacking = _ASKS_FIGURE.search(fold(question)) and not any(map(str.isdigit, sentence))
    return {"sentence_covers": covered, "figure_lacking": float(bool(lacking))}


@lru_cache(maxsize=2048)
def _sentences(article: ArticleText) -> tuple[tuple[str, frozenset[str]], ...]:
    parts = _SENTENCE_END.split(article.text)
    return tuple((part, frozenset(units(part))) for part in parts if part.strip())


def _new_characters(question: str, *, article: ArticleText) -> float:
    """Share of the question's Han characters that stand nowhere in the article."""
    han = {char for char in question if _is_han(char)}
    text = "".join((article.title, article.text, *article.asked_as))
    return sum(char not in text for char in han) / max(1, len(han))


def _longest_foreign_run(question: str, *, held: frozenset[str], usual: Usual) -> int:
    """The most Han characters in a row that stand in no pair of the article or of usual language."""
    longest = run = 0
    for token in tokens(question):
        if not _is_han(token[0]):
            continue
        familiar = [a + b in held or a + b in usual.counts for a, b in pairwise(token)]
        for place in range(len(token)):
            known = any(familiar[max(0, place - 1) : place + 1])
            run = 0 if known else run + 1
            longest = max(longest, run)
    return min(_LONGEST_RUN, longest)


def marks(question: str, *, article: ArticleText) -> dict[str, float]:
    """What the article lacks, by name, and how the question is put."""
    held = _held(article)
    shown = {f"lacks:{unit}": _MARK_WEIGHT for unit in units(question) if unit not in held}
    words = [word for word in tokens(fold(question)) if not _is_han(word[0])]
    asking = {f"asks:{word}": _MARK_WEIGHT for word in _ASKING.findall(question)}
    return shown | asking | dict(_turns_of_phrase(words))


def _turns_of_phrase(words: Sequence[str]) -> Iterator[tuple[str, float]]:
    for size in (1, 2):
        if len(words) >= size:
            yield f"begins:{' '.join(words[:size])}", _MARK_WEIGHT


@lru_cache(maxsize=2048)
def _held(article: ArticleText) -> frozenset[str]:
    return frozenset(units(" ".join((article.title, article.text, *article.asked_as))))


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"
