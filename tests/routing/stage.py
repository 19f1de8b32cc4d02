"""A dispatcher whose vendors act from a script, with a ledger, a clock and everything real between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from base.clock import ManualClock
from base.writer import Writer
from routing.breaker import DEFAULT_POLICY, Policy
from routing.client import DEFAULT_TIMEOUTS, Client, Timeouts
from routing.dispatch import Answered, Dispatcher
from routing.errors import Exhausted
from routing.gate import Gate
from routing.ledger import Ledger
from routing.specs import ModelSpec
from tests.routing.helpers import NOW
from tests.routing.scripted import ScriptedVendor, scripted_vendor
from tests.routing.world import World


class Stage(World):
    """A world whose vendors act from a script."""

    def __init__(self, vendor: ScriptedVendor, *, writer: Writer, clock: ManualClock) -> None:
        super().__init__(vendor, writer=writer, clock=clock)  # type: ignore[arg-type]
        self.script = vendor
        self._clients = {DEFAULT_TIMEOUTS: self.client}

    def make_dispatcher(self, *, allow_loopback: bool = True) -> Dispatcher:
        """One that may call the name that leads nowhere."""
        return Dispatcher(
            client=self.client,
            gate=self.gate,
            ledger=Ledger(writer=self.writer, routing=lambda: self.snapshot, clock=self.clock),
            keys=self.access_of,
            clock=self.clock,
            random=lambda: 0.5,
            allowed_hosts=frozenset({"nowhere.invalid"}),
            allow_loopback=allow_loopback,
        )

    def renew(self, policy: Policy = DEFAULT_POLICY, *, timeouts: Timeouts) -> None:
        """A gate without a past, and a client with this patience."""
        if timeouts not in self._clients:
            self._clients[timeouts] = Client(timeouts=timeouts, allow_loopback=True)
        self.client = self._clients[timeouts]
        self.gate = Gate(clock=self.clock, random=lambda: 0.5, policy=policy)
        self.dispatcher = self.make_dispatcher()
        self.script.calls.clear()

    async def outcome(self, *chain: ModelSpec) -> Answered | Exhausted:
        """What becomes of one question."""
        self.shown = ""
        try:
            return await self.ask(*chain)
        except Exhausted as error:
            return error

    async def close(self) -> None:
        """Close the connections of every client."""
        for client in self._clients.values():
            await client.close()


@asynccontextmanager
async def staged(writer: Writer) -> AsyncIterator[Stage]:
    """A stage until the end."""
    clock = ManualClock(now=NOW)
    async with scripted_vendor(clock) as vendor:
        made = Stage(vendor, writer=writer, clock=clock)
        try:
            yield made
        finally:
            await made.close()
