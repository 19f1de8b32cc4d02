"""A linear model over n-grams: is a question personal, general, or leaning on earlier turns?

Fitted by `manage.py fit_guard` from `guard_data/train_*.csv` and kept as JSON beside them, so that the
running site needs neither scikit-learn nor the training text. Scores are probabilities (0..1) of a
multinomial logistic regression; an n-gram that training never saw weighs nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from base.text import Language, fold, tokens
from chatbot.guard_cues import GENERAL_FRAMES, OWN_CASE, cues

KINDS = ("general", "personal", "leaning")
MODEL_PATH = Path(__file__).resolve().parent / "guard_data" / "model.json"
_WORD_GRAMS = (1, 2, 3)
_HAN_GRAMS = (1, 2, 3, 4)
FRAMED_BOUND = 0.93
OWN_BOUND = 0.25
_SIGNS = "?!？！"
# A cue speaks for a whole construction, so it is given the voice of several n-grams.
CUE_COPIES = 4


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of the two kinds that keep a question out of the shared cache."""

    personal: float
    leaning: float


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """Weights of one language: feature -> one weight per kind, in the order of KINDS."""

    weights: Mapping[str, Sequence[float]]
    intercepts: Sequence[float]
    personal_bound: float
    leaning_bound: float


class GuardModel:
    """The fitted weights of every language."""

    def __init__(self, languages: Mapping[str, LanguageModel]) -> None:
        self._languages = languages

    @classmethod
    def load(cls, path: Path = MODEL_PATH) -> GuardModel:
        """Read the fitted model. Raises FileNotFoundError when it was never fitted."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls({language: LanguageModel(**model) for language, model in stored.items()})

    def personal_bound(self, text: str, *, language: Language) -> float:
        """From this probability on a question counts as personal.

        A rule or procedure asked about, with no sign of an event of one's own, needs much more to be
        personal; a sign of one's own case and nothing of a rule needs less.
        """
        shown = frozenset(cues(plain(text), chinese=language == "zh-hans"))
        frames, own = shown & GENERAL_FRAMES[language], shown & OWN_CASE[language]
        if frames and not own:
            return FRAMED_BOUND
        return OWN_BOUND if own and not frames else self._languages[language].personal_bound

    def leaning_bound(self, language: Language) -> float:
        """From this probability on a question counts as leaning on earlier turns."""
        return self._languages[language].leaning_bound

    def scores(self, text: str, *, language: Language) -> Scores:
        """Probabilities for one question."""
        model = self._languages[language]
        found = [model.weights[feature] for feature in set(features(text)) if feature in model.weights]
        scale = 1.0 / math.sqrt(max(1, len(set(features(text)))))
        sums = [
            intercept + scale * sum(weights[kind] for weights in found)
            for kind, intercept in enumerate(model.intercepts)
        ]
        highest = max(sums)
        powers = [math.exp(value - highest) for value in sums]
        return Scores(personal=powers[1] / sum(powers), leaning=powers[2] / sum(powers))


def plain(text: str) -> str:
    """Folded text with straight apostrophes, as the cues read it."""
    return fold(text).replace("\u2019", "'")


def features(text: str) -> Iterator[str]:
    """Word 1- to 3-grams with borders, their tails, Han 1- to 4-grams, length and sign marks."""
    folded = fold(text)
    words = ["<", *tokens(folded), ">"]
    words = ["#" if word[0].isdigit() else word for word in words]
    for size in _WORD_GRAMS:
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])
    run = "<" + "".join(char if char.isalnum() or char in _SIGNS else " " for char in folded) + ">"
    chinese = any("\u3400" <= char <= "\u9fff" for char in folded)
    shown = sorted(cues(plain(text), chinese=chinese))
    for copy in range(CUE_COPIES):
        yield from (f"cue{copy}:{name}" for name in shown)
    yield from (f"cues:{one}+{other}" for one, other in combinations(shown, 2))
    if chinese:
        for size in _HAN_GRAMS:
            for start in range(len(run) - size + 1):
                yield "h:" + run[start : start + size]
    else:
        for word in words:
            yield from (f"e:{word[-size:]}" for size in (2, 3) if len(word) > size + 1)
    yield f"len:{min(len(words) // 3, 6)}"
    yield from (f"sign:{sign}" for sign in _SIGNS if sign in folded)
