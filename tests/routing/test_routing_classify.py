"""Claims about verdicts: the decision table, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import Kind
from routing.vendors.classify import VERDICTS, ErrorFields, parse_error, verdict_of


def _openai(kind: str, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": "words", "type": kind, "param": None, "code": code}}


def _anthropic(kind: str, code: str = "") -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": "words"}
    if code:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": "r"}


def _gemini(code: int, status: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": "words", "status": status, "details": list(details)}}


def _quota(quota_id: str, value: str = "10") -> dict[str, Any]:
    return {"violations": [{"quotaId": quota_id, "quotaValue": value}]}


ROWS: list[tuple[str, int, Any, Kind]] = [
    ("invalid", 400, _openai("invalid_request_error"), Kind.INVALID),
    (
        "context",
        400,
        _openai("invalid_request_error", "context_length_exceeded"),
        Kind.CONTEXT_LENGTH,
    ),
    ("too large, a web page", 413, "<html>", Kind.CONTEXT_LENGTH),
    ("content", 400, _openai("invalid_request_error", "content_policy_violation"), Kind.CONTENT),
    ("key", 401, _openai("invalid_request_error", "invalid_api_key"), Kind.AUTH),
    ("no permission", 403, _anthropic("permission_error"), Kind.AUTH),
    (
        "Gemini's key",
        400,
        _gemini(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}),
        Kind.AUTH,
    ),
    ("Gemini's billing", 400, _gemini(400, "FAILED_PRECONDITION"), Kind.PAYMENT),
    ("balance", 402, _openai("unknown_error", "invalid_request_error"), Kind.PAYMENT),
    ("billing as 400", 400, _anthropic("billing_error"), Kind.PAYMENT),
    ("on hold", 400, _anthropic("invalid_request_error", "organization_on_hold"), Kind.QUOTA),
    ("gone", 404, _anthropic("not_found_error"), Kind.MODEL_GONE),
    ("gone as 400", 400, _openai("invalid_request_error", "model_not_found"), Kind.MODEL_GONE),
    ("timeout of a gateway", 408, _openai("invalid_request_error"), Kind.UPSTREAM_TIMEOUT),
    ("conflict", 409, _anthropic("conflict_error"), Kind.CONFLICT),
    ("parameters", 422, _openai("invalid_request_error"), Kind.PARAMETERS),
    ("requests", 429, _openai("requests", "rate_limit_exceeded"), Kind.RATE),
    ("tokens", 429, _openai("tokens", "rate_limit_exceeded"), Kind.RATE),
    ("gateway's tokens", 429, _openai("rate_limit_exceeded", "tpm_exceeded"), Kind.RATE),
    ("code as a word of digits", 429, _openai("throttling_error", "429"), Kind.RATE),
    ("ramp", 429, _anthropic("rate_limit_error", "ramp_limit_exceeded"), Kind.RATE),
    ("no body", 429, "", Kind.RATE),
    (
        "per minute",
        429,
        _gemini(429, "RESOURCE_EXHAUSTED", _quota("RequestsPerMinutePerProject")),
        Kind.RATE,
    ),
    ("quota", 429, _openai("insufficient_quota", "insufficient_quota"), Kind.QUOTA),
    ("hard limit", 429, _openai("x", "billing_hard_limit_reached"), Kind.QUOTA),
    ("spend", 429, _anthropic("rate_limit_error", "enforced_spend_limit_reached"), Kind.QUOTA),
    ("contract", 429, _anthropic("rate_limit_error", "contract_spend_limit_reached"), Kind.QUOTA),
    (
        "per day",
        429,
        _gemini(429, "RESOURCE_EXHAUSTED", _quota("RequestsPerDayPerProject")),
        Kind.QUOTA,
    ),
    (
        "limit 0",
        429,
        _gemini(429, "RESOURCE_EXHAUSTED", _quota("RequestsPerMinute", "0")),
        Kind.QUOTA,
    ),
    ("in a list", 429, [_gemini(429, "RESOURCE_EXHAUSTED", _quota("APerDay"))], Kind.QUOTA),
    ("client closed", 499, _gemini(499, "CANCELLED"), Kind.CANCELLED),
    ("server", 500, _anthropic("api_error"), Kind.SERVER),
    ("gateway, a web page", 502, "<html>", Kind.SERVER),
    ("unavailable", 503, _gemini(503, "UNAVAILABLE"), Kind.SERVER),
    ("too slow", 504, _anthropic("timeout_error"), Kind.UPSTREAM_TIMEOUT),
    ("overloaded", 529, _anthropic("overloaded_error"), Kind.OVERLOADED),
    ("elsewhere", 302, "", Kind.REDIRECT),
    ("nothing to read", 204, "", Kind.BAD_BODY),
    ("other", 451, "", Kind.OTHER),
    ("words only", 418, {"error": "insufficient_quota"}, Kind.OTHER),
    ("FastAPI", 422, {"detail": [{"loc": ["body"]}]}, Kind.PARAMETERS),
    ("in a stream, overloaded", 200, _anthropic("overloaded_error"), Kind.OVERLOADED),
    ("in a stream, server", 200, _openai("server_error"), Kind.SERVER),
    ("in a stream, rate", 200, _openai("requests", "rate_limit_exceeded"), Kind.RATE),
    ("in a stream, quota", 200, _openai("insufficient_quota", "quota_exceeded"), Kind.QUOTA),
    ("in a stream, unavailable", 200, _gemini(503, "UNAVAILABLE"), Kind.SERVER),
    ("in a stream, key", 200, _anthropic("authentication_error"), Kind.AUTH),
    ("in a stream, unheard of", 200, _openai("novelty"), Kind.SERVER),
    (
        "in a stream, content",
        200,
        _openai("invalid_request_error", "content_filter"),
        Kind.CONTENT,
    ),
    ("in a stream, context", 200, _openai("x", "context_length_exceeded"), Kind.CONTEXT_LENGTH),
    ("in a stream, gone", 200, _openai("x", "model_not_found"), Kind.MODEL_GONE),
    ("in a stream, no money", 200, _anthropic("billing_error"), Kind.PAYMENT),
    ("in a stream, a code in words", 200, _openai("throttling_error", "429"), Kind.RATE),
    ("in a stream, bare words with a code", 200, {"error": "slow down", "code": 429}, Kind.RATE),
    (
        "Azure's inner code",
        400,
        {"error": {"code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        Kind.CONTENT,
    ),
    ("a gateway's key", 400, _openai("no_db_connection", "400"), Kind.AUTH),
    ("a gateway's budget", 400, _openai("budget_exceeded", "400"), Kind.QUOTA),
    ("wrapped by FastAPI", 429, {"detail": _openai("insufficient_quota")}, Kind.QUOTA),
    ("wrapped twice", 429, [[{"error": _openai("x", "insufficient_quota")}]], Kind.QUOTA),
    ("bare words from FastAPI", 429, {"detail": "insufficient_quota"}, Kind.RATE),
    (
        "limit 0 as a number",
        429,
        _gemini(
            429, "RESOURCE_EXHAUSTED", {"violations": [{"quotaId": "XPerMinute", "quotaValue": 0}]}
        ),
        Kind.QUOTA,
    ),
    ("spend", 429, _gemini(429, "RESOURCE_EXHAUSTED", _quota("MonthlySpendCap")), Kind.QUOTA),
    ("informational", 101, "", Kind.OTHER),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_an_answer_gets_the_verdict_of_its_row(status: int, body: Any, kind: Kind) -> None:
    """Status and parsed fields decide; message text never does."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert verdict_of(status, parse_error(data)).kind is kind


def test_every_kind_has_a_verdict() -> None:
    """No failure can be without a row."""
    assert set(VERDICTS) == set(Kind)


@pytest.mark.parametrize(
    ("status", "word", "retries"),
    [
        (503, None, True),
        (503, False, False),
        (503, True, True),
        (400, True, False),
        (429, False, False),
    ],
)
def test_the_vendor_may_forbid_a_repetition(status: int, word: bool | None, retries: bool) -> None:
    """`x-should-retry: false` is obeyed, `true` does not make a bad request good."""
    assert verdict_of(status, ErrorFields(), should_retry=word).retry_same is retries


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        *((status, True) for status in (402, 408, 409, 429, 503, 529)),
        *((status, False) for status in (302, 400, 413, 422, 451, 499)),
    ],
)
def test_a_wait_counts_only_where_waiting_helps(status: int, waits: bool) -> None:
    """The verdict carries the wait, but one bad request never holds up the others."""
    verdict = verdict_of(status, ErrorFields(), retry_after_s=7.0)
    assert verdict.retry_after_s == (7.0 if waits else None)
    assert verdict_of(status, ErrorFields(), retry_after_s=7.0, should_retry=False) == replace(
        verdict, retry_same=False
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "type", "details", "violations", "message", "quotaId"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([200, 204, 301, 400, 401, 404, 429, 500, 529]))
def test_no_error_body_breaks_the_classifier(value: Any, status: int) -> None:
    """Any JSON of any shape gets a verdict."""
    assert verdict_of(status, parse_error(json.dumps(value).encode())).kind in Kind


@given(st.binary(max_size=40))
def test_no_bytes_break_the_classifier(data: bytes) -> None:
    """Bytes that are not JSON state nothing."""
    assert isinstance(parse_error(data), ErrorFields)
