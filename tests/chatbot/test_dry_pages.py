"""Dry runs in the admin: started by those who may, read as a report, stopped, and ended when their process died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from base.clock import ManualClock
from cache.embedding import Embedder
from chatbot.dry_launch import DIED, end_silent
from chatbot.dry_run import Parts, run
from chatbot.dry_view import loads
from chatbot.models import DryRun
from chatbot.tasks import start_dry_runs
from routing.models import Model
from tests.chatbot.dry_rows_made import NOW, draft_of, past, published, waiting
from tests.conftest import ROOT

START = "admin:chatbot_dryrun_start"
RULE = {"name": "facts", "any_of": ["courier"], "tier": "FAQ"}


@pytest.fixture(autouse=True)
def asked_for(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """No worker listens here: what would be sent to it is noted."""
    settings.DATA_DIR = ROOT / "data" / "test"
    sent: list[str] = []
    monkeypatch.setattr(start_dry_runs, "delay", lambda: sent.append("dry runs"))
    return sent


def page_of(client: Client, row: DryRun, **query: Any) -> str:
    """The report's page."""
    return client.get(reverse("admin:chatbot_dryrun_change", args=[row.pk]), query).content.decode()


def test_staff_start_a_run_and_read_its_report(
    seeded: None, admin_client: Client, embedder: Embedder, asked_for: list[str]
) -> None:
    """The draft's page leads to the form, one click on a variant starts it, and the report names the factor and
    whether the limits hold the peak."""
    published(RULE)
    past(["which courier do you use"] * 12, tokens=(200, 800))
    draft = draft_of(RULE)
    address = f"{reverse(START)}?set={draft.pk}"
    page = admin_client.get(reverse("admin:routing_ruleset_change", args=[draft.pk]))
    assert address in page.content.decode()
    form = admin_client.get(address)
    assert f'<option value="{draft.pk}" selected>' in form.content.decode()
    quick = f"FAQ|model:{Model.objects.get(endpoint__key='holysheep', name='deepseek-v3.2').pk}"
    assert f'value="{quick}"' in form.content.decode()
    values = {"rule_set": draft.pk, "count": 100, "rows": "live", "quick": quick}
    answer = admin_client.post(reverse(START), values)
    row = DryRun.objects.get()
    assert answer.url == reverse("admin:chatbot_dryrun_change", args=[row.pk])
    assert (asked_for, LogEntry.objects.count()) == (["dry runs"], 1)
    assert "data-dry-run" in page_of(admin_client, row)

    run(row, Parts.load(embedder, clock=ManualClock(now=NOW), has_key=lambda _: True))
    report = page_of(admin_client, row)
    assert "times cheaper than now" in report
    assert '<span class="bw-tile-value" data-figure="moved">12</span>' in report
    assert "which courier do you use" in report
    row.refresh_from_db()
    (load,) = loads(row.result, peak=100.0)[:1]
    assert (load.after_rpm, load.used, load.tone) == (6_000.0, pytest.approx(7.5), "bad")
    assert "750% of tokens per minute" in page_of(admin_client, row, peak="100")


@pytest.mark.django_db
def test_starting_reading_and_the_texts_need_their_own_rights(client: Client) -> None:
    """Who may look sees earlier runs but starts and stops none; shoppers' words need the right to read them."""
    row = waiting(draft_of(RULE))
    user = User.objects.create_user("kim", is_staff=True)
    client.force_login(user)
    state = reverse("admin:chatbot_dryrun_state", args=[row.pk])
    stop = reverse("admin:chatbot_dryrun_stop", args=[row.pk])
    assert [client.get(url).status_code for url in (reverse(START), state)] == [403, 403]
    user.user_permissions.add(Permission.objects.get(codename="view_dryrun"))
    assert client.get(state).json() == {"state": "waiting", "is_open": True, "done": 0, "total": 0}
    assert stop not in page_of(client, row)
    assert client.post(stop).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="run_dryrun"))
    assert client.get(reverse(START)).status_code == 200
    assert client.get(stop).status_code == 403
    client.post(stop)
    row.refresh_from_db()
    assert row.state == DryRun.STOPPED


@pytest.mark.django_db
def test_file_that_does_not_fit_starts_nothing(admin_client: Client) -> None:
    """The form says what is wrong with the file; half a variant is refused too."""
    draft = draft_of(RULE)
    values = {"rule_set": draft.pk, "count": 5, "rows": "live"}
    upload = SimpleUploadedFile("q.csv", b"words\nx\n")
    answers = [
        admin_client.post(reverse(START), {**values, "upload": upload}),
        admin_client.post(reverse(START), {**values, "tier": "FAQ"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "needs a column named text" in answers[0].content.decode()
    assert not DryRun.objects.exists()


@pytest.mark.django_db
def test_run_whose_process_died_is_ended(admin_client: Client) -> None:
    """After three silent minutes the row says what to do; one that still speaks goes on."""
    now = timezone.now()
    rows = [waiting(draft_of(RULE)) for _ in range(2)]
    for row, ago in zip(rows, (timedelta(minutes=4), timedelta(minutes=1)), strict=True):
        DryRun.objects.filter(pk=row.pk).update(state=DryRun.RUNNING, seen_at=now - ago)
    assert end_silent(now=now) == 1
    states = list(DryRun.objects.order_by("pk").values_list("state", flat=True))

    assert states == [DryRun.FAILED, DryRun.RUNNING]
    assert DIED in page_of(admin_client, rows[0])
