"""Two processes on one database and one Redis: who asks the same in either is answered by one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from supervised import asked, ended

from benchmarks.redis_server import RedisServer, has_redis, running_redis
from cache.embedding import Embedder
from cache.models import Lookup
from cache.redis_joins import RedisJoins
from chatbot.asked import Asked
from chatbot.runtime import Runtime
from routing.models import Call
from simulator.running import RunningSimulator
from tests.conftest import unavailable

LEADER, NEAR = "Which courier do you use?", "What courier do you use?"
CHINESE = "你们用哪家快递?"


@pytest.fixture
def redis_server(settings: Any) -> Iterator[RedisServer]:
    """A Redis that the site's processes share."""
    if not has_redis():
        unavailable("redis-server")
    with running_redis() as server:
        settings.REDIS_URL = server.url
        yield server


@pytest.fixture
async def fleet(
    redis_server: RedisServer,
    runtime: Runtime,
    vendors_at_simulator: RunningSimulator,
    embedder: Embedder,
) -> AsyncIterator[tuple[Runtime, Runtime]]:
    """The site's process and another one; the vendor's answers take a while."""
    vendors_at_simulator.fault("hang", options={"max_s": 1.5})
    second = Runtime(embedder=embedder)
    await second.start(take_up_open_questions=False)
    yield runtime, second
    await second.stop()


async def start_over_both(
    fleet: tuple[Runtime, Runtime], *texts: str, **changes: str
) -> list[Asked]:
    """The first question leads in the first process; then the others are asked, in turn in both."""
    questions = [await asked(fleet[0], text, **changes) for text in texts]
    fleet[0].supervisor.start(questions[0])
    async with asyncio.timeout(30):
        while not len(fleet[0].desk.joins):
            await asyncio.sleep(0.01)
    for number, question in enumerate(questions[1:], start=1):
        fleet[number % 2].supervisor.start(question)
    return questions


async def outcomes(fleet: tuple[Runtime, Runtime], questions: list[Asked]) -> list[str]:
    """How the questions ended at the cache, in their order."""
    for runtime in fleet:
        await runtime.supervisor.drain(timeout_s=30)
    states = [(await ended(fleet[0], question)).state for question in questions]
    assert states == ["answered"] * len(questions)
    rows = await fleet[0].reader.run(
        lambda: {row.question_id: row.outcome for row in Lookup.objects.all()}
    )
    return [rows[question.question_id] for question in questions]


async def calls(fleet: tuple[Runtime, Runtime]) -> int:
    """How many questions a model was asked for."""
    return await fleet[0].reader.run(lambda: Call.objects.values("question_id").distinct().count())


async def test_one_call_answers_both_processes(fleet: tuple[Runtime, Runtime]) -> None:
    """Same words and same meaning, in the leader's process and in the other one."""
    questions = await start_over_both(fleet, LEADER, NEAR, NEAR, LEADER, LEADER)
    assert await outcomes(fleet, questions) == ["miss", *["joined"] * 4]
    assert await calls(fleet) == 1


async def test_the_same_chinese_words_join_without_a_vector(
    fleet: tuple[Runtime, Runtime],
) -> None:
    """The packaged model does not know Chinese: the same words join across processes all the same."""
    questions = await start_over_both(
        fleet, CHINESE, CHINESE, CHINESE, locale="zh-hans", language="zh-hans"
    )
    assert await outcomes(fleet, questions) == ["miss", "joined", "joined"]
    assert await calls(fleet) == 1


async def test_without_redis_each_process_joins_by_itself(
    fleet: tuple[Runtime, Runtime], redis_server: RedisServer
) -> None:
    """The server dies while questions wait: nobody hangs, and each process asks a model once."""
    questions = await start_over_both(fleet, LEADER, NEAR, LEADER, NEAR, LEADER, NEAR)
    other = fleet[1].desk.joins
    assert isinstance(other, RedisJoins)
    async with asyncio.timeout(30):
        while not other._foreign:  # somebody there waits for the leader here
            await asyncio.sleep(0.01)
    redis_server.kill()
    found = await outcomes(fleet, questions)
    assert sorted(found) == [*["joined"] * 4, *["miss"] * 2]
