"""Any one key is enough: with each of the five alone, every tier is answered by a model."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from test_story import ask

from base import env
from base.clock import SystemClock
from chatbot.runtime import Runtime
from routing.specs import Tier

DATA = Path(__file__).resolve().parent.parent / "data"
QUESTIONS_PER_LANGUAGE = 15


def questions() -> list[str]:
    """Thirty questions that the demo articles answer, half of them Chinese, over all tiers."""
    texts: list[str] = []
    for name in ("articles_en.csv", "articles_zh.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        texts += [row["text"] for row in rows[:: len(rows) // QUESTIONS_PER_LANGUAGE]][
            :QUESTIONS_PER_LANGUAGE
        ]
    return texts


@pytest.mark.parametrize("only", env.KEY_NAMES)
async def test_every_tier_is_answered(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, only: str
) -> None:
    """Thirty questions end in an answer, and each tier has at least one usable model."""
    for name in env.KEY_NAMES:
        if name != only:
            monkeypatch.delenv(name)
    answers = [await ask(runtime, text, frame_id=f"q{i}") for i, text in enumerate(questions())]

    assert {answer["type"] for answer in answers} == {"answer"}
    assert all(answer["model"] for answer in answers if answer["origin"] == "model")
    assert all(runtime.usable(tier)[0] for tier in Tier)
    assert not [answer for answer in answers if answer["origin"] == "article"]


def test_chains_roll_over_by_themselves(runtime: Runtime) -> None:
    """On 2 December 2026 the ended models are left out with the reason, and every tier has others.

    The dearest of those that are left is kept from simple questions.
    """
    from datetime import UTC, datetime

    runtime.clock = SystemClock(offset=datetime(2026, 12, 2, tzinfo=UTC) - datetime.now(tz=UTC))
    left_out = [omission for tier in Tier for omission in runtime.usable(tier)[1]]

    assert {omission.model.name for omission in left_out if omission.code == "retired"} == {
        "gemini-2.5-flash",
        "claude-sonnet-4-5",
    }
    assert {
        (omission.tier, omission.model.name) for omission in left_out if omission.code != "retired"
    } == {(Tier.FAQ, "claude-sonnet-5-5")}
    assert all(runtime.usable(tier)[0] for tier in Tier)
