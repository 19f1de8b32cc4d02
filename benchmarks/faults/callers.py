"""One process of callers: questions at a steady rate through the real dispatcher, gate and client.

`python -m benchmarks.faults.callers '{"vendor": URL, ...}'` (see `Order`) asks until the time is over and
prints one JSON line: a row for each question. It keeps no ledger, since these scenarios hold the limits, the
breaker and the queue to their promises against what the vendor saw; the bill has a scenario of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatbot.settings")
django.setup()

from base.clock import SystemClock  # noqa: E402  settings first
from base.state import SharedState  # noqa: E402  settings first
from base.writer import Writer  # noqa: E402  settings first
from routing.breaker import DEFAULT_POLICY  # noqa: E402  settings first
from routing.client import Client  # noqa: E402  settings first
from routing.dispatch import Dispatcher  # noqa: E402  settings first
from routing.errors import Exhausted  # noqa: E402  settings first
from routing.gate import Gate  # noqa: E402  settings first
from routing.ledger import Ledger  # noqa: E402  settings first
from routing.pricing import FREE, Cost  # noqa: E402  settings first
from routing.redis_limits import RedisLimits  # noqa: E402  settings first
from routing.snapshot import Access  # noqa: E402  settings first
from routing.specs import (  # noqa: E402  settings first
    EndpointSpec,
    Limits,
    Message,
    ModelSpec,
    Prompt,
    RoutingSnapshot,
    Tier,
    VendorKind,
)
from simulator.remote import Remote  # noqa: E402  settings first

KEY = "key-of-the-fleet"
KINDS = {
    "openai": VendorKind.CHAT_COMPLETIONS,
    "deepseek": VendorKind.CHAT_COMPLETIONS,
    "holysheep": VendorKind.CHAT_COMPLETIONS,
    "anthropic": VendorKind.ANTHROPIC,
    "gemini": VendorKind.GEMINI,
}
ARTICLE = '<article key="a">\nTitle: Shipping\nWe ship in 3 days for 8.00 yuan.\n</article>'


@dataclass(frozen=True, slots=True)
class Order:
    """What to play. `models` are `vendor/model`; each question goes to one of them, in turn."""

    vendor: str
    models: list[str]
    rate_per_s: float
    seconds: float
    redis: str = ""
    deadline_s: float = 12.0
    answer_tokens: int = 300
    prompt_words: int = 120
    seed: int = 1
    open_s: float = DEFAULT_POLICY.open_s
    limits: dict[str, int] = field(default_factory=dict)


class NoBooks(Ledger):
    """A ledger that writes nothing."""

    async def open(self, *_: Any, **__: Any) -> None:
        """Nothing is written."""

    async def close(self, *_: Any, **__: Any) -> Cost:
        """Nothing is written, nothing costs."""
        return FREE

    def abandon(self, *_: Any, **__: Any) -> None:
        """Nothing is written."""


class Callers:
    """The parts of one process, and the rows of its questions."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._clock = SystemClock()
        self._random = random.Random(order.seed)
        self._shared = SharedState(order.redis) if order.redis else None
        self._client = Client(allow_loopback=True)
        self._models = [_model(name, order) for name in order.models]
        words = " ".join(f"word{n}" for n in range(order.prompt_words))
        self._prompt = Prompt(
            f"Answer from this.\n{ARTICLE}\n{words}", (Message("user", "How long is shipping?"),)
        )
        snapshot = RoutingSnapshot(chains={})
        shared = self._shared
        self._gate = Gate(
            clock=self._clock,
            random=self._random.random,
            policy=replace(DEFAULT_POLICY, open_s=order.open_s),
            limits_for=None
            if shared is None
            else lambda key: RedisLimits(key, state=shared, clock=self._clock),
        )
        self._dispatcher = Dispatcher(
            client=self._client,
            gate=self._gate,
            ledger=NoBooks(writer=Writer(), routing=lambda: snapshot, clock=self._clock),
            keys=lambda endpoint: Access(KEY, endpoint.base_url),
            clock=self._clock,
            random=self._random.random,
            allowed_hosts=frozenset(),
            allow_loopback=True,
        )
        self.rows: list[dict[str, Any]] = []

    async def play(self) -> None:
        """Ask at the rate until the time is over, then wait for the last answers."""
        if self._shared is not None:
            await self._shared.start()
        begin_s, number, tasks = time.monotonic(), 0, set[asyncio.Task[None]]()
        while (due_s := number / self._order.rate_per_s) < self._order.seconds:
            await asyncio.sleep(max(0.0, begin_s + due_s - time.monotonic()))
            task = asyncio.create_task(self._ask(number))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        while tasks:
            await asyncio.wait(set(tasks))
        await self._client.close()
        if self._shared is not None:
            await self._shared.stop()

    async def _ask(self, number: int) -> None:
        model = self._models[number % len(self._models)]
        row: dict[str, Any] = {"asked": time.time(), "model": f"{model.endpoint.key}/{model.name}"}

        async def on_delta(_: str) -> None:
            row.setdefault("first", time.time())

        async def on_restart() -> None:
            row["restarts"] = row.get("restarts", 0) + 1

        async def on_wait(eta_s: float, ahead: int) -> None:
            if "eta_s" not in row:
                row.update(eta_s=eta_s, ahead=ahead, told=time.time())

        try:
            answered = await self._dispatcher.complete(
                self._prompt,
                chain=[model],
                tier=Tier.REGULAR,
                question_id=number,
                site_id=1,
                deadline_s=self._clock.monotonic_s() + self._order.deadline_s,
                max_output_tokens=self._order.answer_tokens,
                end_user=f"shopper-{number % 977}",
                on_delta=on_delta,
                on_restart=on_restart,
                on_wait=on_wait,
            )
        except Exhausted as error:
            row.update(outcome="refused", reason=str(error)[-160:])
        else:
            usage = answered.reply.usage
            row.update(
                outcome="answered", tokens=usage.input_tokens + usage.output_tokens if usage else 0
            )
        row["ended"] = time.time()
        self.rows.append(row)


def _model(name: str, order: Order) -> ModelSpec:
    vendor, model = name.split("/")
    endpoint = EndpointSpec(
        id=1,
        key=vendor,
        name=vendor,
        kind=KINDS[vendor],
        base_url=Remote(order.vendor).base(vendor),
        key_env="FLEET_KEY",
        simulated=True,
    )
    return ModelSpec(id=1, name=model, endpoint=endpoint, limits=Limits(**order.limits))


def main() -> None:
    """Play the order given as JSON and print the rows."""
    callers = Callers(Order(**json.loads(sys.argv[1])))
    asyncio.run(callers.play())
    sys.stdout.write(json.dumps(callers.rows) + "\n")


if __name__ == "__main__":
    main()
