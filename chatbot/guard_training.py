"""The guard's training text: single questions, and frames that stand for many questions.

`train_*.csv` holds single questions with their kind. `frames_*.json` holds sentence frames per
kind: `{can|could} I {act}` offers alternatives in braces, and an alternative that is the name of a
slot stands for any of the slot's fillings. Expansion is seeded: the same files give the same
questions.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from base.text import Language
from chatbot.guard_model import KINDS, MODEL_PATH, features

DATA = MODEL_PATH.parent
_SUFFIX: dict[Language, str] = {"en": "en", "zh-hans": "zh"}
_BRACES = re.compile(r"\{([^{}]*)\}")
_EXPANSIONS_PER_FRAME = 30
# A frame's questions are near-copies of each other: together they weigh at most a dozen written ones.
FRAME_ROW_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class Example:
    """One training question; `kind` is an index into KINDS, `weight` its say in the fit."""

    text: str
    kind: int
    weight: float


def examples(language: Language) -> list[Example]:
    """All training questions of a language: the written ones first, then the frames' ones."""
    return [*written(language), *framed(language)]


def written(language: Language, *, data: Path = DATA) -> list[Example]:
    """The questions of `train_*.csv`."""
    with (data / f"train_{_SUFFIX[language]}.csv").open(encoding="utf-8", newline="") as file:
        return [Example(row["text"], KINDS.index(row["kind"]), 1.0) for row in csv.DictReader(file)]


def framed(language: Language, *, data: Path = DATA) -> list[Example]:
    """The questions that the frames of `frames_*.json` stand for."""
    stored = json.loads((data / f"frames_{_SUFFIX[language]}.json").read_text(encoding="utf-8"))
    return [
        Example(text, kind, FRAME_ROW_WEIGHT)
        for kind, name in enumerate(KINDS)
        for frame in stored[name]
        for text in _expansions(frame, stored["slots"])
    ]


def digest_of(training: Sequence[Example]) -> str:
    """Name of a training set as the model sees it; it changes with any question or feature."""
    digest = hashlib.blake2b(digest_size=16)
    for example in training:
        seen = sorted((name, round(value, 4)) for name, value in features(example.text).items())
        digest.update(json.dumps([seen, example.kind, example.weight]).encode())
    return digest.hexdigest()


def fill(frame: str, slots: Mapping[str, Sequence[str]], dice: random.Random) -> str:
    """One question that a frame stands for."""
    while match := _BRACES.search(frame):
        choice = dice.choice(match[1].split("|"))
        filling = dice.choice(slots[choice]) if choice in slots else choice
        frame = frame[: match.start()] + filling + frame[match.end() :]
    return frame


def _expansions(frame: str, slots: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Distinct fillings of a frame; each frame rolls its own dice, whatever stands before it."""
    dice = random.Random(frame)  # noqa: S311 -- repeatable expansion, nothing secret
    return iter(sorted({fill(frame, slots, dice) for _ in range(_EXPANSIONS_PER_FRAME)}))
