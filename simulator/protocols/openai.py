"""OpenAI-compatible chat completions as OpenAI, DeepSeek and the gateway speak it.

The three differ in error bodies, limit headers and how they pass the time; `_STYLES` holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.durations import go_duration
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
from simulator.windows import REQUESTS, TOKENS, Level, Refusal

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_SYSTEM_ROLES = {"system", "developer"}

# kind -> (type, code) of the error object, per vendor
_ERRORS: dict[str, dict[str, tuple[str, str | None]]] = {
    "openai": {
        "bad_key": ("invalid_request_error", "invalid_api_key"),
        "unknown_model": ("invalid_request_error", "model_not_found"),
        "context": ("invalid_request_error", "context_length_exceeded"),
        "invalid": ("invalid_request_error", None),
        "quota": ("insufficient_quota", "insufficient_quota"),
        "balance": ("insufficient_quota", "billing_hard_limit_reached"),
        "no_route": ("invalid_request_error", "unknown_url"),
    },
    "deepseek": {
        "bad_key": ("authentication_error", "invalid_request_error"),
        "unknown_model": ("invalid_request_error", "model_not_found"),
        "context": ("invalid_request_error", "invalid_request_error"),
        "invalid": ("invalid_request_error", "invalid_request_error"),
        "rate": ("rate_limit_error", "rate_limit_reached"),
        "quota": ("insufficient_quota", "insufficient_quota"),
        "balance": ("unknown_error", "invalid_request_error"),
    },
    "holysheep": {
        "bad_key": ("authentication_error", "invalid_api_key"),
        "unknown_model": ("invalid_request_error", "model_not_found"),
        "context": ("invalid_request_error", "context_length_exceeded"),
        "invalid": ("invalid_request_error", None),
        "quota": ("insufficient_quota", "quota_exceeded"),
        "balance": ("insufficient_quota", "insufficient_balance"),
    },
}
_SHARED_ERRORS: dict[str, tuple[str, str | None]] = {
    "content": ("invalid_request_error", "content_policy_violation"),
    "forbidden": ("request_forbidden", "unsupported_country_region_territory"),
    "conflict": ("conflict_error", None),
    "too_large": ("invalid_request_error", "request_too_large"),
    "unprocessable": ("invalid_request_error", "invalid_parameter"),
}
_SLOT = "\x00text\x00"
_SLOT_JSON = quoted(_SLOT)
_SERVER_ERROR = ("server_error", None)


def _limit_headers(levels: Mapping[str, Level]) -> Headers:
    headers: Headers = []
    for dimension in (REQUESTS, TOKENS):
        if level := levels.get(dimension):
            headers += [
                (f"x-ratelimit-limit-{dimension}", str(level.limit)),
                (f"x-ratelimit-remaining-{dimension}", str(level.remaining)),
                (f"x-ratelimit-reset-{dimension}", go_duration(level.full_in_s)),
            ]
    return headers


def _rate_names(refusal: Refusal | None, *, vendor: str) -> tuple[str, str | None]:
    dimension = refusal.dimension if refusal else REQUESTS
    if vendor == "holysheep":
        code = {REQUESTS: "rpm_exceeded", TOKENS: "tpm_exceeded"}.get(dimension)
        return "rate_limit_exceeded", code or "rate_limit_exceeded"
    return dimension if dimension in (REQUESTS, TOKENS) else "requests", "rate_limit_exceeded"


def _error(problem: Problem, *, vendor: str) -> dict[str, Any]:
    names = _ERRORS[vendor].get(problem.kind) or _SHARED_ERRORS.get(problem.kind)
    if names is None:
        is_rate = problem.kind == "rate"
        names = _rate_names(problem.refusal, vendor=vendor) if is_rate else _SERVER_ERROR
    param = "model" if problem.kind == "unknown_model" and vendor == "openai" else None
    body = {"message": problem.message, "type": names[0], "param": param, "code": names[1]}
    return {"error": body}


def _chat_id(exchange: Exchange) -> str:
    return f"chatcmpl-{exchange.row.request_id}"


class OpenAIDialect:
    """Chat completions; see `exchange.Dialect` for what each method promises."""

    def key(self, request: Request) -> str:
        return bearer(request.headers.get("authorization", ""))

    def parse(self, request: Request) -> Ask:
        body = load_object(request.body)
        model, messages = body.get("model"), body.get("messages")
        if not isinstance(model, str) or not model:
            raise invalid("you must provide a model parameter")
        if not isinstance(messages, list) or not messages:
            raise invalid("messages must be a list with at least one message.")
        stream = body.get("stream") is True
        options = body.get("stream_options")
        if options is not None and not stream:
            raise invalid("stream_options is only allowed when stream is enabled.")
        system, question, texts = self._messages(messages)
        sampling = [in_range(body, "temperature", highest=2), in_range(body, "top_p", highest=1)]
        max_tokens = whole_number(body, "max_completion_tokens")
        return Ask(
            model=model,
            system=system,
            question=question,
            prompt_text=texts,
            max_tokens=max_tokens or whole_number(body, "max_tokens"),
            stream=stream,
            sampling=any(sampling),
            include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        )

    def _messages(self, messages: list[Any]) -> tuple[str, str, tuple[str, ...]]:
        system, question, texts = [], "", []
        for message in messages:
            if not isinstance(message, dict) or message.get("role") not in _ROLES:
                raise invalid("each message needs a role of system, user, assistant or tool.")
            text = text_of(message.get("content"), field="content")
            texts.append(text)
            if message["role"] in _SYSTEM_ROLES:
                system.append(text)
            elif message["role"] == "user":
                question = text
        return "\n".join(system), question, tuple(texts)

    def failure(self, failure: Failure) -> Rendered:
        vendor, problem = failure.vendor.name, failure.problem
        headers: Headers = [JSON_TYPE]
        if vendor != "deepseek":
            headers += [("x-request-id", failure.request_id), *_limit_headers(failure.levels)]
            headers += wait_headers(problem, with_ms=vendor == "openai")
        elif problem.telling.retry_after is not None:
            headers += wait_headers(problem)
        return Rendered(problem.status, headers, dump(_error(problem, vendor=vendor)))

    def headers(self, exchange: Exchange) -> Headers:
        if exchange.vendor.name == "deepseek":
            return []
        headers = [("x-request-id", exchange.row.request_id)]
        if exchange.vendor.name == "openai":
            headers.append(("openai-version", "2020-10-01"))
        return headers + _limit_headers(exchange.levels)

    def whole(self, exchange: Exchange) -> bytes:
        reply = exchange.reply
        message: dict[str, Any] = {"role": "assistant", "content": reply.full_text, "refusal": None}
        if reply.finish == "refusal" and exchange.vendor.name == "openai":
            message |= {"content": None, "refusal": reply.full_text}
        choice = {"index": 0, "message": message, "finish_reason": self._finish(exchange)}
        body = self._head(exchange, kind="chat.completion") | {"choices": [choice]}
        if exchange.tells_usage:
            body["usage"] = self._usage(exchange)
        # DeepSeek passes the waiting time with blank lines before the body
        return (b"\n\n" if exchange.vendor.name == "deepseek" else b"") + dump(body)

    def opening(self, exchange: Exchange) -> list[bytes]:
        blocks = [self.idle()] if exchange.vendor.name == "deepseek" else []
        return [*blocks, self._chunk(exchange, delta={"role": "assistant", "content": ""})]

    def piece(self, exchange: Exchange, text: str) -> bytes:
        frame = exchange.frames.get("piece")
        if frame is None:
            refused = exchange.reply.finish == "refusal" and exchange.vendor.name == "openai"
            empty = self._chunk(exchange, delta={"refusal" if refused else "content": _SLOT})
            before, _, after = empty.partition(_SLOT_JSON)
            frame = exchange.frames["piece"] = (before, after)
        return frame[0] + quoted(text) + frame[1]

    def closing(self, exchange: Exchange) -> list[bytes]:
        blocks = [self._chunk(exchange, delta={}, finish=self._finish(exchange))]
        if exchange.ask.include_usage and exchange.tells_usage:
            head = self._head(exchange, kind="chat.completion.chunk")
            blocks.append(self._data(head | {"choices": [], "usage": self._usage(exchange)}))
        return [*blocks, b"data: [DONE]\n\n"]

    def idle(self) -> bytes:
        return b": keep-alive\n\n"

    def broken(self, exchange: Exchange) -> bytes:
        problem = Problem("server", "The server had an error during the answer", status=500)
        return self._data(_error(problem, vendor=exchange.vendor.name))

    def models(self, specs: list[Any]) -> dict[str, Any]:
        data = [{"id": s.id, "object": "model", "created": 0, "owned_by": s.home} for s in specs]
        return {"object": "list", "data": data}

    def _finish(self, exchange: Exchange) -> str:
        if exchange.reply.finish == "refusal":
            return "stop" if exchange.vendor.name == "openai" else "content_filter"
        return exchange.reply.finish

    def _head(self, exchange: Exchange, *, kind: str) -> dict[str, Any]:
        return {
            "id": _chat_id(exchange),
            "object": kind,
            "created": int(exchange.now.timestamp()),
            "model": exchange.model.id,
        }

    def _chunk(
        self, exchange: Exchange, *, delta: dict[str, Any], finish: str | None = None
    ) -> bytes:
        chunk = self._head(exchange, kind="chat.completion.chunk")
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
        if exchange.ask.include_usage:
            chunk["usage"] = None
        return self._data(chunk)

    def _data(self, value: object) -> bytes:
        return b"data: " + dump(value) + b"\n\n"

    def _usage(self, exchange: Exchange) -> dict[str, Any]:
        usage = exchange.told_usage
        body: dict[str, Any] = {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        }
        if exchange.vendor.name == "deepseek":
            body["prompt_cache_hit_tokens"] = usage.cached_tokens
            body["prompt_cache_miss_tokens"] = usage.input_tokens - usage.cached_tokens
        else:
            body["completion_tokens_details"] = {"reasoning_tokens": 0}
        return body
