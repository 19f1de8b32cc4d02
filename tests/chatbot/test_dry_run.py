"""A dry run: exactly what a draft moves, at the hand-computed cost; logged decisions again; nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from base.clock import ManualClock
from cache.embedding import Embedder
from cache.models import Answer, Lookup, Wording
from chatbot.dry_run import Parts, run
from chatbot.models import DryRun, Question
from tests.conftest import ROOT
from tests.chatbot.dry_rows_made import NOW, draft_of, past, published, waiting

GEMINI_IN, GEMINI_OUT, DEEPSEEK_IN, DEEPSEEK_OUT = 300, 2_500, 300, 1_200
FAQ_RULE = {"name": "facts", "any_of": ["courier", "parcel", "gift"], "tier": "FAQ"}
GIFTS = {"name": "gifts", "any_of": ["gift"], "tier": "REGULAR"}


@pytest.fixture(autouse=True)
def kept_vectors(settings: Any) -> None:
    """Vectors of the shop's texts are kept between tests."""
    settings.DATA_DIR = ROOT / "data" / "test"


def played(row: DryRun, embedder: Embedder) -> dict[str, Any]:
    """The result of a run that is done; every vendor has a key."""
    parts = Parts.load(embedder, clock=ManualClock(now=NOW), has_key=lambda _: True)
    run(row, parts)
    row.refresh_from_db()
    assert (row.state, row.problem) == (DryRun.DONE, "")
    return dict(row.result)


def test_moved_questions_are_exactly_those_planted(seeded: None, embedder: Embedder) -> None:
    """37 of 60 questions move, their ids and the saving are those computed by hand, and every logged
    decision comes out again."""
    published(FAQ_RULE)
    past([f"which courier brings parcel {number}" for number in range(23)])
    gifts = past([f"does number {number} come as a gift" for number in range(37)])
    before = (Question.objects.count(), Answer.objects.count(), Lookup.objects.count())
    result = played(waiting(draft_of(GIFTS, FAQ_RULE)), embedder)

    moved = result["moved"]
    assert moved["ids"] == [question.pk for question in gifts]
    assert (moved["kinds"], moved["ways"]) == ({"tier": 37}, {"FAQ → REGULAR": 37})
    saving = 37 * (1_000 * (DEEPSEEK_IN - GEMINI_IN) + 100 * (DEEPSEEK_OUT - GEMINI_OUT))
    assert result["delta"] == [saving] * 3
    assert result["base"]["cost"] == [60 * (1_000 * GEMINI_IN + 100 * GEMINI_OUT)] * 3
    assert result["base"]["cost"][1] == result["booked_nanousd"]
    assert result["identity"] == {"logged": 60, "same": 60, "set_gone": 0, "exceptions": []}
    assert len(result["sample"]) == 20
    after = (Question.objects.count(), Answer.objects.count(), Lookup.objects.count())
    assert after == before
