"""What holds for joins wherever the questions in flight are kept; concrete suites give the backend."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

import numpy as np
import pytest

from cache.joining import (
    JOIN_MIN_COSINE,
    MOST_JOINERS,
    Asking,
    Followed,
    Forbids,
    Join,
    Joins,
    Lead,
    lead_or_follow,
)
from cache.judgement import Unfitted

SHOP = "default/en/everyone/v1/live"
LONG_S = 60.0
CROWD = 60


def asking(
    text: str = "leader", *, at: float | None = 1.0, partition: str = SHOP, words: str | None = None
) -> Asking:
    """A question whose vector has the cosine `at` to (1, 0, 0, 0); None = it has no vector."""
    vector = None
    if at is not None:
        vector = np.array([at, math.sqrt(1 - at * at), 0, 0], dtype=np.float32)
    return Asking(partition=partition, key=words or text, text=text, vector=vector)


class Watched:
    """Joins that remember who waits behind whom."""

    def __init__(self, joins: Joins) -> None:
        self._joins = joins
        self.places: dict[asyncio.Task[None] | None, Join] = {}

    def __len__(self) -> int:
        return len(self._joins)

    async def enter(self, asking: Asking, *, forbids: Forbids) -> Lead | Join:
        """As the joins do."""
        self.places.pop(asyncio.current_task(), None)
        place = await self._joins.enter(asking, forbids=forbids)
        if isinstance(place, Join):
            self.places[asyncio.current_task()] = place
        return place

    async def stop(self) -> None:
        """As the joins do."""
        await self._joins.stop()

    async def next_news(self) -> None:
        """Return when another round of news from other processes has been heard; at once where there is none."""
        heard: Callable[[], Awaitable[None]] | None = getattr(self._joins, "next_news", None)
        if heard is not None:
            await heard()

    def waits(self, task: asyncio.Task[None]) -> bool:
        """Whether it has a place behind a leader whose end it has not heard of."""
        place = self.places.get(task)
        return place is not None and not place.outcome.done()


class Crowd:
    """Askers over some processes; leaders stay in the air until the test ends them."""

    def __init__(self, joins: Sequence[Joins]) -> None:
        self._joins = [Watched(each) for each in joins]
        self.leaders: list[Lead] = []
        self.followed: list[Followed] = []
        self.alone = 0
        self.tasks: list[asyncio.Task[None]] = []

    def ask(
        self,
        question: Asking,
        *,
        forbids: Callable[[str], bool] = lambda _: False,
        within_s: float = LONG_S,
    ) -> asyncio.Task[None]:
        """One more asker, each at the next process."""
        joins = self._joins[len(self.tasks) % len(self._joins)]
        task = asyncio.create_task(self._ask(joins, question, forbids=forbids, within_s=within_s))
        self.tasks.append(task)
        return task

    async def _ask(
        self, joins: Joins, question: Asking, *, forbids: Callable[[str], bool], within_s: float
    ) -> None:
        place = await lead_or_follow(joins, question, forbids=forbids, within_s=within_s)
        if place is None:
            self.alone += 1
        elif isinstance(place, Followed):
            self.followed.append(place)
        else:
            self.leaders.append(place)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until the crowd stands as the test wants it."""
        async with asyncio.timeout(LONG_S):
            while not reached():
                await asyncio.sleep(0.01)

    async def leads(self, question: Asking) -> Lead:
        """Ask, and expect to lead."""
        await self.ask(question)
        return self.leaders[-1]

    async def all_waiting(self) -> None:
        """Wait until everybody has a place, and for the next news of other processes."""
        for _ in range(2):
            await self.until(
                lambda: all(
                    task.done() or any(each.waits(task) for each in self._joins)
                    for task in self.tasks
                )
            )
            await asyncio.gather(*(each.next_news() for each in self._joins))


def _one_leads(crowd: Crowd) -> bool:
    return len(crowd.leaders) == 1


class JoinsSuite:
    """Subclasses give `bench`: as many processes as asked for, each with its view."""

    processes = 1

    def bench(self) -> AbstractAsyncContextManager[list[Joins]]:
        """The processes of one test."""
        raise NotImplementedError

    async def test_the_same_words_have_one_leader(self) -> None:
        """Many ask the same at once, with a vector and without: one leads and its answer reaches all."""
        for at in (1.0, None):
            async with self.bench() as joins:
                crowd = Crowd(joins)
                for _ in range(CROWD):
                    crowd.ask(asking(at=at))
                await crowd.until(partial(_one_leads, crowd))
                await crowd.all_waiting()
                crowd.leaders[0].land("note")
                await asyncio.gather(*crowd.tasks)
                assert len(crowd.leaders) == 1
                assert crowd.followed == [Followed("note", "leader", None)] * (CROWD - 1)

    async def test_nearness_decides_who_joins(self) -> None:
        """At the bound a question joins and hears of leader and cosine; below it, or without a vector, it leads."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            leader = await crowd.leads(asking())
            joined = crowd.ask(asking("near", at=JOIN_MIN_COSINE + 0.001))
            await crowd.leads(asking("far", at=JOIN_MIN_COSINE - 0.001))
            await crowd.leads(asking("unknown words", at=None))
            leader.land("note")
            await joined
            [followed] = crowd.followed
            assert (followed.note, followed.text) == ("note", "leader")
            assert followed.cosine == pytest.approx(JOIN_MIN_COSINE + 0.001, abs=1e-4)
            assert len(crowd.leaders) == 3

    async def test_the_nearest_without_a_veto_is_joined(self) -> None:
        """A veto on the nearest leader's text lets a question join the next one, and lead if there is none."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            first, second = asking("size M", at=0.995), asking("size L", at=0.85)
            leaders = [await crowd.leads(first), await crowd.leads(second)]
            joined = crowd.ask(asking("in L", at=0.955), forbids=lambda text: text == "size M")
            await crowd.all_waiting()
            for leader, note in zip(leaders, "ML", strict=True):
                leader.land(note)
            await joined
            assert [(f.note, f.text) for f in crowd.followed] == [("L", "size L")]
            await crowd.leads(first)
            await crowd.ask(asking("in S", at=0.98), forbids=lambda _: True)
            assert len(crowd.leaders) == 4

    async def test_partitions_never_meet(self) -> None:
        """The same words and the same vector in another partition lead."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            await crowd.leads(asking())
            await crowd.leads(asking(partition="other/en/everyone/v1/live"))
            assert len(crowd.leaders) == 2

    async def test_a_leader_has_so_many_joiners_and_no_more(self) -> None:
        """After the last place the next one leads a second flight, which is joined from then on."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            first = await crowd.leads(asking())
            for number in range(MOST_JOINERS):
                crowd.ask(asking(f"near {number}", at=0.99))
            await crowd.all_waiting()
            second = await crowd.leads(asking("one too many", at=0.99))
            crowd.ask(asking("one more", at=0.99))
            await crowd.all_waiting()
            assert len(crowd.leaders) == 2
            first.land("first")
            second.land("second")
            await asyncio.gather(*crowd.tasks)
            assert sorted(f.note or "" for f in crowd.followed) == ["first"] * MOST_JOINERS + [
                "second"
            ]

    async def test_a_failed_leader_is_followed_by_exactly_one(self) -> None:
        """Those who waited have one new leader among them and lose nothing."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            failed = await crowd.leads(asking())
            for number in range(CROWD):
                crowd.ask(asking(f"near {number}", at=0.99))
            await crowd.all_waiting()
            failed.abandon()
            await crowd.until(lambda: len(crowd.leaders) == 2)
            await crowd.all_waiting()
            crowd.leaders[1].land("second try")
            await asyncio.gather(*crowd.tasks)
            assert len(crowd.leaders) == 2
            assert [f.note for f in crowd.followed] == ["second try"] * (CROWD - 1)

    async def test_what_may_not_be_shared_frees_all_at_once(self) -> None:
        """Nobody queues behind the next: all go their own way."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            leader = await crowd.leads(asking())
            for _ in range(CROWD):
                crowd.ask(asking())
            await crowd.all_waiting()
            leader.land(None)
            await asyncio.gather(*crowd.tasks)
            assert [f.note for f in crowd.followed] == [None] * CROWD
            assert len(crowd.leaders) == 1

    async def test_nobody_waits_longer_than_told(self) -> None:
        """A leader that hangs costs who waits no more than the time given; the others go on waiting."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            leader = await crowd.leads(asking())
            patient = crowd.ask(asking())
            await crowd.ask(asking(), within_s=0.3)
            assert (crowd.alone, patient.done()) == (1, False)
            leader.land("late")
            await patient
            assert [f.note for f in crowd.followed] == ["late"]

    async def test_who_leaves_takes_nobody_along(self) -> None:
        """A cancelled waiter ends neither the flight nor the other waiters."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            leader = await crowd.leads(asking())
            tasks = [crowd.ask(asking()) for _ in range(4)]
            await crowd.all_waiting()
            tasks[1].cancel()
            await crowd.all_waiting()
            leader.land("note")
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(done[1], asyncio.CancelledError)
            assert [f.note for f in crowd.followed] == ["note"] * 3

    async def test_an_end_counts_once(self) -> None:
        """What a leader's `finally` does after landing changes nothing, and the next asker leads anew."""
        async with self.bench() as joins:
            crowd = Crowd(joins)
            leader = await crowd.leads(asking())
            waiter = crowd.ask(asking())
            await crowd.all_waiting()
            leader.land("note")
            leader.abandon()
            await waiter
            await crowd.all_waiting()
            again = await crowd.leads(asking())
            leader.abandon()
            waiter = crowd.ask(asking())
            await crowd.all_waiting()
            assert not waiter.done()
            again.land("anew")
            await waiter
            assert [f.note for f in crowd.followed] == ["note", "anew"]


def test_joining_is_stricter_than_the_cache() -> None:
    """Nobody has seen the answer yet, so two texts alone have to be nearer than the cache asks for."""
    assert Unfitted().min_cosine < JOIN_MIN_COSINE
