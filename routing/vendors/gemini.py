"""Gemini's own protocol: generateContent, streamed as server-sent events.

The key travels in a header, never in the address. Thoughts are never shown; they are billed as
output beside the candidates. A prompt that was blocked has no candidate. There is no place for an
end user.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from routing.specs import FinishReason, Message, ModelSpec, Prompt, Reply, Usage
from routing.vendors import fields
from routing.vendors.base import JSON_HEADERS, HttpRequest, join_url, merged
from routing.vendors.decoding import Draft, StreamDecoder, bad_body, parse_body

DEFAULT_VERSION = "v1beta"
_PARTS = frozenset({"candidates", "promptFeedback", "usageMetadata"})
_VERSIONED = re.compile(r"/v\d+(?:alpha|beta)?\d*$")
_FINISHES = {"STOP": FinishReason.STOP, "MAX_TOKENS": FinishReason.LENGTH}
_FILTERS = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK"}
)


class Gemini:
    """The vendor protocol of `POST .../models/{model}:generateContent`."""

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
        settings: dict[str, Any] = {"maxOutputTokens": max_output_tokens}
        if model.temperature is not None:
            settings["temperature"] = model.temperature
        body: dict[str, Any] = {
            "contents": [_content(turn) for turn in prompt.messages],
            "generationConfig": settings,
        }
        if prompt.system:
            body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
        version = "" if _VERSIONED.search(base_url.rstrip("/")) else _version(model) + "/"
        name = quote(model.name.removeprefix("models/"), safe="")
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return HttpRequest(
            method="POST",
            url=join_url(base_url, f"{version}models/{name}:{verb}"),
            headers={**JSON_HEADERS, "x-goog-api-key": api_key},
            body=json.dumps(merged(body, dict(model.extra_parameters))).encode(),
        )

    def decoder(self) -> StreamDecoder:
        """A decoder for one streamed answer."""
        return StreamDecoder(self)

    def parse(self, body: bytes) -> Reply:
        """The reply in a whole JSON body. Raises VendorError."""
        return parse_body(body, dialect=self)

    def read_event(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take one chunk: text, finish reason, usage so far."""
        draft.model = fields.text(value, "modelVersion") or draft.model
        draft.request_id = fields.text(value, "responseId") or draft.request_id
        draft.usage = _usage(value.get("usageMetadata")) or draft.usage
        candidate = fields.dig(value, "candidates", 0)
        for part in fields.items(candidate, "content", "parts"):
            if fields.dig(part, "thought") is not True:
                draft.add(fields.raw_text(part, "text"))
        _read_finish(draft, fields.text(candidate, "finishReason"))
        if fields.text(value, "promptFeedback", "blockReason"):
            draft.stop(FinishReason.FILTER)

    def read_body(self, draft: Draft, value: dict[str, Any]) -> None:
        """Take a whole answer."""
        if not _PARTS.intersection(value):
            raise bad_body(problem="the answer holds no candidate")
        self.read_event(draft, value)


def _version(model: ModelSpec) -> str:
    return model.api_version or DEFAULT_VERSION


def _content(turn: Message) -> dict[str, Any]:
    role = "model" if turn.role == "assistant" else "user"
    return {"role": role, "parts": [{"text": turn.content}]}


def _read_finish(draft: Draft, reason: str) -> None:
    if reason in _FILTERS:
        draft.stop(FinishReason.FILTER)
    elif reason and reason != "FINISH_REASON_UNSPECIFIED":
        draft.stop(_FINISHES.get(reason, FinishReason.OTHER))


def _usage(value: object) -> Usage | None:
    given = fields.count(value, "promptTokenCount")
    if given is None:
        return None
    taken = fields.count(value, "candidatesTokenCount") or 0
    thoughts = fields.count(value, "thoughtsTokenCount") or 0
    cached = fields.count(value, "cachedContentTokenCount") or 0
    return Usage(given, taken + thoughts, cached_input_tokens=min(cached, given))
