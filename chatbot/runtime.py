"""One process's parts, built once and wired here: what the consumers and views reach through `Runtime`.

Start-up order: configuration (embeds what has no vector), store, threads, then the follower, which
every second swaps in a newer configuration and applies changes of the cache.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from base import env
from base.clock import Clock, SystemClock
from base.reader import Reader
from base.state import SharedState
from base.writer import Writer
from cache.embedding import Embedder
from cache.embedding_switch import active_model, newest_switch
from cache.inflight import InFlight
from cache.joining import Joins
from cache.local_joins import LocalJoins
from cache.redis_joins import RedisJoins
from chatbot.answering import Desk
from chatbot.boundary import survive
from chatbot.configuration import Configuration
from chatbot.doubts import Doubts
from chatbot.engines import EngineParts, EngineSwitch, open_embedder, snapshots_of, store_of
from chatbot.guard import Guard
from chatbot.guard_model import GuardModel
from chatbot.recall_feed import RecallFeed
from chatbot.recovery import Watch, recover
from chatbot.relevance import Relevance
from chatbot.renewing import Renewing
from chatbot.rewriting import Rewriting
from chatbot.speaking import Speaking
from chatbot.supervisor import Supervisor
from chatbot.visitors import ShopperRates, SocketCounter
from chatbot.watchers import Watchers
from routing.alerts import Alarms
from routing.chains import chain_for
from routing.client import Client
from routing.dispatch import Dispatcher, usable
from routing.gate import Gate, LimitsFor
from routing.ledger import Ledger
from routing.redis_limits import RedisLimits
from routing.rules import NO_ACTIONS, Actions
from routing.snapshot import access_of
from routing.specs import ModelSpec, Omission, RoutingSnapshot, Tier

logger = logging.getLogger(__name__)
FOLLOW_EVERY_S = 1.0
DRAIN_S = 20.0


class Runtime:
    """Everything that a running process shares."""

    def __init__(self, *, clock: Clock | None = None, embedder: Embedder | None = None) -> None:
        self.clock = clock or system_clock()
        self.writer = Writer()
        # Spending and alerts change one transaction at a time in the whole fleet. In batches of their
        # own that lock never meets another; SQLite has one writer anyway.
        self.ledger_writer = self.writer if connection.vendor == "sqlite" else Writer()
        self.reader = Reader()
        self.watchers = Watchers()
        self.sockets = SocketCounter(settings.CHAT_SOCKETS_PER_IP)
        self.rates = ShopperRates(settings.CHAT_RATE_PER_SHOPPER)
        self.shared = SharedState(settings.REDIS_URL) if settings.REDIS_URL else None
        self._owns_embedder = embedder is None
        self._engines = EngineSwitch(self, seen=newest_switch() if embedder is None else None)
        self.embedder = embedder or open_embedder(active_model(settings.EMBEDDING_MODEL))
        self._snapshots = snapshots_of(self.embedder, clock=self.clock)
        self._recalls = RecallFeed(reader=self.reader, watchers=self.watchers)
        self._following: asyncio.Task[None] | None = None
        self._catching_up = asyncio.Lock()

    @property
    def configuration(self) -> Configuration:
        """The snapshot in force."""
        return self._snapshots.current

    @property
    def routing(self) -> RoutingSnapshot:
        """The routing part of the snapshot in force."""
        return self.configuration.routing

    @property
    def simulated(self) -> bool:
        """Whether the models are simulated: then rows say so and never mix with live ones."""
        return settings.UPSTREAM_ALLOW_LOOPBACK and any(
            model.endpoint.simulated for chain in self.routing.chains.values() for model in chain
        )

    @property
    def mode(self) -> str:
        """`demo` with simulated models, `degraded` when a tier has no model, else `live`."""
        if self.simulated:
            return "demo"
        return "live" if all(self.usable(tier)[0] for tier in Tier) else "degraded"

    def usable(
        self, tier: Tier, actions: Actions = NO_ACTIONS
    ) -> tuple[tuple[ModelSpec, ...], tuple[Omission, ...]]:
        """The models of a tier that may be called today, and those left out with the reason."""
        return usable(
            chain_for(self.routing, tier, actions),
            today=self.clock.now().date(),
            has_key=lambda endpoint: access_of(endpoint) is not None,
            tier=tier,
            routing=self.routing,
        )

    async def start(self, *, take_up_open_questions: bool = True) -> None:
        """Load, warm up and begin. Questions that lost their process are taken up, now and later."""
        self.writer.start()
        self.ledger_writer.start()
        await self.reader.run(self._snapshots.refresh)
        self.embedder.start()
        self.store = store_of(self, self.embedder)
        await self.store.load_all()
        await self._recalls.start()
        if self.shared is not None:
            await self.shared.start()
        self.client = Client(allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK)
        self.loop = asyncio.get_running_loop()
        self.desk = self._desk()
        self.supervisor = Supervisor(desk=self.desk, writer=self.writer, watchers=self.watchers)
        self._following = asyncio.create_task(self._follow(), name="follow")
        self.watch = Watch(self, sweep=take_up_open_questions)
        if take_up_open_questions:
            await recover(self)
        self.watch.start()

    async def drain(self, *, timeout_s: float = DRAIN_S) -> None:
        """Take nothing new, let running answers finish and be seen, and send every socket elsewhere.

        A socket goes (1012) as soon as nothing runs for it. What runs longer than `timeout_s` is broken
        off and freed for whoever takes it up next.
        """
        self.supervisor.draining = True
        ends_at = self.loop.time() + timeout_s
        while True:
            self.watchers.close_except(self.supervisor.conversations)
            left_s = ends_at - self.loop.time()
            if not self.supervisor.running or left_s <= 0:
                break
            await self.supervisor.one_ends(timeout_s=left_s)
        handed_back = await self.supervisor.hand_back()
        if handed_back:
            logger.warning("%s answers were still running; others take them up", handed_back)
        self.watchers.close_except(())

    async def stop(self, *, drain_s: float = DRAIN_S) -> None:
        """Let running answers finish, then end every thread."""
        await self.drain(timeout_s=drain_s)
        self.watch.stop()
        if self._following is not None:
            self._following.cancel()
        await self._engines.stop()
        await self.desk.renewing.stop()
        await self.client.close()
        await self.desk.joins.stop()
        if self.shared is not None:
            await self.shared.stop()
        if self._owns_embedder:
            self.embedder.stop()
        self.store.stop()
        await asyncio.to_thread(self.ledger_writer.stop)
        await asyncio.to_thread(self.writer.stop)
        await asyncio.to_thread(self.reader.stop)

    async def catch_up(self) -> None:
        """Take over what was committed since: a configuration, changes of the cache, corrections."""
        async with self._catching_up:
            await self.reader.run(self._snapshots.refresh)
            self.gate.hold(self.routing.holds)
            await self.store.follow()
            await self._recalls.follow()

    async def adopt(self, new: EngineParts) -> EngineParts:
        """Put the parts of another engine in force, all in one step; returns the old ones."""
        async with self._catching_up:
            await self.reader.run(new.snapshots.refresh)
            await new.store.follow()
            old = EngineParts(self.embedder, self.store, self._snapshots, self._owns_embedder)
            self.embedder, self.store, self._snapshots = new.embedder, new.store, new.snapshots
            self._owns_embedder = new.owned
            self.desk = replace(
                self.desk, embedder=self.embedder, store=self.store, speaking=self._speaking()
            )
            self.gate.hold(self.routing.holds)
            self.supervisor.use(self.desk)
        return old

    async def reach(self, revision: int) -> None:
        """Catch up if the configuration in force is older: no question is decided on articles that were
        changed before it was accepted. One that cannot be loaded leaves the one in force."""
        if self.configuration.revision >= revision:
            return
        async with self._catching_up:
            if self.configuration.revision >= revision:  # another question was faster
                return
            # a bad row must not keep every question from its answer
            await survive(
                self._take_newer(), otherwise="the newer configuration could not be loaded"
            )

    async def _take_newer(self) -> None:
        await self.reader.run(self._snapshots.refresh)
        self.gate.hold(self.routing.holds)

    def _desk(self) -> Desk:
        gate = Gate(clock=self.clock, random=random.random, limits_for=self._limits_for())
        gate.hold(self.routing.holds)
        alarm = Alarms(writer=self.ledger_writer, clock=self.clock)
        ledger = Ledger(
            writer=self.ledger_writer, routing=lambda: self.routing, clock=self.clock, alarm=alarm
        )
        self.gate = gate
        dispatcher = Dispatcher(
            client=self.client,
            gate=gate,
            ledger=ledger,
            keys=access_of,
            clock=self.clock,
            random=random.random,
            allowed_hosts=frozenset(settings.UPSTREAM_ALLOWED_HOSTS),
            allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK,
        )
        guard = Guard(GuardModel.load())
        return Desk(
            guard=guard,
            embedder=self.embedder,
            store=self.store,
            flights=InFlight(),
            joins=self._joins(),
            doubts=Doubts(),
            renewing=Renewing(clock=self.clock),
            dispatcher=dispatcher,
            speaking=self._speaking(),
            rewriting=Rewriting(
                guard=guard, dispatcher=dispatcher, reader=self.reader, clock=self.clock
            ),
            reader=self.reader,
            clock=self.clock,
            configuration=lambda: self.configuration,
        )

    def _speaking(self) -> Speaking:
        return Speaking(
            relevance=Relevance.load(engine_id=self.embedder.engine_id), now=self.clock.now
        )

    def _joins(self) -> Joins:
        """Where the questions in flight are kept: in Redis when processes share it, else here."""
        if self.shared is None:
            return LocalJoins()
        return RedisJoins(state=self.shared, clock=self.clock, catch_up=self.catch_up)

    def _limits_for(self) -> LimitsFor | None:
        """Where the limits' state lives: in Redis when processes share it there, else here."""
        shared = self.shared
        if shared is None:
            return None
        return lambda key: RedisLimits(key, state=shared, clock=self.clock)

    async def _follow(self) -> None:
        """Swap in newer configurations and follow the cache's changes, for as long as the process runs."""
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            await survive(
                self._follow_once(),
                otherwise="what was committed could not be taken over; trying again",
            )

    async def _follow_once(self) -> None:
        await self.catch_up()
        await self._engines.look()


def system_clock() -> SystemClock:
    """The machine's clock, moved so that it starts at PRETEND_NOW when that is set."""
    pretended = env.text("PRETEND_NOW")
    if not pretended:
        return SystemClock()
    start = datetime.fromisoformat(pretended)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    offset: timedelta = start - datetime.now(tz=UTC)
    return SystemClock(offset=offset)
