"""Claims about vendors' account pages: read without trust, compared with the ledger, told when apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from base.clock import ManualClock
from routing.accounts import Reading, Unreadable, drift_share, read_balance, read_usage
from routing.accounts import spent_between as between
from routing.models import Alert, Call, Endpoint, Statement
from routing.reconcile import Asker, reconcile_due
from simulator.running import RunningSimulator
from tests.chatbot.admin_rows import a_call
from tests.routing.helpers import KEY, NOW
from tests.routing.receiver import Receiver, receiving

LIST = 1_000_000_000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"usage": 1.5, "limit": 10, "remaining": 8.5}, (1.5, 10, 8.5)),
        ({"usage": "1.50", "limit": "10", "remaining": None}, (1.5, 10, None)),
        ({"usage": 0, "limit": 0, "remaining": 0}, (0, None, 0)),
        ({"usage": 2, "limit": None}, (2, None, None)),
        ({"usage": 2, "limit": -1, "remaining": "much"}, (2, None, None)),
        ({"usage": 2, "limit": float("inf"), "remaining": float("nan")}, (2, None, None)),
        ({"usage": 2, "limit": True, "remaining": [1]}, (2, None, None)),
        ({"usage": 2, "limit": "9" * 400}, (2, None, None)),
    ],
)
def test_a_usage_page_is_read_without_trust(body: dict[str, Any], expected: Any) -> None:
    """Numbers, texts, nulls and nonsense; a limit of 0 is none and divides nothing."""
    reading = read_usage(body, currency="CNY")
    figures = (reading.used_nano, reading.limit_nano, reading.remaining_nano)
    assert figures == tuple(None if value is None else int(value * LIST) for value in expected)
    assert reading.left_percent in (None, 85)


@pytest.mark.parametrize("body", [{}, [], None, "x", 7, {"usage": None}, {"usage": "a lot"}])
def test_a_page_without_figures_is_unreadable(body: object) -> None:
    """Whatever it is, it is said, and nothing breaks."""
    with pytest.raises(Unreadable):
        read_usage(body, currency="CNY")
    with pytest.raises(Unreadable):
        read_balance(body, currency="USD")


def test_a_balance_is_text_in_several_currencies() -> None:
    """The entry in our currency counts; without one, the first."""
    infos = [
        {"currency": "CNY", "total_balance": "110.00"},
        {"currency": "USD", "total_balance": "4.25"},
    ]
    body = {"is_available": False, "balance_infos": infos}
    ours, other = read_balance(body, currency="USD"), read_balance(body, currency="EUR")
    assert (ours.remaining_nano, ours.currency, ours.is_available) == (4_250_000_000, "USD", False)
    assert (other.remaining_nano, other.currency) == (110 * LIST, "CNY")


@pytest.mark.parametrize("moment", ["2026-12-01T00:00:00+00:00", 1_796_083_200, "2026-12-01"])
def test_a_reset_may_be_text_or_a_number(moment: object) -> None:
    """ISO dates and seconds since 1970 are understood, anything else is not told."""
    assert read_usage({"usage": 1, "reset_at": moment}, currency="CNY").reset_at == datetime(
        2026, 12, 1, tzinfo=UTC
    )
    assert read_usage({"usage": 1, "reset_at": "soon"}, currency="CNY").reset_at is None


def test_what_cannot_be_compared_is_not() -> None:
    """A new period, a top-up and another currency say nothing about drift."""
    used, more = Reading("CNY", used_nano=5), Reading("CNY", used_nano=9)
    assert between(used, more, read_at=NOW) == 4
    assert between(more, used, read_at=NOW) is None
    assert between(Reading("USD", used_nano=5), more, read_at=NOW) is None
    assert between(Reading("CNY", used_nano=5, reset_at=NOW), more, read_at=NOW) is None
    left, less = Reading("USD", remaining_nano=9), Reading("USD", remaining_nano=5)
    assert between(left, less, read_at=NOW) == 4
    assert between(less, left, read_at=NOW) is None
    assert between(left, more, read_at=NOW) is None


def test_drift_is_a_share_and_rounding_is_none() -> None:
    """Two hundredths are the rounding of a balance; no sum divides by zero."""
    assert drift_share(vendor_nano=0, ledger_nano=0) == 0.0
    assert drift_share(vendor_nano=10_000_000, ledger_nano=0) == 0.0
    assert drift_share(vendor_nano=LIST, ledger_nano=0) == 1.0
    assert drift_share(vendor_nano=100 * LIST, ledger_nano=97 * LIST) == pytest.approx(0.03)
    assert drift_share(vendor_nano=None, ledger_nano=1) is None


@pytest.fixture
def page() -> Iterator[Receiver]:
    """A vendor's account page."""
    with receiving() as running:
        yield running


@pytest.fixture
def asker() -> Asker:
    """Asks this machine, on a clock of its own."""
    return Asker(allowed_hosts=(), allow_loopback=True, clock=ManualClock(now=NOW))


@pytest.fixture
def endpoint(db: None, page: Receiver, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """A gateway with a usage page."""
    monkeypatch.setenv("HOLYSHEEP_API_KEY", KEY)
    monkeypatch.delenv("HOLYSHEEP_BASE_URL", raising=False)
    return Endpoint.objects.create(
        key="holysheep",
        name="HolySheep",
        kind="chat_completions",
        base_url=f"{page.url}/v1",
        base_url_env="HOLYSHEEP_BASE_URL",
        key_env="HOLYSHEEP_API_KEY",
        currency="CNY",
        account="usage",
    )


def read(asker: Asker, page: Receiver, **body: Any) -> Statement:
    """One day later, with this page."""
    page.page = json.dumps(body).encode()
    asker.clock.advance(86_400)  # type: ignore[attr-defined]
    return reconcile_due(asker)[0]


def booked(attempt: str, units: float, **more: Any) -> Call:
    """A call that the ledger booked an hour ago by the asker's clock."""
    values = {"endpoint_key": "holysheep", "currency": "CNY", "amount_nano": int(units * LIST)}
    return a_call(attempt, **(values | {"simulated": True} | more))


def test_two_readings_are_held_against_the_ledger(
    endpoint: Endpoint, page: Receiver, asker: Asker
) -> None:
    """What the vendor counted between them and what we booked; apart by more than 2 % is told."""
    first = read(asker, page, usage=100, limit=1_000, remaining=900)
    booked("a", 10, ended_at=asker.clock.now() + timedelta(hours=1))
    booked("b", 99, ended_at=asker.clock.now() - timedelta(hours=1))
    booked("c", 99, ended_at=asker.clock.now() + timedelta(hours=1), simulated=False)
    second = read(asker, page, usage=110.1, limit=1_000, remaining=890)
    booked("d", 10, ended_at=asker.clock.now() + timedelta(hours=1))
    assert not Alert.objects.exists()
    third = read(asker, page, usage=121, limit=1_000, remaining=880)
    assert first.problem == "the first reading: nothing to compare with yet"
    assert (second.vendor_nano, second.ledger_nano) == (int(10.1 * LIST), 10 * LIST)
    assert (third.vendor_nano, third.ledger_nano) == (int(10.9 * LIST), 10 * LIST)
    assert [alert.cause for alert in Alert.objects.all()] == ["drift:holysheep"]
    assert page.keys[0] == f"Bearer {KEY}"
    assert page.paths[0] == "/v1/usage"


@pytest.mark.parametrize(("remaining", "cause"), [(210, None), (200, "80"), (100, "90"), (0, "90")])
def test_the_vendor_s_own_limit_is_watched(
    endpoint: Endpoint, page: Receiver, asker: Asker, remaining: int, cause: str | None
) -> None:
    """20 % and 10 % left of what the vendor says."""
    read(asker, page, usage=1_000 - remaining, limit=1_000, remaining=remaining)
    assert [alert.cause for alert in Alert.objects.all()] == (
        [f"account:holysheep:{cause}"] if cause else []
    )


@pytest.mark.parametrize(
    ("statuses", "content", "problem"),
    [
        ([404], b"", "the page answered 404"),
        ([401], b"{}", "the page answered 401"),
        ([302], b"", "the page answered 302"),
        ([], b"<html>Sign in</html>", "the page is not JSON"),
        ([], b"\xff\xfe", "the page is not JSON"),
        ([], b'{"usage": null}', "the page tells no usage"),
        ([], b"[" * 70_000, "the page is too long or too slow"),
    ],
)
def test_a_missing_page_is_noted_and_changes_nothing(
    endpoint: Endpoint,
    page: Receiver,
    asker: Asker,
    statuses: list[int],
    content: bytes,
    problem: str,
) -> None:
    """The ledger decides; a page that cannot be read is no alert and no failure."""
    page.statuses, page.page = statuses, content
    assert [row.problem for row in reconcile_due(asker)] == [problem]
    assert not Alert.objects.exists()


def test_keys_go_to_allowed_hosts_only(endpoint: Endpoint, page: Receiver, asker: Asker) -> None:
    """The same rule as for calls; an endpoint without a key is not asked."""
    strict = Asker(allowed_hosts=(), allow_loopback=False, clock=asker.clock)
    assert "must begin with https" in reconcile_due(strict)[0].problem
    assert page.keys == []


def test_once_a_day_is_enough(endpoint: Endpoint, page: Receiver, asker: Asker) -> None:
    """A second run on the same day asks nobody."""
    read(asker, page, usage=1)
    assert reconcile_due(asker) == []


def test_the_command_compares_with_the_simulator(
    db: None, vendors_at_simulator: RunningSimulator
) -> None:
    """Both kinds of page as the local vendor serves them, one line each."""
    from chatbot.seeding import seed

    seed()
    out = StringIO()
    call_command("reconcile_usage", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line.split(":")[0] for line in sorted(lines)] == ["DeepSeek", "HolySheep"]
    assert "left 1,000,000.0000 USD" in out.getvalue()
    assert "used 0.0000 CNY; limit 1,000,000.0000 CNY" in out.getvalue()
    assert Statement.objects.filter(problem__startswith="the first reading").count() == 2
