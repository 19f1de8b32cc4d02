"""Claims about alerts: one per cause, told once, told again when it happens again later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from routing.alerts import acknowledge, record
from routing.errors import Kind
from routing.models import Alert, Call
from routing.notices import Notice
from routing.sending import Channels, address_problem, send_due
from routing.tasks import watch_refusals
from tests.chatbot.admin_rows import a_call
from tests.routing.helpers import NOW
from tests.routing.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOTICE = Notice("budget:1:80", severe=False, text="80 %", page=("x", None), quiet_until=NOW + HOUR)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where the webhook leads."""
    with receiving() as running:
        yield running


@pytest.fixture
def channels(receiver: Receiver) -> Channels:
    """Both channels, on this machine."""
    return Channels(
        webhook_url=receiver.url,
        emails=("ops@example.com",),
        sender="shop@example.com",
        origin="https://shop.example",
        allow_loopback=True,
    )


def test_a_cause_is_one_row() -> None:
    """Happening again within its period raises the count and keeps the newest words."""
    for minutes, text in enumerate(("80 %", "81 %", "82 %")):
        record(replace(NOTICE, text=text), now=NOW + timedelta(minutes=minutes))
    row = Alert.objects.get()
    assert (row.count, row.text, row.first_at, row.last_at) == (
        3,
        "82 %",
        NOW,
        NOW + timedelta(minutes=2),
    )


def test_acknowledged_is_quiet_until_its_period_is_over() -> None:
    """Within the period nothing new stands up; after it there is a new alert."""
    record(NOTICE, now=NOW)
    assert acknowledge([Alert.objects.get().id], by="kim", now=NOW) == 1
    record(NOTICE, now=NOW + timedelta(minutes=59))
    assert Alert.objects.filter(acknowledged_at__isnull=True).count() == 0
    record(replace(NOTICE, quiet_until=NOW + 2 * HOUR), now=NOW + HOUR)
    assert Alert.objects.filter(acknowledged_at__isnull=True).count() == 1
    assert Alert.objects.count() == 2


def test_webhook_and_mail_get_an_alert_once(receiver: Receiver, channels: Channels) -> None:
    """However often it happens within its period; with the link that puts it right."""
    for _ in range(3):
        record(NOTICE, now=NOW)
        send_due(channels, now=NOW)
    assert receiver.bodies == [
        {
            "cause": "budget:1:80",
            "severity": "warning",
            "text": "80 %",
            "link": "https://shop.example/admin/",
            "count": 1,
            "first_at": NOW.isoformat(),
            "last_at": NOW.isoformat(),
        }
    ]
    assert [message.to for message in mail.outbox] == [["ops@example.com"]]
    assert "https://shop.example/admin/" in mail.outbox[0].body


def test_a_new_period_is_told_again_in_the_same_row(receiver: Receiver, channels: Channels) -> None:
    """An alert that nobody acknowledged is sent once per period, and stays one row."""
    record(NOTICE, now=NOW)
    send_due(channels, now=NOW)
    record(replace(NOTICE, quiet_until=NOW + 3 * HOUR), now=NOW + HOUR)
    send_due(channels, now=NOW + HOUR)
    send_due(channels, now=NOW + 2 * HOUR)
    assert (len(receiver.bodies), Alert.objects.get().count) == (2, 2)


def test_what_fails_is_tried_again_later(receiver: Receiver, channels: Channels) -> None:
    """After a growing wait, and only over the channel that failed."""
    receiver.statuses = [500, 302]
    record(NOTICE, now=NOW)
    sent = [send_due(channels, now=NOW + timedelta(seconds=s)) for s in (0, 29, 30, 89, 90, 200)]
    assert sent == [0, 0, 0, 0, 1, 0]
    assert receiver.paths == ["/", "/", "/"]
    assert len(mail.outbox) == 1
    assert Alert.objects.get().send_error == ""


def test_a_dead_address_is_bounded_and_said(channels: Channels) -> None:
    """Nobody listens: the row says so, without the address, which may hold a secret."""
    record(NOTICE, now=NOW)
    dead = replace(channels, webhook_url="http://127.0.0.1:9/secret", emails=())
    assert send_due(dead, now=NOW) == 0
    assert Alert.objects.get().send_error == "webhook: ConnectError"


def test_an_acknowledged_alert_is_not_sent(receiver: Receiver, channels: Channels) -> None:
    """Somebody knows already."""
    record(NOTICE, now=NOW)
    acknowledge([Alert.objects.get().id], by="kim", now=NOW)
    assert send_due(channels, now=NOW) == 0
    assert receiver.bodies == []


def test_without_channels_nothing_is_sent() -> None:
    """The row on the admin's pages is then all there is."""
    record(NOTICE, now=NOW)
    assert send_due(Channels(), now=NOW) == 0
    assert Alert.objects.get().send_attempts == 0


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://hooks.example/x?y=1", None),
        ("http://hooks.example/x", "https"),
        ("http://127.0.0.1:1/x", "on this machine"),
        ("https://localhost/x", "on this machine"),
        ("file:///etc/passwd", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://a b/", "cannot be read"),
    ],
)
def test_where_a_webhook_may_lead(url: str, problem: str | None) -> None:
    """To any https address; to this machine only where that is allowed."""
    found = address_problem(url, allow_loopback=False)
    assert (problem or "") in (found or "")
    assert (found is None) is (problem is None)


@pytest.mark.parametrize(("invalid", "others", "told"), [(2, 0, 0), (3, 996, 1), (3, 2_997, 0)])
def test_refused_requests_of_our_making_are_told(invalid: int, others: int, told: int) -> None:
    """From three and more than one in a thousand on."""
    from django.utils import timezone

    now: Any = timezone.now()
    failures = [Kind.INVALID.value] * invalid + [""] * others
    for number, failure in enumerate(failures[:3]):
        a_call(f"a-{number}", failure=failure, started_at=now)
    Call.objects.bulk_create(
        Call(
            attempt_id=f"b-{number}",
            endpoint_key="v",
            model_asked="m",
            failure=failure,
            started_at=now,
        )
        for number, failure in enumerate(failures[3:])
    )
    assert watch_refusals() is bool(told)
    assert Alert.objects.filter(cause="invalid-requests").count() == told
