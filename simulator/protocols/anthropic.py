"""Anthropic Messages, versions 2023-06-01 and 2026-10-21.

The later version refuses sampling parameters. Both accept `x-api-key` and a Bearer key; if both
are sent, `x-api-key` counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from simulator.durations import rfc3339
from simulator.exchange import Ask, Exchange, Failure, Headers, Problem, Rendered, Request
from simulator.protocols.common import (
    JSON_TYPE,
    bearer,
    dump,
    in_range,
    invalid,
    load_object,
    quoted,
    text_of,
    wait_headers,
    whole_number,
)
from simulator.windows import INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS, TOKENS, Level

_VERSIONS = {"2023-06-01", "2026-10-21"}
_NO_SAMPLING_VERSIONS = {"2026-10-21"}
_SAMPLING = ("temperature", "top_p", "top_k")
_ERROR_TYPES = {
    "bad_key": "authentication_error",
    "balance": "billing_error",
    "unknown_model": "not_found_error",
    "no_route": "not_found_error",
    "invalid": "invalid_request_error",
    "context": "invalid_request_error",
    "rate": "rate_limit_error",
    "quota": "rate_limit_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "forbidden": "permission_error",
    "conflict": "conflict_error",
    "too_large": "request_too_large",
    "unprocessable": "invalid_request_error",
    "content": "invalid_request_error",
}
_SPEND_LIMIT_CODE = "enforced_spend_limit_reached"
_RAMP, _RAMP_CODE = "ramp", "ramp_limit_exceeded"
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}
_LIMIT_NAMES = {
    REQUESTS: "requests",
    TOKENS: "tokens",
    INPUT_TOKENS: "input-tokens",
    OUTPUT_TOKENS: "output-tokens",
}


def _limit_headers(levels: Mapping[str, Level], *, now: datetime) -> Headers:
    headers: Headers = []
    for dimension, name in _LIMIT_NAMES.items():
        if level := levels.get(dimension):
            reset = now + timedelta(seconds=level.full_in_s)
            headers += [
                (f"anthropic-ratelimit-{name}-limit", str(level.limit)),
                (f"anthropic-ratelimit-{name}-remaining", str(level.remaining)),
                (f"anthropic-ratelimit-{name}-reset", rfc3339(reset)),
            ]
    return headers


def _error_code(problem: Problem) -> str | None:
    if problem.kind == "quota":
        return _SPEND_LIMIT_CODE
    is_ramp = problem.refusal is not None and problem.refusal.dimension == _RAMP
    return _RAMP_CODE if is_ramp else None


def _error(problem: Problem, *, request_id: str) -> dict[str, Any]:
    error: dict[str, Any] = {
        "type": _ERROR_TYPES.get(problem.kind, "api_error"),
        "message": problem.message,
    }
    if code := _error_code(problem):
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": request_id}


def _event(name: str, **fields: object) -> bytes:
    data = dump({"type": name} | fields)
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


_DELTA_START, _, _DELTA_END = _event(
    "content_block_delta", index=0, delta={"type": "text_delta", "text": "TEXT"}
).partition(b'"TEXT"')


def _request_id(request_id: str) -> str:
    return f"req_{request_id}"


class AnthropicDialect:
    """Messages; see `exchange.Dialect` for what each method promises."""

    def key(self, request: Request) -> str:
        own = request.headers.get("x-api-key", "")
        return own or bearer(request.headers.get("authorization", ""))

    def parse(self, request: Request) -> Ask:
        version = request.headers.get("anthropic-version")
        if version is None:
            raise invalid("anthropic-version: header is required")
        if version not in _VERSIONS:
            raise invalid(f"anthropic-version: {version} is not a valid version")
        body = load_object(request.body)
        if not isinstance(body.get("model"), str) or not body["model"]:
            raise invalid("model: Field required")
        max_tokens = whole_number(body, "max_tokens")
        if max_tokens is None:
            raise invalid("max_tokens: Field required")
        given = [name for name in _SAMPLING if body.get(name) is not None]
        if given and version in _NO_SAMPLING_VERSIONS:
            raise invalid(f"{given[0]}: not supported by anthropic-version {version}")
        in_range(body, "temperature", highest=1)
        system = text_of(body.get("system") or "", field="system")
        question, texts = self._messages(body.get("messages"))
        return Ask(
            model=body["model"],
            system=system,
            question=question,
            prompt_text=(system, *texts),
            max_tokens=max_tokens,
            stream=body.get("stream") is True,
            sampling=bool(given),
        )

    def _messages(self, messages: object) -> tuple[str, list[str]]:
        if not isinstance(messages, list) or not messages:
            raise invalid("messages: at least one message is required")
        question, texts = "", []
        for place, message in enumerate(messages):
            role = message.get("role") if isinstance(message, dict) else None
            if role not in ("user", "assistant"):
                raise invalid(f"messages.{place}.role: must be user or assistant")
            if place == 0 and role != "user":
                raise invalid("messages: first message must use the user role")
            text = text_of(message.get("content"), field=f"messages.{place}.content")
            texts.append(text)
            if role == "user":
                question = text
        return question, texts

    def failure(self, failure: Failure) -> Rendered:
        problem, request_id = failure.problem, _request_id(failure.request_id)
        headers = [JSON_TYPE, ("request-id", request_id)]
        headers += _limit_headers(failure.levels, now=failure.now)
        headers += wait_headers(problem)
        return Rendered(problem.status, headers, dump(_error(problem, request_id=request_id)))

    def headers(self, exchange: Exchange) -> Headers:
        limits = _limit_headers(exchange.levels, now=exchange.now)
        return [("request-id", _request_id(exchange.row.request_id)), *limits]

    def whole(self, exchange: Exchange) -> bytes:
        text = exchange.reply.full_text
        message = self._message(exchange)
        message["content"] = [{"type": "text", "text": text}] if text else []
        message |= self._stop(exchange)
        if exchange.tells_usage:
            told_tokens = exchange.told_usage.output_tokens
            message["usage"] = self._usage(exchange, output_tokens=told_tokens)
        return dump(message)

    def opening(self, exchange: Exchange) -> list[bytes]:
        message = self._message(exchange)
        if exchange.tells_usage:
            message["usage"] = self._usage(exchange, output_tokens=1)
        block = {"type": "text", "text": ""}
        return [
            _event("message_start", message=message),
            _event("content_block_start", index=0, content_block=block),
            _event("ping"),
        ]

    def piece(self, exchange: Exchange, text: str) -> bytes:
        return _DELTA_START + quoted(text) + _DELTA_END

    def closing(self, exchange: Exchange) -> list[bytes]:
        fields: dict[str, Any] = {"delta": self._stop(exchange)}
        if exchange.tells_usage:
            fields["usage"] = {"output_tokens": exchange.told_usage.output_tokens}
        return [
            _event("content_block_stop", index=0),
            _event("message_delta", **fields),
            _event("message_stop"),
        ]

    def idle(self) -> bytes:
        return _event("ping")

    def broken(self, exchange: Exchange) -> bytes:
        problem = Problem("overloaded", "Overloaded", status=529)
        error = _error(problem, request_id=_request_id(exchange.row.request_id))
        return b"event: error\ndata: " + dump(error) + b"\n\n"

    def models(self, specs: list[Any]) -> dict[str, Any]:
        data = [
            {
                "type": "model",
                "id": spec.id,
                "display_name": spec.id,
                "created_at": "2025-01-01T00:00:00Z",
            }
            for spec in specs
        ]
        ends = {
            "first_id": specs[0].id if specs else None,
            "last_id": specs[-1].id if specs else None,
        }
        return {"data": data, "has_more": False} | ends

    def _message(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "id": f"msg_{exchange.row.request_id}",
            "type": "message",
            "role": "assistant",
            "model": exchange.model.id,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _stop(self, exchange: Exchange) -> dict[str, Any]:
        reason = _STOP_REASONS[exchange.reply.finish]
        stop: dict[str, Any] = {"stop_reason": reason, "stop_sequence": None}
        if reason == "refusal":
            stop["stop_details"] = {"type": "refusal", "category": "general_harms"}
        return stop

    def _usage(self, exchange: Exchange, *, output_tokens: int) -> dict[str, int]:
        usage = exchange.told_usage
        return {
            "input_tokens": usage.input_tokens - usage.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": usage.cached_tokens,
            "output_tokens": output_tokens,
        }
