"""When no model is inside its budget, the shop's article answers."""

from __future__ import annotations

import asyncio
from typing import Any

from test_story import ask

from chatbot.runtime import Runtime
from routing.models import Alert, Budget, Call, Endpoint, Quota

QUESTION = "Which courier do you use?"


async def in_thread(work: Any) -> Any:
    """Rows are read and written off the event loop."""
    return await asyncio.to_thread(work)


async def test_an_article_answers_when_the_money_is_gone(runtime: Runtime) -> None:
    """A budget made in the admin takes effect at once: nothing is sent, and staff are told why."""
    await in_thread(lambda: Budget.objects.create(period="day", limit_nanousd=0))
    await runtime.catch_up()
    answer = await ask(runtime, QUESTION)
    assert (answer["type"], answer["origin"], answer["model"]) == ("answer", "article", None)
    assert not await in_thread(Call.objects.exists)
    assert await in_thread(lambda: Alert.objects.filter(cause__startswith="budget:").exists())


async def test_another_key_answers_when_one_is_used_up(runtime: Runtime) -> None:
    """A quota of one key sends questions on to the others."""

    def use_up() -> None:
        for endpoint in Endpoint.objects.exclude(key="openai"):
            Quota.objects.create(endpoint=endpoint, period="month", limit_tokens=1)

    await in_thread(use_up)
    await runtime.catch_up()
    answer = await ask(runtime, QUESTION)
    assert answer["origin"] == "model"
    rows = await in_thread(lambda: list(Call.objects.values_list("endpoint_key", flat=True)))
    assert set(rows) == {"openai"}
