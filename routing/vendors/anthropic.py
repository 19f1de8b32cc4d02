"""Anthropic Messages, in the two API versions that are in use.

The later version takes the key as a Bearer token and refuses sampling parameters. Input tokens are
reported without cached ones, so they are added up here; figures in a later event replace earlier
ones.
"""

from __future__ import annotations

import json
from typing import Any

from routing.errors import Kind, VendorError
from routing.specs import FinishReason, ModelSpec, Prompt, Reply, Usage
from routing.vendors import fields
from routing.vendors.base import JSON_HEADERS, HttpRequest, end_user_tag, join_url, merged
from routing.vendors.classify import VERDICTS
from routing.vendors.decoding import Draft, StreamDecoder, bad_body, parse_body

DEFAULT_VERSION = "2023-06-01"
_BEARER_SINCE = "2026-10-21"
_INPUT_PARTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_FINISHES = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.REFUSAL,
}


class Anthropic:
    """The vendor protocol of `POST /v1/messages`."""

    def build(
        self,
        model: ModelSpec,
        prompt: Prompt,
        *,
        api_key: str,
        base_url: str,
        max_output_tokens: int,
        stream: bool,
        end_user: str,
    ) -> HttpRequest:
        """The request for one answer."""
        version = model.api_version or DEFAULT_VERSION
        is_later = version >= _BEARER_SINCE
        body: dict[str, Any] = {
            "model": model.name,
            "max_tokens": max_output_tokens,
            "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.messages],
            "stream": stream,
        }
        if prompt.system:
            body["system"] = prompt.system
        if model.temperature is not None and not is_later:
            body["temperature"] = model.temperature
        if end_user:
            body["metadata"] = {"user_id": end_user_tag(end_user)}
        key = {"Authorization": f"Bearer {api_key}"} if is_later else {"x-api-key": api_key}
        path = "messages" if base_url.rstrip("/").endswith("/v1") else "v1/messages"
        return HttpRequest(
            method="POST",
            url=join_url(base_url, path),
            headers={**JSON_HEADERS, "anthropic-version": version, **key},
            body=json.dumps(merged(body, dict(model.extra_parameters))).encode(),
        )

    def decoder(self) -> StreamDecoder:
        """A decoder for one streamed answer."""
        return StreamDecoder(_Events())

    def parse(self, body: bytes) -> Reply:
        """The reply in a whole JSON body. Raises VendorError."""
        return parse_body(body, dialect=_Events())


class _Events:
    """Reads the events of one answer and keeps the usage figures seen so far."""

    def __init__(self) -> None:
        self._figures: dict[str, int] = {}

    def read_event(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take one event; names that are not known are passed over."""
        name = fields.text(value, "type")
        if name == "message_start":
            self._read_head(draft, fields.dig(value, "message"))
        elif name == "content_block_start":
            draft.add(_visible(fields.dig(value, "content_block"), kind="text"))
        elif name == "content_block_delta":
            draft.add(_visible(fields.dig(value, "delta"), kind="text_delta"))
        elif name == "message_delta":
            self._read_usage(draft, value.get("usage"))
            _read_stop(draft, fields.text(value, "delta", "stop_reason"))
        elif name == "message":
            self.read_body(draft, value)
        elif name == "error":
            message = "the vendor reported an error inside the answer"
            raise VendorError(message, verdict=VERDICTS[Kind.SERVER], status=200)

    def read_body(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take a whole message."""
        if not isinstance(value.get("content"), list):
            raise bad_body(problem="the answer holds no content")
        self._read_head(draft, value)
        for block in fields.items(value, "content"):
            draft.add(_visible(block, kind="text"))
        _read_stop(draft, fields.text(value, "stop_reason"))

    def _read_head(self, draft: Draft, message: object) -> None:
        draft.model = fields.text(message, "model") or draft.model
        draft.request_id = fields.text(message, "id") or draft.request_id
        self._read_usage(draft, fields.dig(message, "usage"))

    def _read_usage(self, draft: Draft, usage: object) -> None:
        for name in (*_INPUT_PARTS, "output_tokens"):
            figure = fields.count(usage, name)
            if figure is not None:
                self._figures[name] = figure
        if "input_tokens" in self._figures and "output_tokens" in self._figures:
            draft.usage = Usage(
                input_tokens=sum(self._figures.get(name, 0) for name in _INPUT_PARTS),
                output_tokens=self._figures["output_tokens"],
                cached_input_tokens=self._figures.get("cache_read_input_tokens", 0),
            )


def _visible(block: object, *, kind: str) -> str:
    return fields.raw_text(block, "text") if fields.text(block, "type") == kind else ""


def _read_stop(draft: Draft, reason: str) -> None:
    if reason:
        draft.stop(_FINISHES.get(reason, FinishReason.OTHER))
