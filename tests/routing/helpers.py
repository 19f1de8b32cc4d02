"""What the tests of routing share: models to ask, streams as vendors send them, a stepped clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.specs import EndpointSpec, Limits, Message, ModelSpec, Prompt, VendorKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_LIMITS = Limits()
KEY = "sk-canary-7f3a91"
PROMPT = Prompt(
    system="Answer from the articles.",
    messages=(
        Message("user", "Do you ship abroad?"),
        Message("assistant", "Yes."),
        Message("user", "How long does it take?"),
    ),
)
TEXT = "三天送达 — 3 days, “sure”\u2028data: 5G 🚚"


def model(
    kind: VendorKind = VendorKind.CHAT_COMPLETIONS,
    *,
    name: str = "m-1",
    vendor: str = "openai",
    base_url: str = "https://api.openai.com/v1",
    key_env: str = "OPENAI_API_KEY",
    limits: Limits = NO_LIMITS,
    **more: Any,
) -> ModelSpec:
    """A model at an endpoint; `more` are further fields of the model."""
    endpoint = EndpointSpec(1, vendor, vendor.title(), kind, base_url, key_env, simulated=True)
    return ModelSpec(id=1, name=name, endpoint=endpoint, limits=limits, **more)


def sse(*values: object, end: str = "\n\n") -> bytes:
    """Events as a vendor sends them; strings go as they are."""
    return "".join(
        f"data: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}{end}"
        for value in values
    ).encode()


def chat_chunk(
    text: str | None = None, *, finish: str | None = None, **more: Any
) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c-1", "model": "m-1-2026-01-01", "choices": [choice], "usage": None} | more


CHAT_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 8},
}


def chat_stream(text: str = TEXT) -> bytes:
    """A complete chat completion with comments, usage after the finish chunk, and [DONE]."""
    half = len(text) // 2
    usage = {"id": "c-1", "model": "m-1-2026-01-01", "choices": [], "usage": CHAT_USAGE}
    return (
        b": keep-alive\n\n"
        + sse(chat_chunk(text[:half]), chat_chunk(text[half:]))
        + b": keep-alive\n\n"
        + sse(chat_chunk(finish="stop"), usage, "[DONE]")
    )


def anthropic_stream(text: str = TEXT) -> bytes:
    """A complete message with pings, thoughts, an unknown event and CRLF line ends."""
    half = len(text) // 2
    events: list[tuple[str, dict[str, Any]]] = [
        (
            "message_start",
            {
                "message": {
                    "id": "msg-1",
                    "model": "m-1",
                    "usage": {"input_tokens": 0, "output_tokens": 1},
                }
            },
        ),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("ping", {}),
        ("content_block_delta", {"delta": {"type": "thinking_delta", "thinking": "secret"}}),
        ("content_block_delta", {"delta": {"type": "text_delta", "text": text[:half]}}),
        ("novelty", {"delta": {"type": "text_delta", "text": "never shown"}}),
        ("content_block_delta", {"delta": {"type": "text_delta", "text": text[half:]}}),
        ("content_block_stop", {"index": 0}),
        (
            "message_delta",
            {
                "delta": {"stop_reason": "end_turn"},
                "usage": {
                    "input_tokens": 20,
                    "cache_read_input_tokens": 8,
                    "cache_creation_input_tokens": 2,
                    "output_tokens": 12,
                },
            },
        ),
        ("message_stop", {}),
    ]
    return "".join(
        f"event: {name}\r\ndata:{json.dumps({'type': name} | body, ensure_ascii=False)}\r\n\r\n"
        for name, body in events
    ).encode()


def gemini_stream(text: str = TEXT) -> bytes:
    """A complete answer with a thought, cumulative usage and no closing mark."""
    half = len(text) // 2

    def chunk(*parts: dict[str, Any], taken: int, **more: Any) -> dict[str, Any]:
        usage = {
            "promptTokenCount": 30,
            "candidatesTokenCount": taken,
            "thoughtsTokenCount": 4,
            "cachedContentTokenCount": 8,
        }
        candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0} | more
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": "m-1",
            "responseId": "r-1",
        }

    return sse(
        chunk({"text": "secret", "thought": True}, taken=0),
        chunk({"text": text[:half]}, taken=4),
        chunk({"text": text[half:]}, taken=8, finishReason="STOP"),
        end="\r\n\r\n",
    )


STREAMS = {
    VendorKind.CHAT_COMPLETIONS: chat_stream,
    VendorKind.ANTHROPIC: anthropic_stream,
    VendorKind.GEMINI: gemini_stream,
}


class SteppedClock:
    """Time stands still until `advance`; sleepers wake in order of their time."""

    def __init__(self) -> None:
        self.sleeps = 0
        self._now_s = 1_000.0
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic_s(self) -> float:
        return self._now_s

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self._now_s - 1_000.0)

    async def sleep(self, delay_s: float, /) -> None:
        self.sleeps += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + delay_s, next(self._numbers), future))
        await future

    async def advance(self, delta_s: float) -> None:
        """Let time pass, waking sleepers one after the other and letting them run."""
        await settle()
        until_s = self._now_s + delta_s
        while self._sleepers and self._sleepers[0][0] <= until_s:
            wake_s, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self._now_s = max(self._now_s, wake_s)
                future.set_result(None)
                await settle()
        self._now_s = until_s
        await settle()


async def settle() -> None:
    """Let every task that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)
