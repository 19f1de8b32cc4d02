"""Joins within one process keep what every backend must keep, and their index finds what brute force finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from cache.joining import JOIN_MIN_COSINE, Joins, Nearby
from cache.local_joins import LocalJoins
from tests.cache.joins_suite import (
    Crowd,
    JoinsSuite,
    asking,
    test_joining_is_stricter_than_the_cache,
)

__all__ = ["test_joining_is_stricter_than_the_cache"]


class TestLocalJoins(JoinsSuite):
    """One process, no server."""

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[list[Joins]]:
        yield [LocalJoins()]


async def test_nothing_is_left_behind() -> None:
    """After the last landing the process remembers no question."""
    joins = LocalJoins()
    crowd = Crowd([joins])
    for number in range(20):
        (await crowd.leads(asking(f"n{number}", at=number / 40))).land("note")
    assert len(joins) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_index_of_flights_agrees_with_brute_force(seed: int) -> None:
    """After any order of adding and removing it names exactly the flights above the bound, nearest first."""
    random = np.random.default_rng(seed)
    nearby, kept = Nearby(), {}
    for number in range(300):
        vector = random.normal(size=8) * 0.1
        vector[0] += 1.0
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        nearby.add(f"f{number}", text=f"t{number}", vector=unit)
        kept[f"f{number}"] = unit
        if number % 3 == 2:
            gone = str(random.choice(sorted(kept)))
            nearby.remove(gone)
            del kept[gone]
    question = next(iter(kept.values()))
    cosines = {name: float(vector @ question) for name, vector in kept.items()}
    expected = [
        n for n in sorted(cosines, key=lambda n: -cosines[n]) if cosines[n] >= JOIN_MIN_COSINE
    ]
    found = nearby.nearest(question, forbids=lambda _: False, count=1_000)
    assert [near.flight_id for near in found] == expected
    assert len(nearby) == len(kept)


def test_the_index_of_flights_is_bounded() -> None:
    """What comes after the last place is left out and may lead."""
    nearby = Nearby(most=3)
    for number in range(5):
        nearby.add(f"f{number}", text="t", vector=np.array([1, 0], dtype=np.float32))
    assert len(nearby) == 3
