"""Pre-warming: articles answer their own wordings, a log is asked by its frequency and within its budget."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cache.models import Answer, Wording
from chatbot.cache_checks import Checks
from chatbot.management.commands.cache_prewarm import _nanousd
from chatbot.prewarming import article_rows, article_wordings, ask_all, most_asked
from chatbot.runtime import Runtime

COURIER = "Which courier do you use?"
RETURNS = "How do I return an item?"


def test_most_asked_come_first_each_once() -> None:
    """Spellings of one question count together, and the commonest stands for them."""
    log = ["Refund?", COURIER, COURIER.upper(), COURIER, "  ", "??", "你们发什么快递？", "refund"]

    assert most_asked(log) == [(COURIER, "en"), ("Refund?", "en"), ("你们发什么快递？", "zh-hans")]


@pytest.mark.django_db(transaction=True)
def test_articles_answer_their_wordings_without_a_model(seeded: None) -> None:
    """Titles and typical wordings lead to the article's text; a second run adds nothing."""
    call_command("cache_prewarm", "--limit", "5", stdout=io.StringIO())
    answers, wordings = Answer.objects.count(), Wording.objects.count()
    first = Answer.objects.order_by("id")[0]
    assert 0 < answers <= 5 < wordings
    assert (first.origin, first.status) == ("article", "live")
    assert "From our help page" in first.text
    assert first.sources.count() == 1
    known = {wording.text for wording in Wording.objects.all()}
    again = article_rows(mode="simulated", checks=Checks.load())
    assert not {text for row in again for text in row.wordings} & known
    assert len(article_wordings()) > 500


async def test_questions_are_stored_until_the_budget_is_spent(runtime: Runtime) -> None:
    """Personal ones are passed over without a call; when the money is gone the rest is left."""
    questions = [
        ("Where is my order 202611110042?", "en"),
        (COURIER, "en"),
        (COURIER.upper(), "en"),
        (RETURNS, "en"),
    ]
    nothing = await ask_all(runtime, questions, budget_nanousd=0)  # type: ignore[arg-type]
    assert (nothing.left, nothing.spent_nanousd) == (4, 0)
    little = await ask_all(runtime, questions, budget_nanousd=1)  # type: ignore[arg-type]
    assert (little.refused, little.stored, little.left) == (1, 1, 2)
    assert little.spent_nanousd > 0
    enough = await ask_all(runtime, questions, budget_nanousd=10**9)  # type: ignore[arg-type]

    assert (enough.known, enough.stored + enough.not_stored.total(), enough.left) == (2, 1, 0)
    texts = await runtime.reader.run(lambda: list(Wording.objects.values_list("text", flat=True)))
    assert COURIER in texts and not any("202611110042" in text for text in texts)


@pytest.mark.parametrize("text", ["", "much", "-1", "NaN", "Infinity"])
def test_budget_must_be_an_amount(text: str) -> None:
    """What is no amount is refused before anything is asked."""
    with pytest.raises(CommandError):
        _nanousd(text)


def test_budget_is_exact() -> None:
    """Dollars become nano-dollars without a float between."""
    assert _nanousd("0.1") == 100_000_000


def test_log_without_the_column_is_refused(tmp_path: Path) -> None:
    """The message names the column."""
    path = tmp_path / "log.csv"
    path.write_text("question\nhi\n", encoding="utf-8")
    with pytest.raises(CommandError, match="no column named text"):
        call_command("cache_prewarm", "--log", str(path))
