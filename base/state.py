"""State that processes share, in Redis: scripts that run atomically, and words that nobody waits for.

Guarantees kept: a script runs as a whole or not at all, by the server's own time; what `send` was
given leaves in order; every call ends within `timeout_s`. Given up: while the server is away calls
raise `StateAway` at once for a second at a time and what `send` was given is dropped, so callers
need a safe way without it.

`members` counts the processes that use the same state, this one included, by a sign of life every
two seconds; it keeps its last value while the server is away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from base.ids import new_uuid

logger = logging.getLogger(__name__)
TIMEOUT_S = 0.5
AWAY_S = 1.0
ALIVE_EVERY_S, FORGOTTEN_AFTER_S = 2.0, 10.0
_MAX_WORDS = 10_000
_MEMBERS = "bw:members"

Value = str | int | float
# A server that is full or read-only is no use either; any other complaint is a mistake of ours.
_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    OutOfMemoryError,
    ReadOnlyError,
    OSError,
    TimeoutError,
)


class StateAway(Exception):
    """The shared state cannot be reached now."""


class SharedState:
    """One process's connection to the shared state. Start and stop it on the same event loop."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        away_s: float = AWAY_S,
        fewest_members: int = 1,
    ) -> None:
        self.process_id = new_uuid()[:8]
        self._away_s = away_s
        self._fewest_members = fewest_members
        self.members = fewest_members
        self._redis = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=None,
        )
        self._scripts: dict[Path, Any] = {}
        self._words: asyncio.Queue[tuple[Path, Sequence[str], Sequence[Value]]]
        self._tasks: list[asyncio.Task[None]] = []
        self._urgent: set[asyncio.Task[None]] = set()
        self._away_until_s = 0.0

    @property
    def is_away(self) -> bool:
        """Whether the last call failed within the last second."""
        return time.monotonic() < self._away_until_s

    async def start(self) -> None:
        """Begin to send words and signs of life."""
        self._words = asyncio.Queue(_MAX_WORDS)
        with suppress(StateAway):
            await self._sign_of_life()
        self._tasks = [
            asyncio.create_task(self._send_words(), name="state-words"),
            asyncio.create_task(self._stay_alive(), name="state-alive"),
        ]

    async def flush(self) -> None:
        """Wait until everything that `send` was given so far has left or was dropped."""
        await self._words.join()
        if self._urgent:
            await asyncio.wait(set(self._urgent))

    async def stop(self) -> None:
        """Send what is queued if the server is there, then close."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), timeout=1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisError, OSError):
            await self._redis.zrem(_MEMBERS, self.process_id)
        await self._redis.aclose()

    async def run(self, script: Path, *, keys: Sequence[str], args: Sequence[Value]) -> list[Any]:
        """Run a Lua script; its reply as a list. Raises StateAway."""
        if self.is_away:
            message = "the shared state is away"
            raise StateAway(message)
        try:
            reply = await self._script(script)(keys=list(keys), args=list(args))
        except _AWAY as error:
            self._lose(error)
            message = f"the shared state is away: {type(error).__name__}"
            raise StateAway(message) from error
        assert isinstance(reply, list)
        return reply

    def send(
        self, script: Path, *, keys: Sequence[str], args: Sequence[Value], urgent: bool = False
    ) -> None:
        """Run a script soon; nobody waits for it, and it is dropped while the server is away.

        An urgent one leaves at once, before what is queued.
        """
        if urgent:
            task = asyncio.create_task(self._say(script, keys=keys, args=args))
            self._urgent.add(task)
            task.add_done_callback(self._urgent.discard)
            return
        try:
            self._words.put_nowait((script, keys, args))
        except asyncio.QueueFull:
            logger.error("too much waits for the shared state; a word was dropped")  # noqa: TRY400  a full queue has no trace worth keeping

    def _script(self, path: Path) -> Any:
        if path not in self._scripts:
            self._scripts[path] = self._redis.register_script(path.read_text(encoding="utf-8"))
        return self._scripts[path]

    def _lose(self, error: Exception) -> None:
        if not self.is_away:
            logger.error("the shared state is away: %s", error)
        self._away_until_s = time.monotonic() + self._away_s

    async def _send_words(self) -> None:
        while True:
            script, keys, args = await self._words.get()
            await self._say(script, keys=keys, args=args)
            self._words.task_done()

    async def _say(self, script: Path, *, keys: Sequence[str], args: Sequence[Value]) -> None:
        try:
            await self.run(script, keys=keys, args=args)
        except StateAway:
            pass  # `_lose` said so; leases and windows at the server run out by themselves
        except RedisError:
            logger.exception("the shared state refused a word")

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_EVERY_S)
            with suppress(StateAway):
                await self._sign_of_life()

    async def _sign_of_life(self) -> None:
        try:
            seconds, _ = await self._redis.time()
            await self._redis.zadd(_MEMBERS, {self.process_id: seconds})
            await self._redis.zremrangebyscore(_MEMBERS, "-inf", seconds - FORGOTTEN_AFTER_S)
            known = await self._redis.zcard(_MEMBERS)
        except _AWAY as error:
            self._lose(error)
            message = f"the shared state is away: {type(error).__name__}"
            raise StateAway(message) from error
        self.members = max(self._fewest_members, int(known))
