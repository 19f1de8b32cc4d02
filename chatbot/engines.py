"""A change of the embedding model while the site runs: everything that holds vectors is swapped at once.

The new engine is built beside the old one: model, vectors of articles and examples, indexes of the cache. Then
one step of the event loop puts all of it in force. A question that has begun keeps the parts it
began with; one that is caught between (its configuration of one engine, its desk of the other) goes without
a vector. So vectors of two engines never meet.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from base.clock import Clock
from base.revision import Snapshots
from cache.embedding import Embedder
from cache.embedding_switch import active_model, newest_switch
from cache.store import Store
from cache.vectors import KnownVectors
from chatbot.boundary import survive
from chatbot.configuration import Configuration, ConfigurationLoader
from chatbot.deadlines import QUESTION_DEADLINE_S
from chatbot.vectorising import MAX_UNKNOWN_SHARE

if TYPE_CHECKING:
    from chatbot.runtime import Runtime

logger = logging.getLogger(__name__)


def open_embedder(model_name: str) -> Embedder:
    """The embedder of a model, with its exported form kept in the data folder. Blocking."""
    return Embedder(model_name, folder=settings.DATA_DIR)


def snapshots_of(embedder: Embedder, *, clock: Clock) -> Snapshots[Configuration]:
    """The configuration with the vectors of this engine."""
    vectors = KnownVectors(embedder, folder=settings.DATA_DIR, max_unknown_share=MAX_UNKNOWN_SHARE)
    loader = ConfigurationLoader(vectors.get, engine_id=embedder.engine_id, now=clock.now)
    return Snapshots(loader.load)


def store_of(runtime: Runtime, embedder: Embedder, *, kind: type[Store] = Store) -> Store:
    """An empty replica of the cache with the vectors of this engine."""
    return kind(
        writer=runtime.writer,
        reader=runtime.reader,
        engine_id=embedder.engine_id,
        dimension=embedder.dimension,
        now=runtime.clock.now,
        folder=settings.DATA_DIR,
    )


@dataclass(frozen=True, slots=True)
class EngineParts:
    """All that holds one engine's vectors. An embedder that is not `owned` is stopped by who made it."""

    embedder: Embedder
    store: Store
    snapshots: Snapshots[Configuration]
    owned: bool = True

    async def end(self) -> None:
        """End their threads."""
        if self.owned:
            await asyncio.to_thread(self.embedder.stop)
        self.store.stop()


class EngineSwitch:
    """Follows the switches of the embedding model that come after `seen`, or after the first look."""

    def __init__(self, runtime: Runtime, *, seen: int | None) -> None:
        self._runtime = runtime
        self._seen = seen
        self._switching: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Begin to build the new engine when there is a switch that was not seen yet."""
        newest = await self._runtime.reader.run(newest_switch)
        if self._seen is None:
            self._seen = newest
        if newest > self._seen and (self._switching is None or self._switching.done()):
            self._seen = (
                newest  # tried once: a model that cannot be loaded is not tried every second
            )
            self._switching = asyncio.create_task(self._try(), name="engine-switch")

    async def stop(self) -> None:
        """Give up a switch that is under way, and end the engines that are on their way out."""
        tasks = {task for task in (self._switching, *self._ending) if task is not None}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _try(self) -> None:
        await survive(
            self._switch(),
            otherwise="the embedding model could not be changed; the old one goes on. Put right what is said here, "
            "then run `cache_reembed --switch` again",
        )

    async def _switch(self) -> None:
        runtime = self._runtime
        model = await runtime.reader.run(lambda: active_model(settings.EMBEDDING_MODEL))
        if model == runtime.embedder.model_name:
            return
        new = await self._built(model)
        adopted = False
        try:
            old = await runtime.adopt(new)
            adopted = True
        finally:
            if not adopted:
                await new.end()
        logger.info(
            "the embedding model is now %s on %s", model or "the packaged one", new.embedder.runs_on
        )
        task = asyncio.create_task(self._end_later(old), name="engine-end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _built(self, model: str) -> EngineParts:
        runtime = self._runtime
        embedder = await asyncio.to_thread(open_embedder, model)
        embedder.start()  # from now on it encodes on one core only: questions are being answered beside it
        parts = EngineParts(
            embedder, store_of(runtime, embedder), snapshots_of(embedder, clock=runtime.clock)
        )
        loaded = False
        try:
            await runtime.reader.run(parts.snapshots.refresh)
            await parts.store.load_all()
            loaded = True
        finally:
            if not loaded:
                await parts.end()
        return parts

    async def _end_later(self, old: EngineParts) -> None:
        """The questions that began with the old engine are over after their deadline."""
        try:
            await self._runtime.clock.sleep(QUESTION_DEADLINE_S)
        finally:
            await old.end()
