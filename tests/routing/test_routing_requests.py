"""Claims about what is sent to a vendor, in each of the three wire protocols."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing.specs import ModelSpec, VendorKind
from routing.vendors import vendor_for
from routing.vendors.base import HttpRequest
from tests.routing.helpers import (
    KEY,
    PROMPT,
    model,
)

KINDS = list(VendorKind)


def _build(spec: ModelSpec, **more: Any) -> tuple[HttpRequest, dict[str, Any]]:
    options: dict[str, Any] = {
        "max_output_tokens": 400,
        "stream": True,
        "end_user": "shopper-7",
    } | more
    base_url = spec.endpoint.base_url
    request = vendor_for(spec.endpoint.kind).build(
        spec, PROMPT, api_key=KEY, base_url=base_url, **options
    )
    return request, json.loads(request.body)


def test_chat_completions_are_asked_in_their_form() -> None:
    """Path joined to the base, key as Bearer, usage asked for, no parameter that was not stated."""
    request, body = _build(model())
    assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert body["messages"][0] == {"role": "system", "content": PROMPT.system}
    assert set(body) == {
        "model",
        "messages",
        "max_tokens",
        "stream",
        "stream_options",
        "safety_identifier",
    }


@pytest.mark.parametrize(
    ("base_url", "field", "options"),
    [
        (
            "https://api.openai.com/v1",
            "safety_identifier",
            {"include_usage": True, "include_obfuscation": False},
        ),
        ("https://api.deepseek.com", "user_id", {"include_usage": True}),
        ("https://api.holysheep.ai/v1/", None, {"include_usage": True}),
    ],
)
def test_fields_of_one_vendor_go_to_that_vendor_only(
    base_url: str, field: str | None, options: dict[str, bool]
) -> None:
    """End users are named where a field for them is known, and never by our own id."""
    request, body = _build(model(base_url=base_url))
    assert body["stream_options"] == options
    assert {"safety_identifier", "user_id"} & set(body) == ({field} if field else set())
    assert b"shopper-7" not in request.body


@pytest.mark.parametrize(
    ("version", "headers"),
    [
        ("", {"x-api-key": KEY, "anthropic-version": "2023-06-01"}),
        ("2023-06-01", {"x-api-key": KEY, "anthropic-version": "2023-06-01"}),
        ("2026-10-21", {"Authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}),
    ],
)
def test_anthropic_is_asked_in_either_version(version: str, headers: dict[str, str]) -> None:
    """Each version has its way of sending the key; the later one gets no temperature."""
    spec = model(
        VendorKind.ANTHROPIC,
        base_url="https://api.anthropic.com",
        api_version=version,
        temperature=0.3,
    )
    request, body = _build(spec)
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert {k: v for k, v in request.headers.items() if k != "Content-Type"} == headers
    assert (body["system"], "temperature" in body) == (PROMPT.system, version != "2026-10-21")


@pytest.mark.parametrize(
    ("base_url", "stream", "url"),
    [
        (
            "https://g.example/v1beta",
            True,
            "https://g.example/v1beta/models/m%2F1:streamGenerateContent?alt=sse",
        ),
        ("https://g.example", False, "https://g.example/v1beta/models/m%2F1:generateContent"),
        ("https://g.example/v1/", False, "https://g.example/v1/models/m%2F1:generateContent"),
    ],
)
def test_gemini_is_asked_with_the_key_in_a_header(base_url: str, stream: bool, url: str) -> None:
    """The address holds version and model, never the key; assistants are called model."""
    spec = model(VendorKind.GEMINI, name="m/1", base_url=base_url)
    request, body = _build(spec, stream=stream)
    assert (request.url, request.headers["x-goog-api-key"]) == (url, KEY)
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_s_own_parameters_are_sent_but_never_replace_ours(kind: VendorKind) -> None:
    """Extra parameters are merged object by object and cannot take over what we state."""
    extra = (
        ("generationConfig", {"thinkingConfig": {"thinkingBudget": 0}}),
        ("stream", "no"),
        ("seed", 4),
    )
    _, body = _build(model(kind, extra_parameters=extra, temperature=0.5))
    assert body["seed"] == 4
    if kind is VendorKind.GEMINI:
        assert body["generationConfig"] == {
            "maxOutputTokens": 400,
            "temperature": 0.5,
            "thinkingConfig": {"thinkingBudget": 0},
        }
    else:
        assert (body["stream"], body["temperature"]) == (True, 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_does_not_show_its_key(kind: VendorKind) -> None:
    """The repr of a request and its address hold no key."""
    request, _ = _build(model(kind))
    assert KEY not in repr(request) + request.url
