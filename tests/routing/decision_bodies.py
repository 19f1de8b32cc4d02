"""Errors in the words of each protocol, and as proxies in front of them say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from routing.specs import VendorKind
from tests.routing.helpers import chat_chunk, sse
from tests.routing.scripted import Play, opening, refusing, streaming

CHAT, MESSAGES, GEMINI = VendorKind.CHAT_COMPLETIONS, VendorKind.ANTHROPIC, VendorKind.GEMINI
PAGE = b"<html><body>upstream error</body></html>"
Body = object | bytes


def openai(kind: str | None, code: object = None) -> object:
    """An error as chat completions word it."""
    return {"error": {"message": "words", "type": kind, "param": None, "code": code}}


def anthropic(kind: str, code: str = "") -> object:
    """An error as Anthropic words it."""
    error: dict[str, object] = {"type": kind, "message": "words"}
    return {"type": "error", "error": error | ({"details": {"error_code": code}} if code else {})}


def gemini(code: int, status: str, *details: object) -> object:
    """An error as Gemini words it."""
    return {"error": {"code": code, "message": "words", "status": status, "details": list(details)}}


def reason(word: str) -> object:
    """Gemini's detail that names a reason."""
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": word}


def violated(quota_id: str, value: object = "10") -> object:
    """Gemini's detail that names a quota."""
    violation = {"quotaId": quota_id, "quotaValue": value}
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}


def delay(value: str) -> object:
    """Gemini's detail that names a wait."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": value}


def told(
    status: int, chat: Body, messages: Body, native: Body, headers: Mapping[str, str] | None = None
) -> Callable[[VendorKind], Play]:
    """The same status with each protocol's own body."""
    bodies = {CHAT: chat, MESSAGES: messages, GEMINI: native}
    return lambda kind: refusing(status, bodies[kind], headers)


def bare(
    status: int, body: Body = b"", headers: Mapping[str, str] | None = None
) -> Callable[[VendorKind], Play]:
    """The same answer whatever the protocol, as a proxy in front would give it."""
    return lambda kind: refusing(status, body, headers)


def begun(*, text: str = "Half an", then: str = "end", more: bytes = b"") -> Callable[..., Play]:
    """A stream that does not reach its end."""
    return lambda kind: streaming(opening(kind, text=text) + more, then=then)


def empty(kind: VendorKind) -> Play:
    """A complete answer without a word in it."""
    whole = {
        CHAT: sse(chat_chunk("", finish="stop")),
        MESSAGES: sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        GEMINI: sse({"candidates": [{"finishReason": "STOP"}]}),
    }
    return streaming(whole[kind])


def no_choices(kind: VendorKind) -> Play:
    body = {CHAT: {"choices": []}, MESSAGES: {"type": "message"}, GEMINI: {"modelVersion": "m"}}
    return refusing(200, body[kind])


def in_stream(chat: Body, messages: Body, native: Body) -> Callable[[VendorKind], Play]:
    """An error in the middle of an answer that had begun with 200."""
    bodies = {CHAT: chat, MESSAGES: messages, GEMINI: native}
    return lambda kind: streaming(opening(kind) + sse(bodies[kind]))


INVALID = told(
    400,
    openai("invalid_request_error", "unsupported_parameter"),
    anthropic("invalid_request_error"),
    gemini(400, "INVALID_ARGUMENT"),
)
TOO_LONG = bare(400, openai("invalid_request_error", "context_length_exceeded"))
UNWANTED = bare(400, openai("invalid_request_error", "content_policy_violation"))


def rate(headers: Mapping[str, str] | None = None, *details: object) -> Callable[..., Play]:
    return told(
        429,
        openai("requests", "rate_limit_exceeded"),
        anthropic("rate_limit_error"),
        gemini(429, "RESOURCE_EXHAUSTED", violated("RequestsPerMinutePerProject"), *details),
        headers,
    )


def quota(chat: object, messages: object, *details: object) -> Callable[[VendorKind], Play]:
    return told(429, chat, messages, gemini(429, "RESOURCE_EXHAUSTED", *details))


def plain(
    status: int, name: str, *, headers: Mapping[str, str] | None = None
) -> Callable[..., Play]:
    anthropic_names = {
        500: "api_error",
        503: "api_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    return told(
        status,
        openai("server_error"),
        anthropic(anthropic_names[status]),
        gemini(status, name),
        headers,
    )
