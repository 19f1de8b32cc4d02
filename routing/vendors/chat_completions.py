"""Chat completions: OpenAI, DeepSeek, gateways, and Gemini's compatible address.

Reasoning text is never shown. Usage may come on any chunk, the last one counts; prompt tokens
include cached ones and completion tokens include reasoning.
"""

from __future__ import annotations

import json
from typing import Any

from routing.errors import Kind, VendorError
from routing.specs import FinishReason, ModelSpec, Prompt, Reply, Usage, host_of
from routing.vendors import fields
from routing.vendors.base import JSON_HEADERS, HttpRequest, end_user_tag, join_url, merged
from routing.vendors.classify import VERDICTS
from routing.vendors.decoding import Draft, StreamDecoder, bad_body, parse_body

# Fields that only these addresses are known to accept.
_END_USER_FIELDS = {"api.deepseek.com": "user_id", "api.openai.com": "safety_identifier"}
_OPENAI_HOST = "api.openai.com"

_FINISHES = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTER,
}
_FAILURES = frozenset({"insufficient_system_resource", "error"})
_TEXT_PARTS = frozenset({"", "text", "output_text"})


class ChatCompletions:
    """The vendor protocol of `POST .../chat/completions`."""

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
        host = host_of(base_url)
        body: dict[str, Any] = {
            "model": model.name,
            "messages": _messages(prompt),
            "max_tokens": max_output_tokens,
            "stream": stream,
        }
        if model.temperature is not None:
            body["temperature"] = model.temperature
        if stream:
            body["stream_options"] = {"include_usage": True}
            if host == _OPENAI_HOST:
                body["stream_options"]["include_obfuscation"] = False
        if end_user and host in _END_USER_FIELDS:
            body[_END_USER_FIELDS[host]] = end_user_tag(end_user)
        return HttpRequest(
            method="POST",
            url=join_url(base_url, "chat/completions"),
            headers={**JSON_HEADERS, "Authorization": f"Bearer {api_key}"},
            body=json.dumps(merged(body, dict(model.extra_parameters))).encode(),
        )

    def decoder(self) -> StreamDecoder:
        """A decoder for one streamed answer."""
        return StreamDecoder(self)

    def parse(self, body: bytes) -> Reply:
        """The reply in a whole JSON body. Raises VendorError."""
        return parse_body(body, dialect=self)

    def read_event(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take one chunk: text, finish reason, usage, each of which may be missing."""
        _read_head(draft, value)
        _read_choice(draft, fields.dig(value, "choices", 0), part="delta")

    def read_body(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take a whole completion."""
        choice = fields.dig(value, "choices", 0)
        if not isinstance(choice, dict):
            raise bad_body(problem="the answer holds no choice")
        _read_head(draft, value)
        _read_choice(draft, choice, part="message")


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
    return [*system, *turns]


def _read_head(draft: Draft, value: dict[str, Any]) -> None:
    # Every chunk repeats model and id; reading them once is a good part of the cost of a stream.
    if value.get("model") != draft.model:
        draft.model = fields.text(value, "model") or draft.model
    if value.get("id") != draft.request_id:
        draft.request_id = fields.text(value, "id") or draft.request_id
    if value.get("usage") is not None:
        draft.usage = _usage(value["usage"]) or draft.usage


def _read_choice(draft: Draft, choice: object, *, part: str) -> None:
    if not isinstance(choice, dict):
        return
    message = choice.get(part)
    if isinstance(message, dict):
        draft.add(_content(message.get("content")))
        if fields.text(message, "refusal"):
            draft.stop(FinishReason.REFUSAL)
    reason = fields.text(choice, "finish_reason")
    if reason in _FAILURES:
        problem = "the vendor failed during the answer"
        raise VendorError(problem, verdict=VERDICTS[Kind.SERVER], status=200, code=reason)
    if reason:
        draft.stop(_FINISHES.get(reason, FinishReason.OTHER))


def _content(content: object) -> str:
    """Text of a content field: a string, or a list of parts of which text ones count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        fields.raw_text(part, "text") for part in parts if fields.text(part, "type") in _TEXT_PARTS
    )


def _usage(value: object) -> Usage | None:
    given = fields.count(value, "prompt_tokens")
    taken = fields.count(value, "completion_tokens")
    if given is None or taken is None:
        return None
    cached = fields.count(value, "prompt_tokens_details", "cached_tokens")
    if cached is None:
        cached = fields.count(value, "prompt_cache_hit_tokens") or 0
    return Usage(given, taken, cached_input_tokens=min(cached, given))
