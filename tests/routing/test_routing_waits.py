"""Claims about the waits that vendors ask for, in every form they are sent in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.vendors.waits import LONGEST_S, duration_s, header_wait_s, retry_after_s
from tests.routing.helpers import NOW


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("1.5", 1.5),
        (" 300 ", 300.0),
        ("Mon, 23 Nov 2026 12:00:07 GMT", 7.0),
        ("Mon, 23 Nov 2026 11:59:00 GMT", None),
        ("Mon, 23 Nov 2026 13:00:07 +0100", 7.0),
        ("soon", None),
        ("", None),
        ("-1", None),
        ("NaN", None),
        ("inf", None),
        ("1e9", LONGEST_S),
        ("1e999", None),
        ("１", None),
        ("1000000000", LONGEST_S),
        ("9" * 400, None),
        ("1m30s", 90.0),
        ("0s", 0.0),
    ],
)
def test_a_retry_after_value_is_read_in_every_form(value: str, wait_s: float | None) -> None:
    """Numbers, dates and durations are seconds; what is past, negative or unreadable is None."""
    assert header_wait_s(value, now=NOW) == wait_s


@pytest.mark.parametrize(
    ("value", "seconds_s"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1h2m3s", 3723.0),
        ("1m30.5s", 90.5),
        ("46s", 46.0),
        ("10h17m5.72s", 37025.72),
        ("250us", 0.00025),
        ("5", None),
        ("s", None),
        ("1d", None),
        ("-4s", None),
    ],
)
def test_a_duration_is_read_as_go_writes_it(value: str, seconds_s: float | None) -> None:
    """Units are told apart (`ms` is not minutes), and what is no duration is None."""
    assert duration_s(value) == pytest.approx(seconds_s)


@pytest.mark.parametrize(
    ("headers", "body_delay", "wait_s"),
    [
        ({"retry-after": "48", "retry-after-ms": "47500"}, "", 47.5),
        ({"retry-after": "7", "llm_provider-retry-after": "9"}, "", 7.0),
        ({"llm_provider-retry-after": "9"}, "", 9.0),
        ({"retry-after": "garbage"}, "46s", 46.0),
        ({}, "1.5s", 1.5),
        ({"retry-after-ms": "-3"}, "", None),
        ({}, "", None),
    ],
    ids=["ms wins", "own wins", "gateway's copy", "body", "body alone", "negative", "none"],
)
def test_the_most_exact_source_wins(
    headers: dict[str, str], body_delay: str, wait_s: float | None
) -> None:
    """Milliseconds before seconds, own headers before copies, headers before the body."""
    assert retry_after_s(headers, now=NOW, body_delay=body_delay) == wait_s


@given(st.text())
def test_no_header_breaks_the_reader(value: str) -> None:
    """Whatever a header holds, the wait is None or a finite number of seconds within a day."""
    wait_s = retry_after_s({"retry-after": value, "retry-after-ms": value}, now=NOW)
    assert wait_s is None or (math.isfinite(wait_s) and 0 <= wait_s <= LONGEST_S)
