"""A question's time is carried down: whatever is slow on the way, an end comes in time."""

from __future__ import annotations

from functools import partial

from supervised import asked, ended, settle

from cache.models import Lookup
from chatbot.asked import Asked
from chatbot.runtime import Runtime
from routing.models import Call
from simulator.running import RunningSimulator


async def receipt(runtime: Runtime, question: Asked) -> Lookup:
    """The receipt of an answered question."""
    await ended(runtime, question)
    return await runtime.reader.run(partial(Lookup.objects.get, question_id=question.question_id))


async def test_vector_that_does_not_come_is_done_without(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """When the embedding model is too busy the question goes on without a vector, and the receipt says so."""
    now_s = runtime.clock.monotonic_s()
    question = await asked(runtime, started_s=now_s - 6.5)
    runtime.supervisor.start(question)
    found = await receipt(runtime, question)
    assert "coverage: no vector within 6 s" in found.guards
    assert (await ended(runtime, question)).origin == "model"


async def test_no_call_is_begun_when_the_tiers_time_is_over(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """A simple question ends at its own tier's deadline, with the article, though it may still be open."""
    now_s = runtime.clock.monotonic_s()
    question = await asked(runtime, started_s=now_s - 11.6, deadline_s=now_s + 18.4)
    runtime.supervisor.start(question)
    found = await receipt(runtime, question)
    row = await ended(runtime, question)
    assert (row.state, row.origin) == ("answered", "article")
    assert "no model" in found.reason
    assert await runtime.reader.run(Call.objects.count) == 0


async def test_article_for_one_is_the_article_for_all_who_wait(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """When no model answers the first of many who ask the same, the others do not try each for themselves."""
    vendors_at_simulator.fault("500")
    first = await asked(runtime)
    others = [await asked(runtime) for _ in range(5)]
    runtime.supervisor.start(first)
    await settle()
    for other in others:
        runtime.supervisor.start(other)
    rows = [await ended(runtime, question) for question in (first, *others)]
    assert [row.origin for row in rows] == ["article"] * 6
    assert [row.cache for row in rows] == ["miss", *["joined"] * 5]
    asking = await runtime.reader.run(
        lambda: set(Call.objects.values_list("question_id", flat=True))
    )
    assert asking == {first.question_id}
