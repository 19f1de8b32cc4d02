"""Answers as they come over the wire: by protocol, with all that vendors and gateways do to them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from routing.errors import Kind
from routing.specs import FinishReason, Usage, VendorKind
from tests.routing.helpers import (
    CHAT_USAGE,
    STREAMS,
    TEXT,
    anthropic_stream,
    chat_chunk,
    chat_stream,
    gemini_stream,
    sse,
)

CHAT, MESSAGES, GEMINI = VendorKind.CHAT_COMPLETIONS, VendorKind.ANTHROPIC, VendorKind.GEMINI
USAGE = Usage(30, 12, 8)
# What some readers take for the end of a line, as it is and escaped.
SEPARATORS = "a\u0085b\u2028c\u2029d\x0be\x0cf\x1cg\r\nh\ni"


@dataclass(frozen=True, slots=True)
class Transcript:
    """Bytes of one answer and what must be made of them: a finish reason, or a failure.

    `text` is what was shown, before a failure too.
    """

    name: str
    kind: VendorKind
    data: bytes
    text: str = TEXT
    finish: FinishReason | None = FinishReason.STOP
    usage: Usage | None = USAGE
    failure: Kind | None = None


def _failing(name: str, kind: VendorKind, data: bytes, failure: Kind, text: str = "") -> Transcript:
    return Transcript(name, kind, data, text, finish=None, usage=None, failure=failure)


def _lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _chat(text: str, **more: object) -> dict[str, object]:
    choice = {"index": 0, "message": {"content": text}, "finish_reason": "stop"} | more
    return {"id": "c", "model": "m", "choices": [choice], "usage": CHAT_USAGE}


_MESSAGE = {
    "type": "message",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "secret"},
        {"type": "redacted_thinking", "data": "secret"},
        {"type": "text", "text": TEXT},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 22, "cache_read_input_tokens": 8, "output_tokens": 12},
}
_GEMINI_USAGE = {
    "promptTokenCount": 30,
    "candidatesTokenCount": 8,
    "thoughtsTokenCount": 4,
    "cachedContentTokenCount": 8,
}
_PARTS = [{"text": "secret", "thought": True}, {"text": TEXT}]
_LIST = [
    {"candidates": [{"content": {"parts": _PARTS}}]},
    {"candidates": [{"finishReason": "STOP"}]},
    {"usageMetadata": _GEMINI_USAGE},
]
_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "words"}}
_GEMINI_503 = {"error": {"code": 503, "message": "words", "status": "UNAVAILABLE"}}


def _every_line_end() -> list[Transcript]:
    ends = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
    return [
        Transcript(f"{kind.value}, {name}", kind, _lf(make()).replace(b"\n", end))
        for kind, make in STREAMS.items()
        for name, end in ends.items()
    ]


def _every_disguise() -> list[Transcript]:
    found = []
    for kind, make in STREAMS.items():
        data = _lf(make())
        changes = {
            "a BOM": b"\xef\xbb\xbf" + data,
            "blank lines first": b"\n\n \n" + data,
            "no blank after the colon": data.replace(b"\ndata: ", b"\ndata:"),
            "empty events": data.replace(b"\n\n", b"\n\ndata:\n\ndata: \n\nevent: x\n\n"),
            "comments": data.replace(b"\n\n", b"\n\n: keep-alive\n\n:\n:: \n\n"),
            "unknown fields": data.replace(b"\n\n", b"\nid: 7\nretry: 10\nnovelty: {\n\n"),
            "no blank line at the end": data.rstrip(b"\n"),
            "data in several lines": data.replace(b'", "', b'",\ndata: "'),
            "DONE everywhere": data + sse("[DONE]", "[DONE]"),
        }
        found += [Transcript(f"{kind.value}, {name}", kind, made) for name, made in changes.items()]
    return found


TRANSCRIPTS: list[Transcript] = [
    *_every_line_end(),
    *_every_disguise(),
    Transcript("chat, separators in the text", CHAT, chat_stream(SEPARATORS), SEPARATORS),
    Transcript("gemini, separators in the text", GEMINI, gemini_stream(SEPARATORS), SEPARATORS),
    Transcript("chat, without DONE", CHAT, chat_stream().replace(b"data: [DONE]\n\n", b"")),
    Transcript(
        "chat, usage on a chunk with a choice, the last counts",
        CHAT,
        sse(
            chat_chunk(TEXT, usage={"prompt_tokens": 1, "completion_tokens": 1}),
            chat_chunk(finish="stop"),
            {"choices": [{"index": 0, "delta": {}}], "usage": CHAT_USAGE | {"cost": 0.1}},
            "[DONE]",
        ),
    ),
    Transcript(
        "chat, the finish told three times",
        CHAT,
        sse(chat_chunk(TEXT), *[chat_chunk(finish="stop", usage=CHAT_USAGE)] * 3, "[DONE]"),
    ),
    Transcript(
        "chat, a plain stop after a worse one",
        CHAT,
        sse(chat_chunk(TEXT, finish="length"), chat_chunk(finish="stop", usage=CHAT_USAGE)),
        finish=FinishReason.LENGTH,
    ),
    Transcript(
        "chat, reasoning beside and inside the content",
        CHAT,
        sse(
            {"choices": [{"delta": {"reasoning_content": "secret", "content": None}}]},
            {"choices": [{"delta": {"reasoning": "secret", "content": ""}}]},
            {"choices": [{"delta": {"content": [{"type": "reasoning", "text": "secret"}]}}]},
            {"choices": [{"delta": {"content": [{"type": "text", "text": TEXT}]}}]},
            chat_chunk(finish="stop", usage=CHAT_USAGE),
        ),
    ),
    Transcript(
        "chat, no usage", CHAT, sse(chat_chunk(TEXT), chat_chunk(finish="stop")), usage=None
    ),
    Transcript("chat, JSON", CHAT, b"\n\n" + _json(_chat(TEXT))),
    Transcript(
        "chat, JSON with a BOM after blank lines", CHAT, b"\n\xef\xbb\xbf" + _json(_chat(TEXT))
    ),
    Transcript("chat, JSON in a list", CHAT, _json([_chat(TEXT)])),
    Transcript(
        "chat, events that are lists",
        CHAT,
        sse(
            *([chunk] for chunk in (chat_chunk(TEXT), chat_chunk(finish="stop", usage=CHAT_USAGE)))
        ),
    ),
    Transcript("messages, JSON", MESSAGES, _json(_MESSAGE)),
    Transcript("messages, a whole message as an event", MESSAGES, sse(_MESSAGE)),
    Transcript(
        "messages, the end told twice", MESSAGES, anthropic_stream() + anthropic_stream("")[-400:]
    ),
    Transcript("gemini, a JSON list", GEMINI, _json(_LIST)),
    Transcript("gemini, usage after the end", GEMINI, sse(*_LIST)),
    Transcript(
        "gemini, blocked",
        GEMINI,
        sse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": _GEMINI_USAGE}),
        text="",
        finish=FinishReason.FILTER,
    ),
    # What is no answer
    *(
        _failing(
            f"{kind.value}, cut before its end",
            kind,
            data[: data.index(mark)],
            Kind.TRUNCATED,
            TEXT,
        )
        for kind, data, mark in (
            (CHAT, sse(chat_chunk(TEXT)) + b"data: mark", b"data: mark"),
            (MESSAGES, anthropic_stream(), b"event: message_delta"),
            (GEMINI, gemini_stream().replace(b', "finishReason": "STOP"', b"") + b"mark", b"mark"),
        )
    ),
    _failing("chat, only DONE", CHAT, sse("[DONE]"), Kind.TRUNCATED),
    _failing("chat, nothing", CHAT, b"", Kind.TRUNCATED),
    _failing(
        "chat, a broken event after text",
        CHAT,
        sse(chat_chunk("one")) + b"data: {{\n\n",
        Kind.BAD_BODY,
        "one",
    ),
    _failing(
        "chat, an error after text",
        CHAT,
        sse(chat_chunk("one"), {"error": {"code": 429}}, chat_chunk("two")),
        Kind.RATE,
        "one",
    ),
    _failing(
        "chat, an error in a list",
        CHAT,
        sse(chat_chunk("one"), [{"error": {"code": "500"}}]),
        Kind.SERVER,
        "one",
    ),
    _failing("chat, bare words", CHAT, sse({"error": "boom"}), Kind.SERVER),
    _failing(
        "chat, out of resources",
        CHAT,
        sse(chat_chunk("one", finish="insufficient_system_resource")),
        Kind.SERVER,
        "one",
    ),
    _failing(
        "chat, ended by an error", CHAT, sse(chat_chunk("one", finish="error")), Kind.SERVER, "one"
    ),
    _failing(
        "messages, an error after text",
        MESSAGES,
        sse(
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "one"}},
            _OVERLOADED,
        ),
        Kind.OVERLOADED,
        "one",
    ),
    _failing("gemini, an error after text", GEMINI, sse(_LIST[0], _GEMINI_503), Kind.SERVER, TEXT),
    _failing(
        "gemini, plain JSON after text",
        GEMINI,
        sse(_LIST[0]) + json.dumps(_GEMINI_503, indent=2).encode(),
        Kind.SERVER,
        TEXT,
    ),
    _failing("gemini, JSON list with an error", GEMINI, _json([_GEMINI_503]), Kind.SERVER),
    _failing("a web page", MESSAGES, b" \r\n<html>sorry</html>", Kind.BAD_BODY),
    _failing("half a JSON", MESSAGES, b'{"type": "message", "content": [', Kind.BAD_BODY),
]
