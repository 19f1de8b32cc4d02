"""A question that missed joins one in flight that has the same words or means the same.

The first leads; the others wait for what it leaves. Same words join without a bound. By meaning a
question joins the nearest leader of its partition whose cosine reaches `JOIN_MIN_COSINE` (stricter
than the cache: nobody has seen the answer yet) and against whose text no veto of its own speaks; at most
`MOST_JOINERS` per leader, so that one bad leader harms few, then the next one leads beside it.

Guarantees kept by every backend: a leader that lands wakes all who wait, at once; a leader that fails,
is stopped or dies promotes one of those who could join it, and the others wait for that one; who leaves
takes nobody along; nobody waits longer than told. Given up: two who ask in the same instant may
both lead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

JOIN_MIN_COSINE = 0.93
MOST_JOINERS = 200
MOST_FLIGHTS = 2_000  # per partition; beyond it only the same words join
_FIRST_SLOTS = 16

Vector = NDArray[np.float32]
Forbids = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that may be shared: partition, key and text of its words, and its unit vector if it has one."""

    partition: str
    key: str
    text: str
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Landed:
    """What a leader left: a note that says where the answer is, or None when it may not be shared."""

    note: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """A place behind a leader. `cosine` None: the same words. The outcome None: the leader is gone."""

    text: str
    cosine: float | None
    outcome: asyncio.Future[Landed | None]


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a leader, with its text and how near it was."""

    note: str | None
    text: str
    cosine: float | None


class Lead(Protocol):
    """The leader's handle: `land` once; leaving without it promotes one who waits."""

    def land(self, note: str | None) -> None:
        """Give those who wait the note, or None: not shareable, go your own way."""

    def abandon(self) -> None:
        """The leader failed. Does nothing after `land`."""


class Joins(Protocol):
    """The questions in flight, wherever they are kept. All calls come from one event loop."""

    def __len__(self) -> int:
        """How many questions of this process lead."""

    async def enter(self, asking: Asking, *, forbids: Forbids) -> Lead | Join:
        """Take a place behind a leader, or lead. `forbids` tells which leader's text a veto excludes."""

    async def stop(self) -> None:
        """End what runs in the background."""


async def lead_or_follow(
    joins: Joins, asking: Asking, *, forbids: Forbids, within_s: float
) -> Lead | Followed | None:
    """Lead, or wait for a leader's end at most `within_s`; None when that time is over."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                place = await joins.enter(asking, forbids=forbids)
                if not isinstance(place, Join):
                    return place
                landed = await asyncio.shield(place.outcome)
                if landed is not None:
                    return Followed(landed.note, place.text, place.cosine)
    except TimeoutError:
        return None


@dataclass(frozen=True, slots=True)
class Near:
    """A question in flight and its cosine to the one that asks."""

    flight_id: str
    text: str
    cosine: float


class Nearby:
    """Unit vectors of the questions in flight of one partition, in one matrix. Never more than `most`."""

    def __init__(self, *, most: int = MOST_FLIGHTS) -> None:
        self._most = most
        self._ids: list[str] = []
        self._texts: dict[str, str] = {}
        self._place: dict[str, int] = {}
        self._matrix: Vector = np.empty((0, 0), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, flight_id: str, *, text: str, vector: Vector) -> None:
        """Take in a question; one that is known or too many is left out."""
        count = len(self._ids)
        if flight_id in self._place or count >= self._most:
            return
        if count == len(self._matrix):
            grown = np.zeros((max(_FIRST_SLOTS, 2 * count), len(vector)), dtype=np.float32)
            grown[:count] = self._matrix[:count] if count else grown[:0]
            self._matrix = grown
        self._matrix[count] = vector
        self._place[flight_id] = count
        self._texts[flight_id] = text
        self._ids.append(flight_id)

    def remove(self, flight_id: str) -> None:
        """Forget a question; the last one moves into its place."""
        place = self._place.pop(flight_id, None)
        if place is None:
            return
        del self._texts[flight_id]
        last = self._ids.pop()
        if last != flight_id:
            self._ids[place] = last
            self._place[last] = place
            self._matrix[place] = self._matrix[len(self._ids)]

    def nearest(self, vector: Vector, *, forbids: Forbids, count: int) -> list[Near]:
        """Those that may be joined, nearest first, at most `count`."""
        if not self._ids:
            return []
        cosines = self._matrix[: len(self._ids)] @ vector
        places = np.flatnonzero(cosines >= JOIN_MIN_COSINE)
        found: list[Near] = []
        for place in places[np.argsort(-cosines[places], kind="stable")]:
            flight_id = self._ids[int(place)]
            if not forbids(self._texts[flight_id]):
                found.append(Near(flight_id, self._texts[flight_id], float(cosines[place])))
            if len(found) == count:
                break
        return found
