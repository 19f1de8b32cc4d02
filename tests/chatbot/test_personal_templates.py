"""Personal questions of two shoppers on the real site: nobody gets what the other got, and nothing of it is kept.

In the suite every STEP-th template is played; `TEMPLATES_STEP=1` plays all of them.
"""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sockets import Socket, close_all, new_cookie

from base.text import Language
from cache.models import Answer, Wording
from chatbot.guard import Guard
from chatbot.guard_model import GuardModel
from chatbot.models import Question
from chatbot.runtime import Runtime
from tests.chatbot.personal_fillings import FILLINGS

STEP = int(os.environ.get("TEMPLATES_STEP", "20"))
PER_SHOPPER = 8
PATH = Path(__file__).resolve().parents[1] / "data" / "personal_templates.csv"


def templates(language: str) -> list[str]:
    """Every STEP-th template that the guard takes for personal, as test_guard.py counts them."""
    guard = Guard(GuardModel.load())
    asked: Language = "en" if language == "en" else "zh-hans"
    with PATH.open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file) if row["language"].startswith(language)]
    first = FILLINGS[language][0]
    return [
        text
        for text in rows[::STEP]
        if not guard.inspect(text.format(**first), language=asked).may_share
    ]


def in_parts(texts: list[str]) -> Iterator[list[str]]:
    """So few at a time that no shopper asks too fast."""
    for start in range(0, len(texts), PER_SHOPPER):
        yield texts[start : start + PER_SHOPPER]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_two_shoppers_never_meet(
    runtime: Runtime, language: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No hit, no join, no stored wording or answer, and no identifier in the log."""
    caplog.set_level(logging.DEBUG)
    outcomes = []
    for part in in_parts(templates(language)):
        pair = [Socket(runtime, cookie=await new_cookie(runtime)) for _ in FILLINGS[language]]
        for socket in pair:
            await socket.open()
        for text in part:
            for socket, filling in zip(pair, FILLINGS[language], strict=True):
                last = (await socket.ask(text.format(**filling)))[-1]
                outcomes.append((last["type"], last.get("cache")))
        await close_all(*pair)

    def rows() -> tuple[int, int, int]:
        return Question.objects.count(), Wording.objects.count(), Answer.objects.count()

    asked, wordings, answers = await runtime.reader.run(rows)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert asked == len(outcomes) > 0
    assert set(outcomes) == {("answer", "bypass")}
    assert (wordings, answers) == (0, 0)
    identifiers = [value for filling in FILLINGS[language] for value in filling.values()]
    assert [value for value in identifiers if value in said] == []
