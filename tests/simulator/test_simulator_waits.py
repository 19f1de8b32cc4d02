"""Claims about the forms in which an ordered refusal tells its wait, and about its body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.catalog import VENDORS
from simulator.direct import Answer, order
from simulator.durations import http_date, rfc3339
from simulator.fault_catalog import BODIES, WAIT_FORMS
from simulator.server import App
from simulator.windows import Limits
from tests.simulator.vendors import ask_vendor, last_row

every_vendor = pytest.mark.parametrize("vendor", VENDORS)
# the clock of the tests stands on 2026-11-23 12:00:00 UTC
FORMS: dict[str, dict[str, str]] = {
    "none": {},
    "seconds": {"retry-after": "360"},
    "float": {"retry-after": "360.000"},
    "ms": {"retry-after-ms": "360000"},
    "date": {"retry-after": "Mon, 23 Nov 2026 12:06:00 GMT"},
    "duration": {"retry-after": "6m0s"},
    "rate_limit": {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
    },
    "anthropic_rate_limit": {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-23T12:06:00Z",
    },
    "prefixed": {"llm_provider-retry-after": "360"},
}


def _telling(answer: Answer) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if "retry" in k or "ratelimit" in k}


def _retry_info(answer: Answer) -> str | None:
    details = answer.json()["error"].get("details", [])
    found = [d["retryDelay"] for d in details if isinstance(d, dict) and "retryDelay" in d]
    return found[0] if found else None


@every_vendor
@pytest.mark.parametrize("name", ["429", "503"])
@pytest.mark.parametrize("form", FORMS)
def test_a_wait_is_told_in_the_form_ordered_and_in_no_other(
    form: str, name: str, vendor: str, app: App
) -> None:
    """Every form can be had from every vendor; then its own form and its limits are left out."""
    order(app, name, options={"wait_form": form, "wait_s": 360})
    app.simulator.limits["*"] = Limits(rpm=1000, tpm=100_000)
    answer = ask_vendor(app, vendor)
    assert _telling(answer) == FORMS[form]
    assert b"retryDelay" not in answer.body


def test_every_form_is_covered() -> None:
    """The forms tested here, the vendor's own and Gemini's are all there are."""
    assert set(FORMS) | {"usual", "retry_info"} == set(WAIT_FORMS)


@every_vendor
def test_a_wait_in_the_body_is_geminis(vendor: str, app: App) -> None:
    """`retry_info` puts the wait into Gemini's body; other vendors have no place for it."""
    order(app, "429", options={"wait_form": "retry_info", "wait_s": 1.5})
    answer = ask_vendor(app, vendor)
    assert _telling(answer) == {}
    assert _retry_info(answer) == ("1.5s" if vendor == "gemini" else None)


@pytest.mark.parametrize("form", ["rate_limit", "anthropic_rate_limit"])
def test_a_token_refusal_names_tokens(form: str, app: App) -> None:
    """With the kind `tokens` the limit headers are those of tokens."""
    order(app, "429", options={"kind": "tokens", "wait_form": form, "wait_s": 3})
    assert all("tokens" in name for name in _telling(ask_vendor(app, "openai")))


@pytest.mark.parametrize("value", ["0", "1.5", "-3", "nan", "inf", "1e9", "soon", 7, None])
def test_a_header_is_sent_verbatim(value: object, app: App) -> None:
    """`retry_after` is sent as it stands, however wrong; null leaves it out."""
    order(app, "503", options={"retry_after": value})
    assert ask_vendor(app, "openai").headers.get("retry-after") == (
        None if value is None else str(value)
    )


def test_moments_are_rounded_up(app: App) -> None:
    """Who waits for a told moment never comes early."""
    app.simulator.clock.advance(0.25)  # type: ignore[attr-defined]
    now = app.simulator.clock.now()
    assert rfc3339(now) == "2026-11-23T12:00:01Z"
    assert http_date(now) == "Mon, 23 Nov 2026 12:00:01 GMT"


KINDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("openai", "requests"): ("error", "type", "requests"),
    ("openai", "tokens"): ("error", "type", "tokens"),
    ("openai", "concurrency"): ("error", "code", "rate_limit_exceeded"),
    ("openai", "day"): ("error", "code", "rate_limit_exceeded"),
    ("openai", "quota"): ("error", "code", "insufficient_quota"),
    ("deepseek", "concurrency"): ("error", "type", "rate_limit_error"),
    ("deepseek", "quota"): ("error", "code", "insufficient_quota"),
    ("holysheep", "requests"): ("error", "code", "rpm_exceeded"),
    ("holysheep", "tokens"): ("error", "code", "tpm_exceeded"),
    ("holysheep", "quota"): ("error", "code", "quota_exceeded"),
    ("anthropic", "requests"): ("error", "type", "rate_limit_error"),
    ("anthropic", "ramp"): ("error", "details", "error_code", "ramp_limit_exceeded"),
    ("anthropic", "quota"): ("error", "details", "error_code", "enforced_spend_limit_reached"),
    ("gemini", "requests"): ("GenerateRequestsPerMinutePerProjectPerModel",),
    ("gemini", "tokens"): ("GenerateContentInputTokensPerModelPerMinute",),
    ("gemini", "day"): ("GenerateRequestsPerDayPerProjectPerModel",),
    ("gemini", "quota"): ("GenerateRequestsPerDayPerProjectPerModel",),
}


@pytest.mark.parametrize(("vendor", "kind"), KINDS, ids=lambda v: str(v))
def test_each_kind_of_429_is_named_as_the_vendor_names_it(vendor: str, kind: str, app: App) -> None:
    """Requests, tokens, concurrency, ramp, day and quota can be told apart where a vendor does."""
    order(app, "429", options={"kind": kind})
    answer = ask_vendor(app, vendor)
    *path, value = KINDS[vendor, kind]
    found: Any = answer.json()
    for step in path:
        found = found[step]
    assert (value in json.dumps(found) if not path else found == value) and answer.status == 429


def test_a_daily_limit_is_hours_away(app: App) -> None:
    """The kind `day` asks for two hours, the others for five seconds."""
    waits = []
    for kind in ("day", "requests"):
        order(app, "429", options={"kind": kind}, count=1)
        waits.append(ask_vendor(app, "openai").headers["retry-after"])
    assert waits == ["7200", "5"]


BAD_REQUESTS: dict[tuple[str, str], str] = {
    ("openai", "context_length"): '"code":"context_length_exceeded"',
    ("openai", "content_policy"): '"code":"content_policy_violation"',
    ("openai", "key_invalid"): '"code":"invalid_api_key"',
    ("openai", "invalid"): '"type":"invalid_request_error"',
    ("anthropic", "context_length"): '"type":"invalid_request_error"',
    ("anthropic", "key_invalid"): '"type":"authentication_error"',
    ("gemini", "key_invalid"): '"reason":"API_KEY_INVALID"',
    ("gemini", "context_length"): '"status":"INVALID_ARGUMENT"',
    ("deepseek", "content_policy"): '"code":"content_policy_violation"',
    ("holysheep", "context_length"): '"code":"context_length_exceeded"',
}


@pytest.mark.parametrize(("vendor", "kind"), BAD_REQUESTS, ids=lambda v: str(v))
def test_each_kind_of_400_is_named_as_the_vendor_names_it(vendor: str, kind: str, app: App) -> None:
    """All are a 400 with the vendor's own mark."""
    order(app, "400", options={"kind": kind})
    answer = ask_vendor(app, vendor)
    assert answer.status == 400 and BAD_REQUESTS[vendor, kind] in answer.body.decode()


@every_vendor
@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("name", ["429", "500"])
def test_an_error_can_have_any_body(name: str, form: str, vendor: str, app: App) -> None:
    """JSON, a page, plain text, nothing, ten megabytes, a list or a bare string, same status."""
    order(app, name, options={"body": form})
    answer = ask_vendor(app, vendor)
    kinds = {"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8", "empty": None}
    assert answer.status == int(name)
    assert answer.headers.get("content-type") == kinds.get(form, "application/json")
    shapes = {
        "list": lambda: isinstance(answer.json(), list),
        "string": lambda: isinstance(answer.json()["error"], str),
        "json": lambda: isinstance(answer.json()["error"], dict),
        "giant": lambda: len(answer.body) > 10_000_000 and "error" in answer.json(),
        "html": lambda: answer.body.startswith(b"<html>"),
        "text": lambda: b"<" not in answer.body,
        "empty": lambda: answer.body == b"",
    }
    assert shapes[form]()


@every_vendor
def test_a_redirect_names_its_place(vendor: str, app: App) -> None:
    """302 points at a path of the simulator, which counts whoever follows."""
    order(app, "302")
    answer = ask_vendor(app, vendor)
    assert (answer.status, answer.headers["location"]) == (302, "/redirected")


@every_vendor
def test_a_brown_out_is_a_share_of_errors(vendor: str, app: App) -> None:
    """Unless told otherwise three in ten requests fail, with the statuses ordered."""
    order(app, "brown_out", options={"statuses": [500, 529]})
    statuses = [ask_vendor(app, vendor).status for _ in range(200)]
    assert set(statuses) == {200, 500, 529}
    assert 40 <= 200 - statuses.count(200) <= 80


@pytest.mark.parametrize("name", ["429", "503", "401"])
def test_the_bill_says_which_fault_refused(name: str, app: App) -> None:
    """A refusal by order is told apart from the vendor's own limits."""
    order(app, name)
    ask_vendor(app, "openai")
    assert last_row(app)["reason"] == f"fault:{name}"
