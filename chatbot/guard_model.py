"""A linear model over a question's words, its skeletons and its grammatical cues.

Says how likely a question is personal or leans on earlier turns. Fitted by `manage.py fit_guard`
and kept as JSON in `guard_data/`, so that the running site needs neither scikit-learn nor the training
text. Scores are probabilities (0..1) of a multinomial logistic regression; a feature that training
never saw weighs nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from base.text import Language, fold, han_count, tokens
from chatbot.guard_cues import cues
from chatbot.guard_skeleton import THING, classed, skeleton

KINDS = ("general", "personal", "leaning")
MODEL_PATH = Path(__file__).resolve().parent / "guard_data" / "model.json"
_WORD_GRAM_SIZES = range(1, 4)
_HAN_GRAM_SIZES = range(1, 5)
_SKELETON_GRAM_SIZES = range(1, 6)
_CLASS_GRAM_SIZES = range(1, 5)
# Two classed words, in their order, with one to five others between them.
_FARTHEST_PAIR = 6
_SIGNS = "?!"
# What each family of features may weigh in total, however many features of it a text has.
_WORDS_WEIGHT, _SKELETON_WEIGHT, _CUES_WEIGHT = 1.3, 1.0, 0.9
_CLASSES_WEIGHT, _PAIRS_WEIGHT = 1.0, 0.7
_LONGEST_BUCKET = 7
_WORDS_IN_BUCKET, _HAN_IN_BUCKET = 3, 4


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of the two kinds that keep a question out of the shared cache."""

    personal: float
    leaning: float


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Weights of one language.

    `weights`: feature -> (personal, leaning), each against general; `intercepts` likewise. From
    `bound` on, the two probabilities together keep a question out of the shared cache. `digest`
    names the training data and features behind the weights (`guard_training.digest_of`).
    """

    weights: Mapping[str, Sequence[float]]
    intercepts: Sequence[float]
    bound: float
    digest: str


class GuardModel:
    """The fitted weights of every language."""

    def __init__(self, languages: Mapping[str, LanguageModel]) -> None:
        self._languages = languages

    @classmethod
    def load(cls, path: Path = MODEL_PATH) -> GuardModel:
        """Read the fitted model. Raises FileNotFoundError when it was never fitted."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls({language: LanguageModel(**model) for language, model in stored.items()})

    def bound(self, language: Language) -> float:
        """From this probability of personal or leaning on, a question stays out of the cache."""
        return self._languages[language].bound

    def digest(self, language: Language) -> str:
        """Name of the training data that this model was fitted from."""
        return self._languages[language].digest

    def scores(self, text: str, *, language: Language) -> Scores:
        """Probabilities for one question."""
        model = self._languages[language]
        personal, leaning = model.intercepts
        for feature, value in features(text).items():
            if found := model.weights.get(feature):
                personal += found[0] * value
                leaning += found[1] * value
        highest = max(0.0, personal, leaning)
        powers = [math.exp(total - highest) for total in (0.0, personal, leaning)]
        return Scores(personal=powers[1] / sum(powers), leaning=powers[2] / sum(powers))


def features(text: str) -> dict[str, float]:
    """Features of a text with their values; each family's values have a fixed Euclidean length."""
    plain = fold(text).replace("\u2019", "'")
    chinese = han_count(plain) > 0
    shapes = classed(plain, chinese=chinese)
    families = (
        (_han_grams(plain) if chinese else _word_grams(plain), _WORDS_WEIGHT),
        (_skeleton_grams(plain, chinese=chinese), _SKELETON_WEIGHT),
        (_class_grams(shapes), _CLASSES_WEIGHT),
        (_class_pairs(shapes), _PAIRS_WEIGHT),
        (_cue_features(plain, chinese=chinese), _CUES_WEIGHT),
    )
    values: dict[str, float] = {}
    for family, weight in families:
        found = frozenset(family)
        values |= dict.fromkeys(found, weight / math.sqrt(max(1, len(found))))
    return values


def _word_grams(plain: str) -> Iterator[str]:
    words = ["<", *("#" if word[0].isdigit() else word for word in tokens(plain)), ">"]
    for size in _WORD_GRAM_SIZES:
        for start in range(len(words) - size + 1):
            yield "w:" + " ".join(words[start : start + size])


def _han_grams(plain: str) -> Iterator[str]:
    run = "<" + "".join(char if char.isalnum() or char in _SIGNS else " " for char in plain) + ">"
    for size in _HAN_GRAM_SIZES:
        for start in range(len(run) - size + 1):
            yield "h:" + run[start : start + size]


def _skeleton_grams(plain: str, *, chinese: bool) -> Iterator[str]:
    shapes = skeleton(plain, chinese=chinese)
    for size in _SKELETON_GRAM_SIZES:
        for start in range(len(shapes) - size + 1):
            yield "s:" + " ".join(shapes[start : start + size])


def _class_grams(shapes: list[str]) -> Iterator[str]:
    for size in _CLASS_GRAM_SIZES:
        for start in range(len(shapes) - size + 1):
            yield "k:" + " ".join(shapes[start : start + size])


def _class_pairs(shapes: list[str]) -> Iterator[str]:
    for start, first in enumerate(shapes):
        for second in shapes[start + 2 : start + _FARTHEST_PAIR + 1]:
            if THING not in (first, second):
                yield f"j:{first} .. {second}"


def _cue_features(plain: str, *, chinese: bool) -> Iterator[str]:
    """The cues, in English also by pairs, how long the text is, and which signs stand in it."""
    shown = sorted(cues(plain, chinese=chinese))
    yield from (f"c:{name}" for name in shown)
    # Pairs help English, whose cues contradict each other more often; Chinese did worse with them.
    if not chinese:
        yield from (f"c:{one}+{other}" for one, other in combinations(shown, 2))
    length = len(plain) // _HAN_IN_BUCKET if chinese else len(plain.split()) // _WORDS_IN_BUCKET
    yield f"len:{min(length, _LONGEST_BUCKET)}"
    yield from (f"sign:{sign}" for sign in _SIGNS if sign in plain)
