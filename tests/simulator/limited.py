"""A vendor with limits, and a request that it refuses."""

from __future__ import annotations

from simulator.clock import ManualClock
from simulator.config import Config
from simulator.direct import Answer, ask
from simulator.server import App, create_app
from simulator.windows import Limits

MODELS = {
    "openai": "gpt-4.1",
    "deepseek": "deepseek-flash",
    "holysheep": "deepseek-v3.2",
    "anthropic": "claude-sonnet-5-5",
    "gemini": "gemini-3.5-flash-lite",
}


def limited_app(clock: ManualClock, **figures: int) -> App:
    """All models under the same limits."""
    return create_app(Config(limits={"*": Limits(**figures)}), clock)


def refused_again(clock: ManualClock, vendor: str, **figures: int) -> Answer:
    """The answer to a second request 12.5 s after the one that used up the limit."""
    app = limited_app(clock, **figures)
    first = ask(app, vendor, model=MODELS[vendor], question="hello there")
    assert first.status == 200
    clock.advance(12.5)
    return ask(app, vendor, model=MODELS[vendor], question="hello there")
