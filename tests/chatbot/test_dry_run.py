"""A dry run: exactly what a draft moves, at the hand-computed cost; logged decisions again; nothing written."""

from __future__ import annotations

import asyncio
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from base.clock import ManualClock
from cache.embedding import Embedder
from cache.models import Answer, Lookup
from chatbot.cache_rows import BadFile
from chatbot.dry_rows import uploaded
from chatbot.dry_run import Parts, run
from chatbot.models import DryRun, Question
from chatbot.runtime import Runtime
from routing.models import Model, RuleSet
from routing.specs import EndpointSpec
from tests.chatbot.dry_rows_made import NOW, an_answer, draft_of, past, published, waiting
from tests.conftest import ROOT
from tests.test_story import ask

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


def test_a_miss_that_was_a_hit_costs_an_interval_of_the_models_own_history(
    seeded: None, embedder: Embedder
) -> None:
    """Ten hits that may no longer be read become calls; their length is between the model's own 10th and
    90th percentile, and the estimate is counted as one."""
    published(FAQ_RULE)
    for length in range(100, 200):
        past([f"which courier brings parcel {length}"], tokens=(1_000, length), cache="miss")
    past(["which courier brings parcel 150"] * 10, cache="exact", origin="cache", start_state={})
    Lookup.objects.filter(outcome="miss").update(stored=an_answer())
    result = played(waiting(draft_of({**FAQ_RULE, "cache": "no_read"})), embedder)

    low, middle, high = (
        10 * (1_000 * GEMINI_IN + tokens * GEMINI_OUT) for tokens in (110, 150, 189)
    )
    assert result["base"]["hits"] >= 10 and result["draft"]["hits"] == 0
    assert result["draft"]["estimated"] == 10
    known = [
        one - two for one, two in zip(result["draft"]["cost"], (low, middle, high), strict=True)
    ]
    assert len(set(known)) == 1
    assert result["moved"]["kinds"] == {"action": 110}


def test_variant_finds_simple_questions_dearer_on_gemini(seeded: None, embedder: Embedder) -> None:
    """One run over short questions with long answers says by what factor Gemini is dearer than DeepSeek,
    as a variant of the draft and side by side for every model."""
    in_force = published(FAQ_RULE)
    past([f"which courier brings parcel {number}" for number in range(12)], tokens=(200, 800))
    deepseek = Model.objects.get(endpoint__key="holysheep", name="deepseek-v3.2")
    result = played(waiting(in_force, tier="FAQ", instead=f"model:{deepseek.pk}"), embedder)

    assert result["moved"]["kinds"] == {"chain": 12}
    now, then = result["base"]["cost"][1], result["draft"]["cost"][1]
    row = next(row for row in result["side_by_side"]["FAQ"] if row["id"] == deepseek.pk)
    assert (row["cost"], row["factor"]) == (then, round(now / then, 2))
    gemini = next(row for row in result["side_by_side"]["FAQ"] if "gemini-2.5" in row["model"])
    assert 4.5 < gemini["cost"] / then < 6  # both bought at the gateway, in its currency


def test_lines_of_a_file_are_decided_at_their_own_time(seeded: None, embedder: Embedder) -> None:
    """A night rule takes only the line of the night; small talk is decided by no rule; the second of two
    equal questions comes from the cache."""
    published(FAQ_RULE)
    night = {"name": "night", "from_time": time(22), "until_time": time(6), "tier": "HIGH"}
    content = (
        "text,at\n"
        "which courier do you use,2026-11-11T12:00\n"
        "which courier do you use,2026-11-11T23:00\n"
        "hello,2026-11-11T23:30\n"
    )
    row = waiting(draft_of(night, FAQ_RULE), upload=content.encode())
    result = played(row, embedder)

    assert result["moved"]["ids"] == [-2]
    assert (result["fixed"], result["base"]["hits"], result["identity"]["logged"]) == (1, 1, 0)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"text,at\nwhen,noon\n", b"text\n\n", b"\xff"])
def test_file_that_cannot_be_read_says_why(content: bytes) -> None:
    """Without the column, with a moment that is none, without a text, or in no UTF-8."""
    with pytest.raises(BadFile):
        uploaded(content, now=NOW, zone=ZoneInfo("UTC"))


async def test_logged_decisions_and_cache_come_out_again(
    runtime: Runtime, embedder: Embedder
) -> None:
    """Questions that the running site answered: every logged tier is made again, the cache decides the same,
    and a draft that is the set in force moves nothing and costs nothing more."""
    for number, text in enumerate(TEXTS):
        await ask(runtime, text, frame_id=f"q{number}")

    def replay() -> dict[str, Any]:
        in_force = RuleSet.objects.get(state=RuleSet.PUBLISHED)
        row = waiting(in_force, simulated=True)
        parts = Parts(embedder, runtime.configuration, runtime.desk.guard, runtime.clock, any_key)
        run(row, parts)
        row.refresh_from_db()
        assert row.state == DryRun.DONE, row.problem
        return dict(row.result)

    result = await asyncio.to_thread(replay)
    identity, cache = result["identity"], result["cache"]
    assert (identity["same"], identity["exceptions"]) == (identity["logged"], [])
    assert identity["logged"] >= 6
    assert (cache["agreed"], cache["reasons"]) == (len(TEXTS), {})
    assert (result["moved"]["count"], result["delta"]) == (0, [0, 0, 0])
    assert 2 <= result["base"]["hits"] < len(TEXTS)


def any_key(endpoint: EndpointSpec) -> bool:
    return bool(endpoint.key)


TEXTS = (
    "Which courier do you use?",
    "What courier do you use?",
    "which courier do you use",
    "hello",
    "my order was cancelled, why?",
    "How do I return something?",
    "发什么快递？",
    "发什么快递",
    "How long is the warranty?",
    "What is the capital of Mongolia?",
    "and for remote regions?",
)
