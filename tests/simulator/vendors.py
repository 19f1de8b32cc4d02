"""A model of each vendor, and short ways to ask it and to look at what it noted."""

from __future__ import annotations

from typing import Any

from simulator.direct import Answer, ask
from simulator.server import App

MODELS = {
    "openai": "gpt-4.1",
    "deepseek": "deepseek-flash",
    "holysheep": "gpt-4.1",
    "anthropic": "claude-sonnet-5-5",
    "gemini": "gemini-3.5-flash-lite",
}
QUESTION = "How long do refunds take?"
FINISHES = (b'"finish_reason":"stop"', b'"stop_reason":"end_turn"', b'"finishReason":"STOP"')


def ask_vendor(app: App, vendor: str, **request: Any) -> Answer:
    """A question in the vendor's own protocol, without a socket."""
    return ask(app, vendor, **({"model": MODELS[vendor], "question": QUESTION} | request))


def last_row(app: App) -> dict[str, Any]:
    """The newest row of the bill."""
    rows: list[dict[str, Any]] = app.simulator.bill.as_json(with_rows=True)["requests"]
    return rows[-1]


def is_finished(body: bytes) -> bool:
    """Whether an answer names an orderly end."""
    return any(finish in body for finish in FINISHES)
