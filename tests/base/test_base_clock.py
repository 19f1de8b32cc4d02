"""Time as an argument."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import time_machine

from base.clock import ManualClock, SystemClock
from base.ids import new_token, new_uuid

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_manual_clock_moves_only_when_told() -> None:
    """Both readings stand still, then move by the same amount."""
    clock = ManualClock(now=NOON, monotonic_s=10.0)
    still = (clock.now(), clock.monotonic_s())
    clock.advance(90)
    assert still == (NOON, 10.0)
    assert (clock.now(), clock.monotonic_s()) == (NOON + timedelta(seconds=90), 100.0)


async def test_manual_sleep_moves_time_and_lets_others_run() -> None:
    """Waiting an hour costs no real time, and tasks that are ready get their turn."""
    clock, ran = ManualClock(now=NOON), []
    other = asyncio.create_task(asyncio.sleep(0, result=ran.append("other")))
    await clock.sleep(3_600)
    assert clock.now() == NOON + timedelta(hours=1)
    assert ran == ["other"]
    await other


async def test_negative_sleep_never_turns_time_back() -> None:
    """A wait that is already over moves nothing."""
    clock = ManualClock(now=NOON)
    await clock.sleep(-5)
    await SystemClock().sleep(-5)
    assert clock.now() == NOON


def test_system_clock_is_aware_and_can_look_at_another_day() -> None:
    """The offset moves the wall clock; its time is in UTC."""
    with time_machine.travel(NOON, tick=False):
        assert SystemClock().now() == NOON
        moved = SystemClock(offset=timedelta(days=18)).now()
    assert moved == NOON + timedelta(days=18)
    assert moved.tzinfo is UTC


def test_offset_leaves_waits_alone() -> None:
    """Deadlines are measured on the monotonic clock, which the offset does not touch."""
    plain, moved = SystemClock(), SystemClock(offset=timedelta(days=18))
    first, second, third = plain.monotonic_s(), moved.monotonic_s(), plain.monotonic_s()
    assert first <= second <= third


def test_ids_are_unguessable_and_fit_their_columns() -> None:
    """A thousand of each are all different, of 36 and 22 characters."""
    uuids, tokens = {new_uuid() for _ in range(1_000)}, {new_token() for _ in range(1_000)}
    assert {len(value) for value in uuids} == {36}
    assert {len(value) for value in tokens} == {22}
    assert (len(uuids), len(tokens)) == (1_000, 1_000)
