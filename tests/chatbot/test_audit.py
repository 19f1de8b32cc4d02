"""Whatever staff change is written down, and read by those who may see the row."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from base.audit import note
from tests.chatbot.admin_rows import an_answer
from tests.chatbot.role_matrix import VIEWS
from tests.chatbot.role_stage import (
    Stage,
    model_of,
    posted,
    set_stage,
    status_of,
)

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "zebra-crossing-7131"


@pytest.fixture
def stage() -> Stage:
    """Rows of every kind and a user per role."""
    return set_stage()


def test_everything_that_changes_something_is_written_down(stage: Stage) -> None:
    """Each page that changes a row leaves an entry with the user's name; so does each action."""
    silent = []
    for name, view in VIEWS.items():
        if view.post is None:
            continue
        with transaction.atomic():
            before = LogEntry.objects.filter(user=stage.users["S"]).count()
            status_of(stage.url(name), stage.users["S"], post=posted(stage, view))
            if LogEntry.objects.filter(user=stage.users["S"]).count() <= before:
                silent.append(name)
            transaction.set_rollback(True)

    assert silent == []


@pytest.mark.parametrize(
    ("kind", "action"),
    [("cache_answer", "pin"), ("cache_wording", "suspend"), ("cache_wording", "restore")],
)
def test_actions_are_written_down(stage: Stage, kind: str, action: str) -> None:
    """An action leaves an entry per row that it changed."""
    if action == "restore":
        model_of(kind).objects.update(suspended_at=timezone.now())
    post = {"action": action, "_selected_action": str(stage.rows[kind])}
    status_of(reverse(f"admin:{kind}_changelist"), stage.users["K"], post=post)

    entry = LogEntry.objects.get(user=stage.users["K"])
    assert (entry.object_id, entry.action_flag) == (str(stage.rows[kind]), CHANGE)


def test_old_and_new_values_are_kept(stage: Stage, admin_client: Client) -> None:
    """The audit shows each changed field from its old value to its new one, also of rows beside a row."""
    budget = model_of("routing_budget").objects.get()
    form = {"limit_nanousd": "7.50", "period": "day", "time_zone": "UTC", "model": budget.model_id}
    admin_client.post(reverse("admin:routing_budget_change", args=[budget.pk]), form)
    page = admin_client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    exported = admin_client.get(reverse("admin:admin_logentry_export")).content.decode()

    assert "1.00 → 7.50" in page
    assert "1.00 → 7.50" in exported


def test_audit_shows_only_rows_that_one_may_see(stage: Stage) -> None:
    """An entry about a row that a role may not see is not in its audit, by no filter and no search."""
    note([model_of("chatbot_conversation").objects.get()], SECRET, user=stage.users["S"])
    client = Client()
    client.force_login(stage.users["K"])
    url = reverse("admin:admin_logentry_changelist")
    found = client.get(url, {"q": SECRET}).context["cl"].result_list
    pages = [client.get(url), client.get(reverse("admin:admin_logentry_export"))]
    client.force_login(stage.users["S"])

    assert list(found) == []
    assert not any(SECRET in page.content.decode() for page in pages)
    assert SECRET in client.get(url).content.decode()


def test_exported_audit_holds_no_formula(stage: Stage, admin_client: Client) -> None:
    """A row whose name begins like a formula is text in a spreadsheet."""
    answer = an_answer(9)
    answer.text = "=HYPERLINK(1)"
    note([answer], "@SUM(1)", user=stage.users["S"])
    text = admin_client.get(reverse("admin:admin_logentry_export")).content.decode()

    assert "'=HYPERLINK" in text and "'@SUM" in text


def test_changes_that_need_a_running_site_are_shown_elsewhere() -> None:
    """Where a page's change cannot be made here, the file that is named looks at its entry."""
    files = {view.shown_in for view in VIEWS.values() if view.shown_in}

    assert files
    assert all("LogEntry" in (ROOT / name).read_text(encoding="utf-8") for name in files)
