"""Claims about what the headers of an answer say of a key's limits."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.vendors.rate_headers import RateState, rate_state
from routing.vendors.waits import LONGEST_S
from tests.routing.helpers import NOW

OPENAI = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "120000",
    "x-ratelimit-remaining-tokens": "119300",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:06Z",
    "anthropic-ratelimit-tokens-limit": "250000",
    "anthropic-ratelimit-tokens-remaining": "249000",
    "anthropic-ratelimit-tokens-reset": "2026-11-23T12:00:00Z",
    "anthropic-ratelimit-input-tokens-limit": "200000",
    "anthropic-ratelimit-input-tokens-remaining": "199000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-23T13:00:30.5+01:00",
    "anthropic-ratelimit-output-tokens-limit": "50000",
    "anthropic-ratelimit-output-tokens-remaining": "50000",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-23T11:59:00Z",
}


def test_requests_and_tokens_with_durations_are_read() -> None:
    """The `x-ratelimit-*` family gives two limits with resets in seconds."""
    assert rate_state(OPENAI, now=NOW) == RateState(
        limit_requests=500,
        remaining_requests=499,
        reset_requests_s=pytest.approx(0.12),
        limit_tokens=120_000,
        remaining_tokens=119_300,
        reset_tokens_s=360.0,
    )


def test_four_limits_with_moments_are_read() -> None:
    """The `anthropic-ratelimit-*` family gives input and output apart; a past reset is 0."""
    assert rate_state(ANTHROPIC, now=NOW) == RateState(
        limit_requests=1_000,
        remaining_requests=0,
        reset_requests_s=6.0,
        limit_tokens=250_000,
        remaining_tokens=249_000,
        reset_tokens_s=0.0,
        limit_input_tokens=200_000,
        remaining_input_tokens=199_000,
        reset_input_tokens_s=30.5,
        limit_output_tokens=50_000,
        remaining_output_tokens=50_000,
        reset_output_tokens_s=0.0,
    )


@pytest.mark.parametrize("headers", [OPENAI, ANTHROPIC], ids=["x-ratelimit", "anthropic"])
def test_a_gateway_s_copies_say_the_same(headers: dict[str, str]) -> None:
    """Copies that a gateway prefixes are read where nothing else is there."""
    copies = {f"llm_provider-{name}": value for name, value in headers.items()}
    assert rate_state(copies, now=NOW) == rate_state(headers, now=NOW)


def test_one_source_speaks_for_a_kind_of_limit() -> None:
    """A gateway's own limit is not paired with what remains at its vendor, but kinds may differ."""
    headers = {
        "x-ratelimit-limit-requests": "60",
        "llm_provider-x-ratelimit-remaining-requests": "7",
        "llm_provider-x-ratelimit-remaining-tokens": "900",
    }
    assert rate_state(headers, now=NOW) == RateState(limit_requests=60, remaining_tokens=900)


def test_the_client_s_headers_are_a_mapping_too() -> None:
    """Header objects of the HTTP library are read whatever the case of their names."""
    assert rate_state(httpx.Headers({"X-RateLimit-Limit-Requests": "9"}), now=NOW) == RateState(
        limit_requests=9
    )


@pytest.mark.parametrize(
    ("value", "reset_s"),
    [
        ("1s", 1.0),
        ("1m30.5s", 90.5),
        ("7.66", 7.66),
        ("0", 0.0),
        ("86400", LONGEST_S),
        ("48h", LONGEST_S),
        ("9999-01-01T00:00:00Z", LONGEST_S),
        ("2026-11-23T12:00:02", 2.0),
        ("1763899200", None),
        ("90000", None),
        ("2026-11-23", None),
        ("20261123", None),
        ("2026-13-41T99:00:00Z", None),
        ("-3s", None),
        ("NaN", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_reset_is_read_in_every_form(value: str, reset_s: float | None) -> None:
    """Durations, plain seconds and moments are seconds up to a day; anything else is not known."""
    state = rate_state({"x-ratelimit-reset-requests": value}, now=NOW)
    assert (None if state is None else state.reset_requests_s) == reset_s


@pytest.mark.parametrize(
    ("limit", "remaining", "expected"),
    [
        ("100", "40", (100, 40)),
        (" 100 ", "40.0", (100, 40)),
        ("100", "101", (100, None)),
        ("0", "0", (None, 0)),
        ("-1", "-1", None),
        ("1e3", "many", None),
        ("10.5", "", None),
        ("٣", "NaN", None),
        ("9" * 13, "", None),
        ("1" * 400, "inf", None),
    ],
)
def test_a_figure_that_cannot_be_true_is_not_known(
    limit: str, remaining: str, expected: tuple[int | None, int | None] | None
) -> None:
    """Whole positive limits, and no more remaining than the limit."""
    headers = {
        "anthropic-ratelimit-tokens-limit": limit,
        "anthropic-ratelimit-tokens-remaining": remaining,
    }
    state = rate_state(headers, now=NOW)
    assert (None if state is None else (state.limit_tokens, state.remaining_tokens)) == expected


@pytest.mark.parametrize("headers", [{}, {"retry-after": "3"}, {"x-ratelimit-limit": "5"}])
def test_headers_without_limits_say_nothing(headers: dict[str, str]) -> None:
    """Where no figure is known there is no state at all."""
    assert rate_state(headers, now=NOW) is None


@given(
    st.dictionaries(
        st.sampled_from([*OPENAI, *ANTHROPIC, *(f"llm_provider-{name}" for name in OPENAI)]),
        st.text(max_size=30) | st.integers().map(str) | st.datetimes().map(lambda m: m.isoformat()),
    ),
    st.timedeltas(min_value=timedelta(days=-9), max_value=timedelta(days=9)),
)
def test_no_header_breaks_the_reader(headers: dict[str, str], shift: timedelta) -> None:
    """Whatever the headers hold, each figure is None or finite, not negative and in its range."""
    state = rate_state(headers, now=NOW + shift)
    for value in [] if state is None else asdict(state).values():
        assert value is None or (math.isfinite(value) and 0 <= value <= 1e12)
