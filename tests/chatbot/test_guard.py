"""The guard's rates on questions written apart from its training text, as floors.

Wrongly judged questions are counted per file and split; the bounds are what the committed model
reaches, so that a change which makes the guard worse is seen. Texts come from `tests/data` alone.
Of the held rows nobody read the texts; counts over them were taken three times while the model was
made, and chose which of two Chinese training sets stayed, so they flatter it a little.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import pytest

from base.text import Language
from chatbot.guard import Guard
from chatbot.guard_model import GuardModel
from chatbot.guard_training import digest_of, examples
from tests.chatbot.personal_fillings import FILLINGS

DATA = Path(__file__).resolve().parents[1] / "data"
SUFFIX: dict[Language, str] = {"en": "en", "zh-hans": "zh"}


class Most(NamedTuple):
    """How many questions of one kind may be judged wrongly."""

    shared: int
    refused: int


PERSONAL = {
    ("en", "dev"): Most(shared=0, refused=0),
    ("en", "held"): Most(shared=1, refused=3),
    ("zh-hans", "dev"): Most(shared=0, refused=0),
    ("zh-hans", "held"): Most(shared=4, refused=4),
}
# Rows written by somebody who had seen neither the training questions nor the rows above; 100 of
# each kind. What they show beyond those is what to expect of new questions.
BLIND: dict[Language, Most] = {
    "en": Most(shared=10, refused=20),
    "zh-hans": Most(shared=1, refused=15),
}
PAIRS = {
    ("en", "personal"): Most(shared=0, refused=1),
    ("en", "context"): Most(shared=0, refused=2),
    ("zh-hans", "personal"): Most(shared=0, refused=1),
    ("zh-hans", "context"): Most(shared=0, refused=2),
}


@pytest.fixture(scope="module")
def guard() -> Guard:
    """The guard with the committed model."""
    return Guard(GuardModel.load())


def _rows(name: str, language: Language) -> list[dict[str, str]]:
    with (DATA / f"{name}_{SUFFIX[language]}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _shared(guard: Guard, texts: list[str], language: Language) -> int:
    return sum(guard.inspect(text, language=language).may_share for text in texts)


@pytest.mark.parametrize(("language", "split"), PERSONAL, ids="-".join)
def test_personal_questions_stay_out_of_the_cache(
    guard: Guard, language: Language, split: str
) -> None:
    """At most the stated number of personal questions is shared, and of general ones refused."""
    rows = [row for row in _rows("personal", language) if row["split"] == split]
    own = [row["text"] for row in rows if row["personal"] == "1"]
    general = [row["text"] for row in rows if row["personal"] == "0"]
    assert own and general
    assert _shared(guard, own, language) <= PERSONAL[language, split].shared
    refused = len(general) - _shared(guard, general, language)
    assert refused <= PERSONAL[language, split].refused


@pytest.mark.parametrize("language", BLIND)
def test_questions_written_blind(guard: Guard, language: Language) -> None:
    """The same counts on questions of another hand."""
    with (DATA / f"personal_{SUFFIX[language]}_fresh.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    own = [row["text"] for row in rows if row["personal"] == "1"]
    general = [row["text"] for row in rows if row["personal"] == "0"]
    assert len(own) >= 100 and len(general) >= 100
    assert _shared(guard, own, language) <= BLIND[language].shared
    assert len(general) - _shared(guard, general, language) <= BLIND[language].refused


@pytest.mark.parametrize(("language", "section"), PAIRS, ids="-".join)
def test_question_pairs_are_kept_apart_or_shared(
    guard: Guard, language: Language, section: str
) -> None:
    """Of pairs that must not share, the second text is refused; of the others, neither is."""
    rows = [row for row in _rows("guards", language) if row["guard"] == section]
    apart = [row["b"] for row in rows if row["kind"] == "must_not_hit"]
    allowed = [row[side] for row in rows if row["kind"] == "must_allow" for side in ("a", "b")]
    assert apart and allowed
    assert _shared(guard, apart, language) <= PAIRS[language, section].shared
    refused = len(allowed) - _shared(guard, allowed, language)
    assert refused <= PAIRS[language, section].refused


@pytest.mark.parametrize("language", SUFFIX)
def test_the_stored_model_was_fitted_from_the_training_text(language: Language) -> None:
    """A change of a training question or of a feature asks for a new `manage.py fit_guard`."""
    assert GuardModel.load().digest(language) == digest_of(examples(language))


# Reached: templates without an identifier that the guard takes for general questions.
MOST_MISSED = {"en": 15, "zh": 7}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_personal_templates_stay_with_their_shopper(language: str) -> None:
    """With an identifier none of them may be shared, whoever asks; without one at most MOST_MISSED may."""
    guard = Guard(GuardModel.load())
    path = Path(__file__).resolve().parents[1] / "data" / "personal_templates.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file) if row["language"].startswith(language)]
    asked: Language = "en" if language == "en" else "zh-hans"
    shared = {
        text
        for text in rows
        for filling in FILLINGS[language]
        if guard.inspect(text.format(**filling), language=asked).may_share
    }
    assert len(rows) >= 250
    assert {text for text in shared if "{" in text} == set()
    assert len(shared) <= MOST_MISSED[language]
