"""Who goes next at one model: a bounded queue with classes, fair between shoppers. Pure.

Places are ordered by urgency first: a shopper's complex case before a usual question, both before
background work. Within a class the order is start-time fair queueing (Goyal et al. 1996) with every
call costing one: shoppers who wait take turns, and a shopper's own questions keep their order, so
a hundred questions of one shopper delay the first question of another by at most one.

When the queue is full a more urgent arrival takes the place of the last one of a less urgent class;
that one is marked as shed and told at once.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from routing.specs import Need


class Urgency(IntEnum):
    """Classes of calls, most urgent first."""

    COMPLEX = 0
    USUAL = 1
    BACKGROUND = 2


@dataclass(slots=True, eq=False)
class Place:
    """One caller's place. `wake` is set when the caller must look again."""

    need: Need
    flow: str
    urgency: Urgency
    deadline_s: float
    tag: float
    number: int
    shed: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __lt__(self, other: Place) -> bool:
        return (self.urgency, self.tag, self.number) < (other.urgency, other.tag, other.number)


class Full(Exception):
    """No place is left for a caller of this urgency."""


class Shaper:
    """The queue of one model. `flow` names whose call it is; calls of one flow keep their order."""

    def __init__(self, *, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._places: list[Place] = []
        self._last_tag: dict[str, float] = {}
        self._virtual = 0.0
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    @property
    def first(self) -> Place | None:
        """Who may go next."""
        return self._places[0] if self._places else None

    @property
    def last(self) -> Place | None:
        """Who would be shed first."""
        return self._places[-1] if self._places else None

    def planned(self, need: Need, *, flow: str, urgency: Urgency, deadline_s: float) -> Place:
        """The place that a caller would get now; nothing changes."""
        tag = max(self._virtual, self._last_tag.get(flow, self._virtual))
        return Place(need, flow, urgency, deadline_s, tag, self._numbers)

    def ahead_of(self, place: Place) -> tuple[int, Need]:
        """How many go before this place, and what they reserve together."""
        before = [other for other in self._places if other < place]
        return len(before), Need(
            sum(other.need.input_tokens for other in before),
            sum(other.need.output_tokens for other in before),
        )

    def join(self, place: Place) -> Place | None:
        """Take a planned place; returns the place that was shed for it, if any. Raises Full."""
        shed = None
        if len(self._places) >= self._max_waiting:
            shed = self._places[-1]
            if shed.urgency <= place.urgency:
                raise Full
            self.shed(shed)
        self._numbers += 1
        self._last_tag[place.flow] = place.tag + 1.0
        if len(self._last_tag) > 4 * self._max_waiting:
            self._forget_idle_flows()
        insort(self._places, place)
        return shed

    def leave(self, place: Place, *, served: bool) -> None:
        """Give the place up; when it was served, the turns of the others move on."""
        if place.shed:
            return
        self._places.remove(place)
        if served:
            self._virtual = max(self._virtual, place.tag)
        if not self._places:
            self._last_tag.clear()

    def _forget_idle_flows(self) -> None:
        self._last_tag = {flow: tag for flow, tag in self._last_tag.items() if tag > self._virtual}

    def shed(self, place: Place) -> None:
        """Turn a waiting caller away; it leaves the queue at once."""
        self.leave(place, served=False)
        place.shed = True
        place.wake.set()

    def wake_first(self) -> None:
        """Let whoever is first look again."""
        if self._places:
            self._places[0].wake.set()
