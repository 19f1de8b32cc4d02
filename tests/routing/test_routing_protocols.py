"""Claims about the three wire protocols: what is sent, and how any answer is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import Kind, TruncatedStream, VendorError
from routing.specs import FinishReason, Reply, Usage, VendorKind
from routing.vendors import vendor_for
from tests.routing.helpers import (
    STREAMS,
    TEXT,
    anthropic_stream,
    chat_chunk,
    chat_stream,
    gemini_stream,
    sse,
)

KINDS = list(VendorKind)


def _read(kind: VendorKind, data: bytes, *, cuts: list[int] | None = None) -> tuple[str, Reply]:
    decoder, shown, start = vendor_for(kind).decoder(), "", 0
    for cut in [*sorted(cuts or []), len(data)]:
        shown += "".join(delta.text for delta in decoder.feed(data[start:cut]))
        start = cut
    reply = decoder.finish()
    return shown, reply


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_an_answer_does_not_depend_on_where_its_bytes_are_cut(
    kind: VendorKind, data: st.DataObject
) -> None:
    """Text, finish reason and usage are the same for every split, within characters too."""
    stream = STREAMS[kind]()
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10))
    shown, reply = _read(kind, stream, cuts=cuts)
    assert shown == reply.text == TEXT
    assert (reply.finish_reason, reply.usage) == (FinishReason.STOP, Usage(30, 12, 8))


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_comes_byte_by_byte_is_whole(kind: VendorKind) -> None:
    """Single bytes give the same answer."""
    stream = STREAMS[kind]()
    assert _read(kind, stream, cuts=list(range(len(stream))))[0] == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_cut_anywhere_is_never_taken_for_complete(kind: VendorKind) -> None:
    """Only a prefix that holds the finish reason is an answer; every shorter one is truncated."""
    stream = STREAMS[kind]()
    marks = {"chat_completions": b'"stop"', "anthropic": b'"end_turn"', "gemini": b'"STOP"'}
    seen_at = stream.index(marks[kind.value])
    for end in range(0, seen_at, 7):
        with pytest.raises(TruncatedStream):
            _read(kind, stream[:end])


def _whole(kind: VendorKind, **change: Any) -> dict[str, Any]:
    if kind is VendorKind.CHAT_COMPLETIONS:
        message = {"role": "assistant", "content": TEXT, "reasoning_content": "secret"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 30, "completion_tokens": 12, "prompt_cache_hit_tokens": 8}
        return {"id": "c", "model": "m-1", "choices": [choice], "usage": usage} | change
    if kind is VendorKind.ANTHROPIC:
        blocks = [{"type": "thinking", "thinking": "secret"}, {"type": "text", "text": TEXT}]
        usage = {"input_tokens": 22, "cache_read_input_tokens": 8, "output_tokens": 12}
        return {
            "type": "message",
            "model": "m-1",
            "content": blocks,
            "stop_reason": "end_turn",
            "usage": usage,
        } | change
    parts = [{"text": "secret", "thought": True}, {"text": TEXT}]
    usage = {"promptTokenCount": 30, "candidatesTokenCount": 12, "cachedContentTokenCount": 8}
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m-1"} | change


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "lead", [b"", b"\n\n \n", b"\xef\xbb\xbf"], ids=["plain", "blank lines", "BOM"]
)
def test_json_is_read_where_a_stream_was_asked_for(kind: VendorKind, lead: bytes) -> None:
    """A whole JSON body is the same answer, byte by byte too, and thoughts stay hidden."""
    body = lead + json.dumps(_whole(kind)).encode()
    _, reply = _read(kind, body, cuts=list(range(len(body))))
    assert (reply.text, reply.usage) == (TEXT, Usage(30, 12, 8))
    assert vendor_for(kind).parse(body) == reply


def test_gemini_s_list_of_answers_is_one_answer() -> None:
    """A stream that came as one JSON list is read as its parts in order."""
    first = {"candidates": [{"content": {"parts": [{"text": "one "}]}}]}
    last = {"candidates": [{"content": {"parts": [{"text": "two"}]}, "finishReason": "STOP"}]}
    body = json.dumps([first, last]).encode()
    assert vendor_for(VendorKind.GEMINI).parse(body).text == "one two"


BAD_BODIES: dict[str, bytes] = {
    "a web page": b"<html>sorry</html>",
    "half a JSON": b'{"choices": [',
    "a number": b"[4]",
    "an empty object": b"{}",
    "nested deeply": b"[" * 100_000,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_what_is_no_answer_is_a_bad_body(kind: VendorKind, body: bytes) -> None:
    """Web pages, broken JSON and answers without content are told apart from answers."""
    with pytest.raises(VendorError) as caught:
        _read(kind, body)
    assert caught.value.verdict.kind is Kind.BAD_BODY


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_event_is_a_bad_body(kind: VendorKind) -> None:
    """An event that is not JSON ends the answer."""
    with pytest.raises(VendorError) as caught:
        _read(kind, b"data: {{\n\n")
    assert caught.value.verdict.kind is Kind.BAD_BODY


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (
            VendorKind.CHAT_COMPLETIONS,
            {"error": {"type": "server_error", "message": "no"}},
            Kind.SERVER,
        ),
        (
            VendorKind.CHAT_COMPLETIONS,
            chat_chunk(finish="insufficient_system_resource"),
            Kind.SERVER,
        ),
        (
            VendorKind.ANTHROPIC,
            {"type": "error", "error": {"type": "overloaded_error"}},
            Kind.OVERLOADED,
        ),
        (VendorKind.ANTHROPIC, {"type": "error"}, Kind.SERVER),
        (VendorKind.GEMINI, {"error": {"code": 503, "status": "UNAVAILABLE"}}, Kind.SERVER),
    ],
)
def test_an_error_inside_an_answer_is_classified(
    kind: VendorKind, value: dict[str, Any], expected: Kind
) -> None:
    """A stream that turns into an error raises it, by its own type and not by the status 200."""
    with pytest.raises(VendorError) as caught:
        _read(kind, sse(value))
    assert caught.value.verdict.kind is expected


@pytest.mark.parametrize(
    ("kind", "reason", "finish"),
    [
        (VendorKind.CHAT_COMPLETIONS, "length", FinishReason.LENGTH),
        (VendorKind.CHAT_COMPLETIONS, "content_filter", FinishReason.FILTER),
        (VendorKind.CHAT_COMPLETIONS, "tool_calls", FinishReason.OTHER),
        (VendorKind.ANTHROPIC, "max_tokens", FinishReason.LENGTH),
        (VendorKind.ANTHROPIC, "stop_sequence", FinishReason.STOP),
        (VendorKind.ANTHROPIC, "refusal", FinishReason.REFUSAL),
        (VendorKind.ANTHROPIC, "pause_turn", FinishReason.OTHER),
        (VendorKind.GEMINI, "MAX_TOKENS", FinishReason.LENGTH),
        (VendorKind.GEMINI, "SAFETY", FinishReason.FILTER),
        (VendorKind.GEMINI, "ESCALATION", FinishReason.OTHER),
    ],
)
def test_each_way_to_stop_has_its_name(kind: VendorKind, reason: str, finish: FinishReason) -> None:
    """Only a plain stop is STOP; reasons that nobody has heard of are OTHER."""
    marks = {"chat_completions": b'"stop"', "anthropic": b'"end_turn"', "gemini": b'"STOP"'}
    stream = STREAMS[kind]().replace(marks[kind.value], f'"{reason}"'.encode())
    assert _read(kind, stream)[1].finish_reason is finish


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    """Gemini's block reason without any candidate is an answer that says nothing."""
    reply = _read(VendorKind.GEMINI, sse({"promptFeedback": {"blockReason": "SAFETY"}}))[1]
    assert (reply.text, reply.finish_reason) == ("", FinishReason.FILTER)


def test_a_refusal_is_not_shown() -> None:
    """A refusal of a chat completion shows no text and is no plain stop."""
    chunk = {"choices": [{"delta": {"refusal": "I will not"}}]}
    shown, reply = _read(VendorKind.CHAT_COMPLETIONS, sse(chunk, chat_chunk(finish="stop")))
    assert (shown, reply.finish_reason) == ("", FinishReason.REFUSAL)


def test_reasoning_is_never_shown() -> None:
    """DeepSeek's reasoning beside the content stays hidden."""
    chunk = {"choices": [{"delta": {"reasoning_content": "secret", "content": None}}]}
    shown, _ = _read(VendorKind.CHAT_COMPLETIONS, sse(chunk) + chat_stream())
    assert shown == TEXT


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        ({"prompt_tokens": -5, "completion_tokens": 3}, None),
        ({"prompt_tokens": 10**15, "completion_tokens": 3}, None),
        ({"prompt_tokens": "10", "completion_tokens": 3}, None),
        ({"prompt_tokens": True, "completion_tokens": 3}, None),
        (
            {"prompt_tokens": 5, "completion_tokens": 3, "prompt_cache_hit_tokens": 90},
            Usage(5, 3, 5),
        ),
    ],
)
def test_usage_that_cannot_be_true_is_none(usage: object, expected: Usage | None) -> None:
    """Missing, negative, absurd or mistyped figures are no usage; cached ones stay within input."""
    stream = sse(chat_chunk("x", finish="stop", usage=usage), "[DONE]")
    assert _read(VendorKind.CHAT_COMPLETIONS, stream)[1].usage == expected


def test_usage_on_a_chunk_with_a_choice_counts() -> None:
    """Gateways put the usage on a chunk that still has a choice; the last figures count."""
    first = {"prompt_tokens": 1, "completion_tokens": 1}
    last = {"prompt_tokens": 9, "completion_tokens": 2}
    stream = sse(chat_chunk("x", usage=first), chat_chunk(finish="stop", usage=last))
    assert _read(VendorKind.CHAT_COMPLETIONS, stream)[1].usage == Usage(9, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_names_its_model(kind: VendorKind) -> None:
    """The reply carries the model that the vendor says it used, and the vendor's own id."""
    named = {
        VendorKind.CHAT_COMPLETIONS: ("m-1-2026-01-01", "c-1"),
        VendorKind.ANTHROPIC: ("m-1", "msg-1"),
        VendorKind.GEMINI: ("m-1", "r-1"),
    }
    reply = _read(kind, STREAMS[kind]())[1]
    assert (reply.model, reply.request_id) == named[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_fit_to_be_stored(kind: VendorKind) -> None:
    """A character whose halves come apart is joined; lone halves and NUL do not get through."""
    stream = (
        STREAMS[kind]("ab").replace(b'"a"', rb'"\ud83d"').replace(b'"b"', rb'"\ude9a\u0000\ud800x"')
    )
    assert _read(kind, stream)[0] == "\U0001f69a\ufffdx"


def test_all_line_ends_are_tried() -> None:
    """The three sample streams use different line ends and forms of `data:`."""
    assert b"data: " in chat_stream()
    assert b"data:{" in anthropic_stream()
    assert b"\r\n\r\n" in gemini_stream()
