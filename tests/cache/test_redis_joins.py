"""Joins over a real Redis keep what every backend must keep, across processes and without the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import redis

from base.clock import ManualClock
from base.state import SharedState
from benchmarks.redis_server import RedisServer, has_redis, running_redis
from cache.joining import Asking, Joins, Lead
from cache.redis_joins import LEASE_S, RedisJoins
from tests.cache.cache_parts import NOW
from tests.cache.joins_suite import CROWD, Crowd, JoinsSuite, asking
from tests.conftest import unavailable


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    if not has_redis():
        unavailable("redis-server")
    with running_redis() as running:
        yield running


class HeardJoins(RedisJoins):
    """Joins that tell when they have heard of other processes."""

    rounds = 0

    async def keep_up_once(self) -> None:
        await super().keep_up_once()
        self.rounds += 1

    async def next_news(self) -> None:
        """Wait for the end of a round that began after this call, for as long as anything flies."""
        wanted = self.rounds + 2  # one may be under way
        while self.rounds < wanted and (self._own or self._foreign):
            await asyncio.sleep(0.01)


class Fleet:
    """Processes with a connection each; the server's time moves only when told to."""

    def __init__(self, server: RedisServer, *, processes: int) -> None:
        self.time = ManualClock(now=NOW)
        self.caught_up = 0
        self.states = [SharedState(server.url, timeout_s=5.0) for _ in range(processes)]
        self.joins = [
            HeardJoins(
                state=state,
                clock=self.time,
                catch_up=self._catch_up,
                redis_time_s=self.time.monotonic_s,
            )
            for state in self.states
        ]

    async def _catch_up(self) -> None:
        self.caught_up += 1

    async def die(self, process: int) -> None:
        """The process is gone: it renews nothing and says nothing any more."""
        await self.joins[process].stop()
        await self.states[process].stop()


@asynccontextmanager
async def fleet(server: RedisServer, *, processes: int = 3) -> AsyncIterator[Fleet]:
    """Started processes on an empty server."""
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.close()
    made = Fleet(server, processes=processes)
    for state in made.states:
        await state.start()
    try:
        yield made
    finally:
        for joins in made.joins:
            await joins.stop()
        for state in made.states:
            await state.stop()


class TestRedisJoins(JoinsSuite):
    """Three processes that share a server."""

    @pytest.fixture(autouse=True)
    def _server(self, server: RedisServer) -> None:
        self.server = server

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[list[Joins]]:
        async with fleet(self.server) as made:
            yield [*made.joins]


async def leading(joins: RedisJoins, question: Asking | None = None) -> Lead:
    """Lead in one process."""
    return await Crowd([joins]).leads(question or asking())


async def test_a_dead_process_is_followed_by_exactly_one(server: RedisServer) -> None:
    """The leader's process is gone: when its lease is over one of those who wait leads, the others follow it."""
    async with fleet(server) as made:
        await leading(made.joins[0])
        crowd = Crowd(made.joins[1:])
        for number in range(CROWD):
            crowd.ask(asking(f"near {number}", at=0.99))
        await crowd.all_waiting()
        await made.die(0)
        await crowd.all_waiting()
        assert len(crowd.leaders) == 0
        made.time.advance(LEASE_S + 0.1)
        await crowd.until(lambda: len(crowd.leaders) == 1)
        await crowd.all_waiting()
        crowd.leaders[0].land("note")
        await asyncio.gather(*crowd.tasks)
        assert (len(crowd.leaders), len(crowd.followed)) == (1, CROWD - 1)


async def test_a_living_leader_keeps_its_flight(server: RedisServer) -> None:
    """A lease is renewed: a leader that takes longer than a lease is not followed by another."""
    async with fleet(server) as made:
        leader = await leading(made.joins[0])
        crowd = Crowd(made.joins[1:])
        crowd.ask(asking("near", at=0.99))
        for _ in range(8):
            await crowd.all_waiting()
            made.time.advance(LEASE_S / 3)
        assert crowd.leaders == []
        leader.land("note")
        await asyncio.gather(*crowd.tasks)
        assert [f.note for f in crowd.followed] == ["note"]


async def test_the_cache_is_caught_up_before_a_landing_is_told(server: RedisServer) -> None:
    """Who waits in another process finds what the leader stored; where nothing was stored nothing is read."""
    async with fleet(server, processes=2) as made:
        for note, read in (("note", 1), (None, 1)):
            leader = await leading(made.joins[0])
            crowd = Crowd(made.joins[1:])
            for _ in range(5):
                crowd.ask(asking())
            await crowd.all_waiting()
            leader.land(note)
            await asyncio.gather(*crowd.tasks)
            assert made.caught_up == read


async def test_a_late_lead_is_given_back(server: RedisServer) -> None:
    """Who is stopped while Redis is asked leaves no flight behind that others would wait for."""
    async with fleet(server, processes=2) as made:
        for _ in range(20):
            task = asyncio.create_task(leading(made.joins[0]))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await leading(made.joins[1])  # a flight that is still given back is waited for


async def test_joining_goes_on_when_the_server_forgot_everything(server: RedisServer) -> None:
    """After the server began anew a process still hears of other processes' leaders."""
    async with fleet(server, processes=2) as made:
        for number in range(5):
            (await leading(made.joins[0], asking(f"n{number}", at=number / 10))).land("x")
        await leading(made.joins[1], asking("gone", at=0.5))
        client = redis.Redis.from_url(server.url)
        client.flushall()
        client.close()
        leader = await leading(made.joins[0])
        crowd = Crowd(made.joins[1:])
        crowd.ask(asking("near", at=0.99))
        await crowd.all_waiting()
        leader.land("note")
        await asyncio.gather(*crowd.tasks)
        assert [f.note for f in crowd.followed] == ["note"]


async def test_without_the_server_a_process_joins_by_itself(server: RedisServer) -> None:
    """The server dies under those who wait: nobody hangs, each process has one leader, and all are answered."""
    async with fleet(server, processes=2) as made:
        try:
            leader = await leading(made.joins[0])
            crowd = Crowd([made.joins[1]])
            for _ in range(CROWD):
                crowd.ask(asking())
            here = Crowd([made.joins[0]])
            await crowd.all_waiting()
            server.kill()
            await crowd.until(lambda: len(crowd.leaders) == 1)
            here.ask(asking("near", at=0.99))
            await here.all_waiting()
            crowd.leaders[0].land("there")
            leader.land("here")
            await asyncio.gather(*crowd.tasks, *here.tasks)
            assert [f.note for f in crowd.followed] == ["there"] * (CROWD - 1)
            assert [f.note for f in here.followed] == ["here"]
        finally:
            server.kill()
            server.start()
