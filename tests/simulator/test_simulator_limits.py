"""Claims about refused requests: when, and in which form each vendor says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.config import BURST, Config
from simulator.direct import ask, ask_async, order
from simulator.durations import go_duration, proto_duration
from simulator.server import App, create_app
from simulator.windows import MINUTE, Limits
from tests.simulator.limited import MODELS, limited_app, refused_again


@pytest.mark.parametrize("vendor", MODELS)
def test_a_request_passes_again_exactly_a_minute_later(vendor: str, clock: ManualClock) -> None:
    """With one request per minute the second passes at 60 s and not a microsecond before."""
    app = limited_app(clock, rpm=1)
    statuses = []
    for wait_s in (0, 59.999999, 0.000001):
        clock.advance(wait_s)
        answer = ask(app, vendor, model=MODELS[vendor], question="hello")
        statuses.append(answer.status)
    assert statuses == [200, 429, 200]


def test_openai_says_which_limit_and_when(clock: ManualClock) -> None:
    """OpenAI's 429 names requests, with waits in seconds, milliseconds and Go durations."""
    answer = refused_again(clock, "openai", rpm=1)
    error = answer.json()["error"]
    assert (answer.status, error["type"], error["code"]) == (429, "requests", "rate_limit_exceeded")
    assert {k: v for k, v in answer.headers.items() if k.startswith(("retry", "x-rate"))} == {
        "retry-after": "48",
        "retry-after-ms": "47500",
        "x-ratelimit-limit-requests": "1",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "47.5s",
    }


def test_openai_names_tokens_when_tokens_ran_out(clock: ManualClock) -> None:
    """OpenAI's 429 for tokens has type tokens and the token headers."""
    answer = refused_again(clock, "openai", tpm=410)
    assert answer.json()["error"]["type"] == "tokens"
    assert answer.headers["x-ratelimit-limit-tokens"] == "410"


@pytest.mark.parametrize(
    ("figures", "code"),
    [({"rpm": 1}, "rpm_exceeded"), ({"tpm": 410}, "tpm_exceeded")],
    ids=["requests", "tokens"],
)
def test_the_gateway_says_which_limit(
    figures: dict[str, int], code: str, clock: ManualClock
) -> None:
    """The gateway's 429 has one type and a code per limit."""
    answer = refused_again(clock, "holysheep", **figures)
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_exceeded", code)
    assert answer.headers["retry-after"] == "48"


def test_deepseek_sends_no_limit_headers(clock: ManualClock) -> None:
    """DeepSeek's 429 tells the reason in the body and nothing in headers."""
    answer = refused_again(clock, "deepseek", rpm=1)
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert set(answer.headers) == {"content-type", "content-length"}


def test_anthropic_sends_its_own_headers(clock: ManualClock) -> None:
    """Anthropic's 429 has retry-after and limits with an RFC 3339 reset."""
    answer = refused_again(clock, "anthropic", rpm=1, input_tpm=5000, output_tpm=4000)
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert answer.headers["retry-after"] == "48"
    assert {k: v for k, v in answer.headers.items() if "requests" in k or k.endswith("limit")} == {
        "anthropic-ratelimit-requests-limit": "1",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-23T12:01:00Z",
        "anthropic-ratelimit-input-tokens-limit": "5000",
        "anthropic-ratelimit-output-tokens-limit": "4000",
    }


@pytest.mark.parametrize(
    ("figures", "quota_id"),
    [
        ({"rpm": 1}, "GenerateRequestsPerMinutePerProjectPerModel"),
        ({"tpm": 410}, "GenerateContentInputTokensPerModelPerMinute"),
    ],
    ids=["requests", "tokens"],
)
def test_gemini_puts_wait_and_quota_in_the_body(
    figures: dict[str, int], quota_id: str, clock: ManualClock
) -> None:
    """Gemini's 429 has RetryInfo and QuotaFailure in the body and no header about it."""
    answer = refused_again(clock, "gemini", **figures)
    error = answer.json()["error"]
    details = {d["@type"].rpartition(".")[2]: d for d in error["details"]}
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert details["RetryInfo"]["retryDelay"] == "47.5s"
    assert details["QuotaFailure"]["violations"][0]["quotaId"] == quota_id
    assert set(answer.headers) == {"content-type", "content-length"}


def test_tokens_are_charged_with_the_maximum_and_settled_to_the_use(
    clock: ManualClock, system: str
) -> None:
    """Two requests whose maxima together break the limit both pass one after the other."""
    app = limited_app(clock, tpm=1300)
    request = {"model": "gpt-4.1", "system": system, "question": "refunds?", "max_tokens": 600}
    answers = [ask(app, "openai", **request) for _ in range(2)]
    used = [a.json()["usage"]["total_tokens"] for a in answers]
    # headers are written at admission: the first settled, the second charged in full
    charged = 1300 - int(answers[1].headers["x-ratelimit-remaining-tokens"])
    assert [a.status for a in answers] == [200, 200]
    assert charged == used[0] + answers[1].json()["usage"]["prompt_tokens"] + 600


def test_deepseek_refuses_beyond_its_requests_in_flight(clock: ManualClock, system: str) -> None:
    """While one request is being answered, a second beyond the cap of one gets 429."""
    app = create_app(Config(limits={"deepseek": Limits(in_flight=1)}), clock)
    request: dict[str, Any] = {
        "model": "deepseek-flash",
        "system": system,
        "question": "Refunds?",
        "stream": True,
    }

    async def both() -> list[int]:
        answers = await asyncio.gather(*(ask_async(app, "deepseek", **request) for _ in range(2)))
        later = await ask_async(app, "deepseek", **request)
        return [*(a.status for a in answers), later.status]

    assert asyncio.run(both()) == [200, 429, 200]


def test_a_failed_request_counts_as_a_request(clock: ManualClock) -> None:
    """An answer of 503 has used one of the requests of the minute, but no tokens."""
    app = limited_app(clock, rpm=1, tpm=1000)
    order(app, "503", count=1)
    answers = [ask(app, "openai", model="gpt-4.1", question="hello") for _ in range(2)]
    assert [answer.status for answer in answers] == [503, 429]
    assert answers[1].headers["x-ratelimit-remaining-tokens"] == "1000"


def test_a_burst_window_refuses_what_the_minute_would_allow(clock: ManualClock) -> None:
    """With 60 per minute and a 2 s window at twice the rate the fifth at once is refused."""
    config = Config(limits={"*": Limits(rpm=60)}, windows=(MINUTE, BURST))
    app = create_app(config, clock)
    statuses = [ask(app, "openai", model="gpt-4.1", question="hello").status for _ in range(5)]
    clock.advance(2)
    statuses.append(ask(app, "openai", model="gpt-4.1", question="hello").status)
    assert statuses == [200, 200, 200, 200, 429, 200]


def test_refused_requests_are_not_counted(clock: ManualClock) -> None:
    """A storm of refused requests does not push the end of the wait away."""
    app = limited_app(clock, rpm=1)
    for _ in range(10):
        ask(app, "openai", model="gpt-4.1", question="hello")
        clock.advance(6)
    assert ask(app, "openai", model="gpt-4.1", question="hello").status == 200


@pytest.mark.parametrize(
    ("write", "seconds_s", "text"),
    [
        (go_duration, 0.012, "12ms"),
        (go_duration, 1, "1s"),
        (go_duration, 90.5, "1m30.5s"),
        (go_duration, 360, "6m0s"),
        (go_duration, 3723, "1h2m3s"),
        (go_duration, 0, "0s"),
        (proto_duration, 46, "46s"),
        (proto_duration, 1.5, "1.5s"),
    ],
)
def test_durations_are_written_as_the_vendors_write_them(
    write: Callable[[float], str], seconds_s: float, text: str
) -> None:
    """Go and protobuf durations have their usual form."""
    assert write(seconds_s) == text


@pytest.mark.parametrize(
    ("vendor", "status", "name"),
    [("deepseek", 402, "unknown_error"), ("holysheep", 429, "insufficient_quota")],
    ids=["deepseek", "gateway"],
)
def test_spent_credit_is_told_in_the_vendors_way(
    vendor: str, status: int, name: str, clock: ManualClock
) -> None:
    """A key without credit gets 402 from DeepSeek and a quota 429 from the gateway."""
    app = create_app(Config(credit_units={vendor: 0}), clock)
    answer = ask(app, vendor, model=MODELS[vendor], question="hello")
    assert (answer.status, answer.json()["error"]["type"]) == (status, name)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"retry_after": "7"}, {"retry-after": "7"}),
        ({"retry_after": "Mon, 23 Nov 2026 13:00:00 GMT"}, None),
        ({"retry_after": None}, {}),
        ({"headers": {"llm_provider-retry-after": "9"}, "retry_after": None}, {}),
    ],
    ids=["seconds", "date", "none", "prefixed"],
)
def test_a_429_fault_sends_the_wait_as_ordered(
    options: dict[str, Any], expected: dict[str, str] | None, app: App
) -> None:
    """The wait is sent verbatim, left out, or sent under another name."""
    order(app, "429", options=options)
    answer = ask(app, "openai", model="gpt-4.1", question="hello")
    sent = {k: v for k, v in answer.headers.items() if k.startswith("retry-after")}
    assert sent == (expected if expected is not None else {"retry-after": options["retry_after"]})
    assert answer.headers.get("llm_provider-retry-after") == options.get("headers", {}).get(
        "llm_provider-retry-after"
    )


@pytest.mark.parametrize(
    ("vendor", "path", "value"),
    [
        ("openai", ("error", "code"), "insufficient_quota"),
        ("holysheep", ("error", "type"), "insufficient_quota"),
        ("anthropic", ("error", "details", "error_code"), "enforced_spend_limit_reached"),
    ],
    ids=["openai", "gateway", "anthropic"],
)
def test_a_spent_quota_differs_from_a_rate(
    vendor: str, path: tuple[str, ...], value: str, app: App
) -> None:
    """The quota kind of 429 carries the vendor's own mark of a quota and no wait."""
    order(app, "429", options={"kind": "quota"})
    answer = ask(app, vendor, model=MODELS[vendor], question="hello")
    found = answer.json()
    for step in path:
        found = found[step]
    assert found == value and "retry-after" not in answer.headers


def test_a_gemini_quota_is_per_day(app: App) -> None:
    """Gemini's spent quota names a per-day quota id and hours of delay."""
    order(app, "429", options={"kind": "quota"})
    text = ask(app, "gemini", model=MODELS["gemini"], question="hello").body.decode()
    assert "PerDay" in text and '"retryDelay":"36000s"' in text


@pytest.mark.parametrize(
    ("vendor", "names"),
    [
        ("openai", {"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens"}),
        ("holysheep", {"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens"}),
        ("anthropic", {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-tokens-limit"}),
        ("gemini", set()),
        ("deepseek", set()),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_answers_and_refusals_carry_the_vendors_limit_headers(
    stream: bool, vendor: str, names: set[str], clock: ManualClock
) -> None:
    """On 200 and on 429 alike: limits, what remains and the reset; Gemini and DeepSeek say nothing."""
    app = limited_app(clock, rpm=1, tpm=5000)
    request = {"model": MODELS[vendor], "question": "hello", "stream": stream}
    answers = [ask(app, vendor, **request) for _ in range(2)]
    told = [{k for k in a.headers if "ratelimit" in k and "limit" in k.split("-")} for a in answers]
    resets = [sum("reset" in k for k in a.headers) for a in answers]
    left = [
        a.headers[k]
        for a in answers
        for k in a.headers
        if "remaining-req" in k or "requests-rem" in k
    ]
    assert [a.status for a in answers] == [200, 429]
    assert told == [names, names] and resets == [len(names)] * 2
    assert left == (["0", "0"] if names else [])
