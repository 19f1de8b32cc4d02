"""A dispatcher with everything real below it, calling the local model vendor over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from base.clock import Clock, ManualClock
from base.writer import Writer
from routing.client import DEFAULT_TIMEOUTS, Client, Timeouts
from routing.dispatch import Answered, Dispatcher
from routing.gate import Gate
from routing.ledger import Ledger
from routing.models import Call
from routing.notices import Notice
from routing.snapshot import Access
from routing.specs import (
    EndpointSpec,
    Message,
    ModelSpec,
    PriceSpec,
    Prompt,
    RoutingSnapshot,
    Tier,
    VendorKind,
)
from simulator.catalog import MODELS, VENDORS
from simulator.running import RunningSimulator
from tests.routing.helpers import KEY, NOW, model

ARTICLE = '<article key="a">\nTitle: Shipping\nWe ship in 3 days for 8.00 yuan.\n</article>'
QUESTION = Prompt(f"Answer from this.\n{ARTICLE}", (Message("user", "How long is shipping?"),))
KINDS = {
    "openai": VendorKind.CHAT_COMPLETIONS,
    "deepseek": VendorKind.CHAT_COMPLETIONS,
    "holysheep": VendorKind.CHAT_COMPLETIONS,
    "anthropic": VendorKind.ANTHROPIC,
    "gemini": VendorKind.GEMINI,
}
CHEAP = {
    "openai": "gpt-4.1",
    "deepseek": "deepseek-flash",
    "holysheep": "deepseek-v3.2",
    "anthropic": "claude-sonnet-5-5",
    "gemini": "gemini-3.5-flash-lite",
}
RATE = "0.13900000"


def prices() -> tuple[PriceSpec, ...]:
    """The simulator's own list prices, at every vendor that sells the model."""
    since = date(2026, 1, 1)
    return tuple(
        PriceSpec(
            vendor.name,
            sold.id,
            since,
            vendor.currency,
            sold.price.input_nano,
            sold.price.input_nano if sold.price.cached_nano is None else sold.price.cached_nano,
            sold.price.output_nano,
        )
        for vendor in VENDORS.values()
        for sold in MODELS.values()
        if vendor.resells_all or sold.home == vendor.name
    )


class World:
    """The parts of a process, and what a shopper would have seen."""

    def __init__(
        self,
        vendor: RunningSimulator,
        *,
        writer: Writer,
        clock: Clock | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        self.vendor = vendor
        self.clock = clock or ManualClock(now=NOW)
        self.writer = writer
        self.client = Client(timeouts=timeouts, allow_loopback=True)
        self.gate = Gate(clock=self.clock, random=lambda: 0.5)
        self.snapshot = RoutingSnapshot(
            chains={}, prices=prices(), usd_rates=(("CNY", date(2026, 1, 1), RATE),)
        )
        self.notices: list[Notice] = []
        self.keys: dict[str, str] = {}
        self.shown = ""
        self.restarts = 0
        self.waits: list[tuple[float, int]] = []
        self.dispatcher = self.make_dispatcher()

    def make_dispatcher(self, *, allow_loopback: bool = True) -> Dispatcher:
        """A dispatcher over this world's gate, client and ledger."""
        return Dispatcher(
            client=self.client,
            gate=self.gate,
            ledger=Ledger(
                writer=self.writer,
                routing=lambda: self.snapshot,
                clock=self.clock,
                alarm=self.notices.append,
            ),
            keys=self.access_of,
            clock=self.clock,
            random=lambda: 0.5,
            allowed_hosts=frozenset({"api.openai.com"}),
            allow_loopback=allow_loopback,
        )

    def access_of(self, endpoint: EndpointSpec) -> Access | None:
        """Every endpoint has a key unless a test takes it away."""
        key = self.keys.get(endpoint.key, KEY)
        return Access(key, endpoint.base_url) if key else None

    def model(self, vendor: str = "openai", name: str = "", **more: Any) -> ModelSpec:
        """A model of the simulator as one vendor."""
        return model(
            KINDS[vendor],
            name=name or CHEAP[vendor],
            vendor=vendor,
            base_url=self.vendor.base(vendor),
            key_env=f"{vendor.upper()}_API_KEY",
            **more,
        )

    async def ask(self, *chain: ModelSpec, **more: Any) -> Answered:
        """One question to a chain."""
        options: dict[str, Any] = {
            "tier": Tier.FAQ,
            "question_id": 7,
            "site_id": 1,
            "deadline_s": self.clock.monotonic_s() + 12.0,
            "max_output_tokens": 300,
            "end_user": "shopper-1",
            "on_delta": self._delta,
            "on_restart": self._restart,
            "on_wait": self._wait,
        }
        prompt = more.pop("prompt", QUESTION)
        return await self.dispatcher.complete(prompt, chain=chain, **(options | more))

    async def _delta(self, text: str) -> None:
        self.shown += text

    async def _restart(self) -> None:
        self.shown = ""
        self.restarts += 1

    async def _wait(self, eta_s: float, ahead: int) -> None:
        self.waits.append((eta_s, ahead))

    def requests(self) -> list[dict[str, Any]]:
        """What the vendor saw, request by request."""
        return list(self.vendor.bill(rows=True)["requests"])

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


async def calls() -> list[Call]:
    """The ledger, oldest row first."""
    return await asyncio.to_thread(lambda: list(Call.objects.order_by("id")))


def outcomes(rows: Sequence[Call]) -> list[tuple[str, str, str]]:
    """Model, outcome and failure of each row."""
    return [(row.model_asked, row.outcome, row.failure) for row in rows]
