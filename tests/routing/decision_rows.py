"""The decision table as it was decided, row by row, in the words of each protocol.

`marks`: R the same model is asked again, F another model is asked, W only one with a wider window,
B the breaker counts it, P the model is parked, $ it is booked as perhaps billed (c as completed),
A staff are told at once. What a mark means for the calls that a vendor sees is in
`test_decision_table.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from routing.errors import Kind
from routing.specs import VendorKind
from tests.routing.decision_bodies import (
    CHAT,
    GEMINI,
    INVALID,
    MESSAGES,
    PAGE,
    TOO_LONG,
    UNWANTED,
    anthropic,
    bare,
    begun,
    delay,
    empty,
    gemini,
    in_stream,
    no_choices,
    openai,
    plain,
    quota,
    rate,
    reason,
    told,
    violated,
)
from tests.routing.scripted import Play, refusing, resetting, silent


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `pause_s` bounds the time between two attempts at the same model; `is_silent`: it
    takes a timeout to find out."""

    name: str
    kind: Kind
    marks: str
    play: Callable[[VendorKind], Play]
    pause_s: tuple[float, float] = (0.0, 12.0)
    is_silent: bool = False


# Rows that need an address instead of a script (nobody listens, no such name, no TLS, no answer to
# the connection) are in `test_decision_table.py`.
ROWS = [
    Row("reset before an answer", Kind.RESET, "R F B $", lambda kind: resetting),
    Row("silence", Kind.TIMEOUT, "R F B $", lambda kind: silent(), is_silent=True),
    Row("late silence", Kind.TIMEOUT, "F B $", lambda kind: silent(gone_s=6.5), is_silent=True),
    Row("ends after some text", Kind.TRUNCATED, "F B $", begun()),
    Row("reset after some text", Kind.TRUNCATED, "F B $", begun(then="reset")),
    Row("silence after some text", Kind.TRUNCATED, "F B $", begun(then="silence"), is_silent=True),
    Row("ends before any text", Kind.TRUNCATED, "R F B $", begun(text="")),
    Row("an event that is not JSON", Kind.BAD_BODY, "R F B $", bare(200, b"data: {{\n\n")),
    Row("a web page", Kind.BAD_BODY, "R F B $", bare(200, PAGE)),
    Row("no choices", Kind.BAD_BODY, "R F B $", no_choices),
    Row("an empty answer", Kind.BAD_BODY, "R F B c", empty),
    Row("no content", Kind.BAD_BODY, "R F B $", bare(204)),
    Row("invalid", Kind.INVALID, "F", INVALID),
    Row("invalid, in words", Kind.INVALID, "F", bare(400, {"error": "bad request"})),
    Row("invalid, with a wait", Kind.INVALID, "F", bare(400, b"", {"retry-after": "3600"})),
    Row("too long", Kind.CONTEXT_LENGTH, "W", TOO_LONG),
    Row("too large", Kind.CONTEXT_LENGTH, "W", bare(413, PAGE)),
    Row("content policy", Kind.CONTENT, "", UNWANTED),
    Row(
        "refused key",
        Kind.AUTH,
        "F P A",
        lambda kind: refusing(
            400 if kind is GEMINI else 401,
            {
                CHAT: openai("invalid_request_error", "invalid_api_key"),
                MESSAGES: anthropic("authentication_error"),
                GEMINI: gemini(400, "INVALID_ARGUMENT", reason("API_KEY_INVALID")),
            }[kind],
        ),
    ),
    Row("401 without words", Kind.AUTH, "F P A", bare(401)),
    Row(
        "forbidden",
        Kind.AUTH,
        "F P A",
        told(
            403,
            openai("permission"),
            anthropic("permission_error"),
            gemini(403, "PERMISSION_DENIED"),
        ),
    ),
    Row(
        "no money",
        Kind.PAYMENT,
        "F P A",
        told(
            402,
            openai("unknown_error", "invalid_request_error"),
            anthropic("billing_error"),
            gemini(402, "FAILED_PRECONDITION"),
        ),
    ),
    Row(
        "no such model",
        Kind.MODEL_GONE,
        "F P A",
        told(
            404,
            openai("invalid_request_error", "model_not_found"),
            anthropic("not_found_error"),
            gemini(404, "NOT_FOUND"),
        ),
    ),
    Row("408", Kind.UPSTREAM_TIMEOUT, "R F B $", bare(408, openai("invalid_request_error", "408"))),
    Row(
        "conflict",
        Kind.CONFLICT,
        "R F",
        told(409, openai("conflict"), anthropic("conflict_error"), gemini(409, "ABORTED")),
    ),
    Row(
        "parameters",
        Kind.PARAMETERS,
        "F",
        told(
            422,
            openai("invalid_request_error"),
            anthropic("invalid_request_error"),
            gemini(422, "INVALID_ARGUMENT"),
        ),
    ),
    Row("FastAPI's parameters", Kind.PARAMETERS, "F", bare(422, {"detail": [{"loc": ["body"]}]})),
    Row("rate, one second", Kind.RATE, "R F", rate({"retry-after": "1"}), (1.0, 2.0)),
    Row("rate, no wait told", Kind.RATE, "R F", rate(), (1.0, 2.0)),
    Row("rate, four seconds", Kind.RATE, "R F", rate({"retry-after": "4"}), (4.0, 5.0)),
    Row("rate, too long to wait", Kind.RATE, "F", rate({"retry-after": "5.5"})),
    Row("rate, a day", Kind.RATE, "F", rate({"retry-after": "1e9"})),
    Row("rate, wait of a gateway", Kind.RATE, "F", rate({"llm_provider-retry-after": "9"})),
    Row("rate, not to be repeated", Kind.RATE, "F", rate({"x-should-retry": "false"})),
    Row(
        "rate, in a gateway's words",
        Kind.RATE,
        "R F",
        told(
            429,
            openai("throttling_error", "429"),
            openai("rate_limit_exceeded", "tpm_exceeded"),
            [gemini(429, "RESOURCE_EXHAUSTED", delay("1.5s"))],
        ),
    ),
    Row("rate, in bare words", Kind.RATE, "R F", bare(429, {"error": "insufficient_quota"})),
    Row("rate, FastAPI's words", Kind.RATE, "R F", bare(429, {"detail": "slow down"})),
    Row("rate, code null", Kind.RATE, "R F", bare(429, openai(None))),
    Row("rate, code a number", Kind.RATE, "R F", bare(429, openai(None, 429))),
    Row("rate, a web page", Kind.RATE, "R F", bare(429, PAGE)),
    Row(
        "quota",
        Kind.QUOTA,
        "F P A",
        quota(
            openai("insufficient_quota", "insufficient_quota"),
            anthropic("rate_limit_error", "enforced_spend_limit_reached"),
            violated("GenerateRequestsPerDayPerProjectPerModel"),
            delay("36000s"),
        ),
    ),
    Row(
        "quota, other words",
        Kind.QUOTA,
        "F P A",
        quota(
            openai("invalid_request_error", "billing_hard_limit_reached"),
            anthropic("rate_limit_error", "contract_spend_limit_reached"),
            violated("GenerateRequestsPerMinutePerProject", 0),
        ),
    ),
    Row(
        "quota, wrapped in a list",
        Kind.QUOTA,
        "F P A",
        told(
            429,
            [openai("insufficient_quota")],
            [anthropic("rate_limit_error", "contract_spend_limit_reached")],
            [gemini(429, "RESOURCE_EXHAUSTED", violated("RequestsPerDay"))],
        ),
    ),
    Row("500", Kind.SERVER, "R F B", plain(500, "INTERNAL")),
    Row("500, a web page", Kind.SERVER, "R F B", bare(500, PAGE)),
    Row("500, not to be repeated", Kind.SERVER, "F B", bare(500, b"", {"x-should-retry": "false"})),
    Row("502", Kind.SERVER, "R F B", bare(502, PAGE)),
    Row("503", Kind.SERVER, "R F B", plain(503, "UNAVAILABLE"), (0.25, 2.0)),
    Row(
        "503 with a wait",
        Kind.SERVER,
        "R F B",
        plain(503, "UNAVAILABLE", headers={"retry-after": "3"}),
        (3.0, 3.5),
    ),
    Row(
        "503 with a long wait",
        Kind.SERVER,
        "F B",
        plain(503, "UNAVAILABLE", headers={"retry-after": "60"}),
    ),
    Row("504", Kind.UPSTREAM_TIMEOUT, "R F B $", plain(504, "DEADLINE_EXCEEDED")),
    Row("529", Kind.OVERLOADED, "R F B", plain(529, "UNAVAILABLE"), (1.0, 2.0)),
    Row(
        "529 that asks for no wait",
        Kind.OVERLOADED,
        "R F B",
        plain(529, "UNAVAILABLE", headers={"retry-after": "0"}),
        (1.0, 2.0),
    ),
    Row("301", Kind.REDIRECT, "F B A", bare(301, b"", {"location": "/openai/v1/chat/completions"})),
    Row("307", Kind.REDIRECT, "F B A", bare(307, b"", {"location": "/openai/v1/chat/completions"})),
    Row("425", Kind.OTHER, "F", bare(425)),
    Row("431", Kind.OTHER, "F", bare(431, PAGE)),
    Row("451", Kind.OTHER, "F", bare(451, {"error": "not here"})),
    Row("418", Kind.OTHER, "F", bare(418)),
    Row(
        "499",
        Kind.CANCELLED,
        "F",
        told(499, openai("cancelled"), anthropic("cancelled"), gemini(499, "CANCELLED")),
    ),
    Row(
        "overloaded in the middle",
        Kind.OVERLOADED,
        "F B $",
        in_stream(
            openai("overloaded_error"),
            anthropic("overloaded_error"),
            gemini(529, "UNAVAILABLE"),
        ),
    ),
    Row(
        "rate in the middle",
        Kind.RATE,
        "F $",
        in_stream(
            openai("throttling_error", "429"),
            anthropic("rate_limit_error"),
            gemini(429, "RESOURCE_EXHAUSTED", violated("RequestsPerMinute")),
        ),
    ),
    Row(
        "quota in the middle",
        Kind.QUOTA,
        "F P A $",
        in_stream(
            openai("insufficient_quota"),
            anthropic("rate_limit_error", "enforced_spend_limit_reached"),
            [gemini(429, "RESOURCE_EXHAUSTED", violated("RequestsPerDay"))],
        ),
    ),
    Row(
        "content policy in the middle",
        Kind.CONTENT,
        "$",
        in_stream(
            openai("invalid_request_error", "content_filter"),
            anthropic("content_policy"),
            gemini(400, "INVALID_ARGUMENT", reason("CONTENT_FILTER")),
        ),
    ),
    Row(
        "bare words in the middle",
        Kind.SERVER,
        "F B $",
        in_stream({"error": "boom"}, {"type": "error", "error": "boom"}, {"error": "boom"}),
    ),
]
