"""The questions in flight of one process: what `joining` promises, without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from base.ids import new_uuid
from cache.joining import MOST_JOINERS, Asking, Forbids, Join, Landed, Nearby


def _future() -> asyncio.Future[Landed | None]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class LocalLead:
    """A question that leads in this process."""

    joins: LocalJoins
    asking: Asking
    flight_id: str = field(default_factory=new_uuid)
    outcome: asyncio.Future[Landed | None] = field(default_factory=_future)
    joiners: int = 0

    def land(self, note: str | None) -> None:
        """Wake those who wait."""
        self._end(Landed(note))

    def abandon(self) -> None:
        """Let one of those who wait lead. Does nothing after `land`."""
        self._end(None)

    def _end(self, landed: Landed | None) -> None:
        if not self.outcome.done():
            self.joins.forget(self)
            self.outcome.set_result(landed)


class LocalJoins:
    """Leaders of this process by id, by words, and by vector."""

    def __init__(self) -> None:
        self._flights: dict[str, LocalLead] = {}
        self._by_words: dict[tuple[str, str], LocalLead] = {}
        self._nearby: dict[str, Nearby] = {}

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def joined(self) -> int:
        """How many wait behind leaders whose words are others than theirs."""
        return sum(leading.joiners for leading in self._flights.values())

    async def enter(self, asking: Asking, *, forbids: Forbids) -> LocalLead | Join:
        """Take a place behind a leader of this process, or lead."""
        return self._join(asking, forbids=forbids) or self.lead(asking)

    async def stop(self) -> None:
        """Nothing runs in the background."""

    def lead(self, asking: Asking, *, flight_id: str | None = None) -> LocalLead:
        """Lead, whatever else is in flight."""
        leading = LocalLead(self, asking, flight_id or new_uuid())
        self._flights[leading.flight_id] = leading
        self._by_words.setdefault((asking.partition, asking.key), leading)
        if asking.vector is not None:
            nearby = self._nearby.setdefault(asking.partition, Nearby())
            nearby.add(leading.flight_id, text=asking.text, vector=asking.vector)
        return leading

    def flight(self, flight_id: str) -> LocalLead | None:
        """The leader of that id, if it flies here."""
        return self._flights.get(flight_id)

    def forget(self, leading: LocalLead) -> None:
        """A flight ended."""
        asking = leading.asking
        self._flights.pop(leading.flight_id, None)
        if self._by_words.get((asking.partition, asking.key)) is leading:
            del self._by_words[asking.partition, asking.key]
        nearby = self._nearby.get(asking.partition)
        if nearby is not None:
            nearby.remove(leading.flight_id)
            if not len(nearby):
                del self._nearby[asking.partition]

    def _join(self, asking: Asking, *, forbids: Forbids) -> Join | None:
        same = self._by_words.get((asking.partition, asking.key))
        if same is not None:
            return Join(same.asking.text, None, same.outcome)
        nearby = self._nearby.get(asking.partition)
        if nearby is None or asking.vector is None:
            return None
        for near in nearby.nearest(asking.vector, forbids=forbids, count=len(nearby)):
            leading = self._flights[near.flight_id]
            if leading.joiners < MOST_JOINERS:
                leading.joiners += 1
                return Join(near.text, near.cosine, leading.outcome)
        return None
