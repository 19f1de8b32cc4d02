"""Claims about details of the wire that the official packages hide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.catalog import VENDORS
from simulator.clock import ManualClock
from simulator.config import Config
from simulator.direct import Answer, ask, call, vendor_request
from simulator.server import App, create_app

QUESTION = "How long do refunds take?"
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": QUESTION}]}
MESSAGE = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": QUESTION}],
}
BEARER = {"authorization": "Bearer k"}
OLD = {"anthropic-version": "2023-06-01", "x-api-key": "k"}
NEW = {"anthropic-version": "2026-10-21", "authorization": "Bearer k"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/chat/completions",
        "/openai/v1/chat/completions",
        "/openai/chat/completions",
        "/holysheep/v1/chat/completions",
    ],
)
def test_chat_answers_on_every_path(path: str, app: App) -> None:
    """Prefix and version are optional."""
    assert call(app, path, body=CHAT, headers=BEARER).status == 200


@pytest.mark.parametrize(
    ("path", "model", "vendor"),
    [
        ("/chat/completions", "deepseek-flash", "deepseek"),
        ("/v1/chat/completions", "deepseek-v3.2", "holysheep"),
        ("/v1/chat/completions", "gpt-4.1", "openai"),
        ("/v1/chat/completions", "no-such-model", "openai"),
        ("/v1/chat/completions", "claude-sonnet-5-5", "openai"),
    ],
)
def test_without_a_prefix_the_model_decides(path: str, model: str, vendor: str, app: App) -> None:
    """The vendor is the home of the model, or OpenAI."""
    call(app, path, body=CHAT | {"model": model}, headers=BEARER)
    assert [row["vendor"] for row in call(app, "/bill").json()["rows"]] == [vendor]


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/deepseek/v1/messages", "POST"),
        ("/anthropic/v1/chat/completions", "POST"),
        ("/openai/v1/usage", "GET"),
        ("/openai/v1/chat/completions", "GET"),
        ("/nowhere", "GET"),
    ],
)
def test_other_paths_are_not_found(path: str, method: str, app: App) -> None:
    """A protocol a vendor does not speak is a 404, as is anything else."""
    assert call(app, path, method=method, body={}, headers=BEARER).status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"model": "gpt-9"}, 404),
        ({"model": None}, 400),
        ({"messages": []}, 400),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400),
        ({"messages": [{"role": "user", "content": 5}]}, 400),
        ({"temperature": 3}, 400),
        ({"max_tokens": 0}, 400),
        ({"stream_options": {"include_usage": True}}, 400),
        ({"max_tokens": 2_000_000}, 400),
    ],
    ids=["model", "no-model", "empty", "role", "content", "heat", "zero", "options", "context"],
)
def test_openai_refuses_wrong_requests(change: dict[str, Any], code: int, app: App) -> None:
    """Each wrong field is an error object with the status OpenAI gives."""
    answer = call(app, "/openai/v1/chat/completions", body=CHAT | change, headers=BEARER)
    assert answer.status == code and set(answer.json()["error"]) == {
        "message",
        "type",
        "param",
        "code",
    }


def test_openai_sends_usage_only_when_asked(app: App) -> None:
    """Without include_usage no chunk mentions usage, and the stream ends with DONE."""
    body = CHAT | {"stream": True}
    answer = call(app, "/openai/v1/chat/completions", body=body, headers=BEARER)
    assert b"usage" not in answer.body and answer.body.endswith(b"data: [DONE]\n\n")


def test_openai_chunks_before_the_last_have_null_usage(app: App) -> None:
    """With include_usage every chunk has the field, null but for the last one without choices."""
    answer = ask(app, "openai", model="gpt-4.1", question=QUESTION, stream=True)
    lines = [x for x in answer.body.decode().split("\n\n") if x.startswith("data: {")]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["prompt_tokens"] > 0


def test_deepseek_passes_the_time_as_it_does(app: App) -> None:
    """Streams begin with a comment, whole answers with blank lines."""
    request: dict[str, Any] = {"model": "deepseek-flash", "question": QUESTION}
    stream = ask(app, "deepseek", stream=True, **request)
    whole = ask(app, "deepseek", **request)
    assert stream.body.startswith(b": keep-alive\n\n") and whole.body.startswith(b"\n\n{")


def _anthropic(app: App, change: dict[str, Any], headers: dict[str, str]) -> Answer:
    body = {k: v for k, v in (MESSAGE | change).items() if v is not None}
    return call(app, "/anthropic/v1/messages", body=body, headers=headers)


@pytest.mark.parametrize(
    ("change", "headers", "status"),
    [
        ({}, OLD, 200),
        ({}, NEW, 200),
        ({"temperature": 1.0}, OLD, 200),
        ({"temperature": 1.0}, NEW, 400),
        ({"top_p": 0.9}, NEW, 400),
        ({"top_k": 5}, NEW, 400),
        ({"temperature": 0.2, "model": "claude-sonnet-5-5"}, OLD, 400),
        ({"max_tokens": None}, OLD, 400),
        ({}, {"x-api-key": "k"}, 400),
        ({}, {"x-api-key": "k", "anthropic-version": "2020-01-01"}, 400),
        ({"messages": [{"role": "system", "content": "x"}]}, OLD, 400),
        ({"messages": [{"role": "assistant", "content": "x"}]}, OLD, 400),
        ({"model": "claude-9"}, OLD, 404),
        ({}, {"anthropic-version": "2023-06-01"}, 401),
        ({}, OLD | {"x-api-key": "bad", "authorization": "Bearer good"}, 401),
    ],
    ids=[
        "old",
        "new",
        "old-temperature",
        "new-temperature",
        "new-top-p",
        "new-top-k",
        "fifth-generation",
        "no-max-tokens",
        "no-version",
        "wrong-version",
        "system-role",
        "assistant-first",
        "unknown-model",
        "no-key",
        "own-key-header-wins",
    ],
)
def test_anthropic_accepts_and_refuses_by_version(
    change: dict[str, Any], headers: dict[str, str], status: int, app: App
) -> None:
    """Both versions answer; the later one and later models take no sampling parameters."""
    answer = _anthropic(app, change, headers)
    assert (answer.status, answer.json()["type"]) == (
        status,
        "message" if status == 200 else "error",
    )
    assert answer.headers["request-id"].startswith("req_")


def test_anthropic_events_come_in_order(app: App, system: str) -> None:
    """A stream starts with message_start and a ping, and ends with message_stop."""
    answer = ask(
        app,
        "anthropic",
        model="claude-sonnet-5-5",
        question=QUESTION,
        system=system,
        stream=True,
    )
    names = [x[7:] for x in answer.body.decode().split("\n") if x.startswith("event: ")]
    deltas = [name for name in names if name == "content_block_delta"]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert names[3:-3] == deltas and deltas


def test_gemini_streams_with_crlf_and_a_list_without_sse(app: App) -> None:
    """With alt=sse blocks end in CRLF; without it the answer is one JSON list."""
    model = "gemini-3.5-flash-lite"
    _, body, headers = vendor_request("gemini", model=model, question=QUESTION)
    path = f"/gemini/v1/models/{model}:streamGenerateContent"
    stream = call(app, path + "?alt=sse", body=body, headers=headers)
    listed = call(app, path, body=body, headers=headers).json()
    assert all(b.startswith(b"data: {") and b.endswith(b"}\r\n\r\n") for b in stream.blocks)
    assert listed[0]["candidates"][0]["finishReason"] == "STOP"


def test_gemini_thinking_eats_of_the_tokens_allowed(app: App) -> None:
    """With few tokens a thinking model has no text left; with thinking off it has."""
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    body: dict[str, Any] = {"contents": [{"parts": [{"text": QUESTION}]}]}
    texts = []
    for thinking in ({}, {"thinkingConfig": {"thinkingBudget": 0}}):
        settings = {"generationConfig": {"maxOutputTokens": 40} | thinking}
        answer = call(app, path, body=body | settings, headers={"x-goog-api-key": "k"}).json()
        texts.append("parts" in answer["candidates"][0]["content"])
    assert texts == [False, True]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"], ids=["cut", "list", "not-utf8"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_body_that_is_no_object_is_a_400(vendor: str, body: bytes, app: App) -> None:
    """Every vendor answers a broken body with its own error object."""
    path, _, headers = vendor_request(vendor, model="gemini-2.5-flash", question=QUESTION)
    answer = call(app, path, body=body, headers=headers)
    assert answer.status == 400 and "error" in answer.json()


def test_balance_and_usage_follow_the_bill(system: str) -> None:
    """DeepSeek's balance and the gateway's usage move by what the bill says."""
    config = Config(credit_units={"deepseek": 5, "holysheep": 5})
    app = create_app(config, ManualClock(datetime(2026, 12, 5, tzinfo=UTC)))
    for vendor in ("deepseek", "holysheep"):
        ask(app, vendor, model="deepseek-v4-pro", question=QUESTION, system=system, key="k")
    cost_nano = call(app, "/bill").json()["rows"][1]["cost_nano"]
    balance = call(app, "/deepseek/user/balance", headers=BEARER).json()
    usage = call(app, "/holysheep/v1/usage", headers=BEARER).json()
    assert balance["is_available"] and balance["balance_infos"][0]["total_balance"] == "4.99"
    assert usage["usage"] == cost_nano / 1e9 and usage["limit"] == 5
    assert usage["reset_at"] == "2027-01-01T00:00:00+00:00"


def test_pages_ask_for_a_key(app: App) -> None:
    """Models, balance and usage are refused without a key or with a bad one."""
    pages = ("/openai/v1/models", "/deepseek/user/balance", "/holysheep/v1/usage")
    bad = {"authorization": "Bearer bad-1"}
    assert [call(app, page, headers=h).status for page in pages for h in ({}, bad)] == [401] * 6
