"""Pages beside the first page: exports, pinning, capacity; and what a cost viewer may see."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cache.models import Answer, Lookup
from chatbot.reports.export import FORMULA_SIGNS, as_csv, safe_cell
from tests.chatbot.admin_rows import a_call, a_conversation, a_question, an_answer

pytestmark = pytest.mark.django_db
EVIL = '=HYPERLINK("http://evil.example","?")'


@pytest.fixture
def asked() -> int:
    """Today's dearest question, in the words of an attacker, whose answer was stored; returns its id."""
    answer, now = an_answer(1), timezone.now()
    question = a_question(
        a_conversation(1), EVIL, cache="miss", origin="model", tier="FAQ", accepted_at=now
    )
    a_call("a", question_id=question.pk, cost_nanousd=123_456_789, started_at=now)
    Lookup.objects.create(
        question_id=question.pk,
        site_id=1,
        partition=answer.partition,
        outcome="miss",
        stored=answer,
        reason="r",
        at=now,
    )
    return question.pk


@pytest.fixture
def cost_viewer(client: Client) -> Client:
    """Staff who may see figures and nothing else."""
    user = User.objects.create_user("costs", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_figures"))
    client.force_login(user)
    return client


def _export(client: Client, key: str, query: str = "") -> list[list[str]]:
    response = client.get(reverse("admin:chatbot_tally_export", args=[key]) + query)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
def test_texts_cannot_be_formulas(sign: str) -> None:
    """What a spreadsheet would run begins with an apostrophe; numbers stay numbers."""
    assert safe_cell(f"{sign}1+1") == f"'{sign}1+1"
    assert (safe_cell(-5), safe_cell(Decimal("-0.25")), safe_cell("a=b")) == ("-5", "-0.25", "a=b")
    assert "\n'" in as_csv(("a",), [(f"{sign}x",)]).replace('"', "")


def test_shoppers_formula_is_exported_as_text(admin_client: Client, asked: int) -> None:
    """The dearest question's text is defused, its cost exact, and actions are left out."""
    assert _export(admin_client, "dearest") == [
        ["Question", "Calls", "Cost"],
        [f"'{EVIL}", "1", "0.123456789"],
    ]


def test_tables_of_the_page_are_exported(admin_client: Client, asked: int) -> None:
    """Each has an address of its own; those tried hold as many lines as the page shows."""
    tables = admin_client.get(reverse("admin:index")).context["summary"]["tables"]
    keys = [table.key for table in tables]

    assert len(set(keys)) == len(keys) >= 15
    for table in tables[:4]:
        response = admin_client.get(table.export_url)
        lines = list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))
        assert (table.key, len(lines)) == (table.key, len(table.lines) + 1)


def test_unknown_table_is_not_found(admin_client: Client) -> None:
    """No export of what is not there."""
    url = reverse("admin:chatbot_tally_export", args=["secrets"])

    assert admin_client.get(url).status_code == 404


def test_cost_viewer_sees_figures_and_no_words(cost_viewer: Client, asked: int) -> None:
    """Costs are there; shoppers' texts, and links to pages that are not for them, are not."""
    page = cost_viewer.get(reverse("admin:index"))
    shown = page.content.decode()
    keys = {table.key for table in page.context["summary"]["tables"]}

    assert "$0.123" in shown
    assert "HYPERLINK" not in shown
    assert not {"gaps", "most-asked"} & keys
    assert "/admin/chatbot/question/" not in shown
    assert _export(cost_viewer, "dearest")[1] == [f"#{asked}", "1", "0.123456789"]
    for name, given in (("export", ["gaps"]), ("export", ["most-asked"])):
        assert (
            cost_viewer.get(reverse(f"admin:chatbot_tally_{name}", args=given)).status_code == 404
        )
    assert cost_viewer.get(reverse("admin:chatbot_tally_pin", args=[asked])).status_code == 403
    assert cost_viewer.get(reverse("admin:chatbot_tally_capacity")).status_code == 200


def test_without_the_right_there_are_no_figures(client: Client, asked: int) -> None:
    """Other staff get a first page without figures, no export and no capacity."""
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    page = client.get(reverse("admin:index"))

    assert (page.status_code, page.context["summary"]) == (200, None)
    for url in (
        reverse("admin:chatbot_tally_export", args=["dearest"]),
        reverse("admin:chatbot_tally_capacity"),
    ):
        assert client.get(url).status_code == 403


def test_dearest_question_is_pinned_from_the_page(admin_client: Client, asked: int) -> None:
    """The first page leads to the answer; one button pins it, and the log says who did."""
    url = reverse("admin:chatbot_tally_pin", args=[asked])
    assert url in admin_client.get(reverse("admin:index")).content.decode()
    assert "By ship 1." in admin_client.get(url).content.decode()
    admin_client.post(url)

    assert Answer.objects.get().status == Answer.PINNED
    assert LogEntry.objects.filter(change_message__contains=f"question {asked}").count() == 1


def test_question_without_a_stored_answer_leads_to_an_article(admin_client: Client) -> None:
    """Nothing to pin: the page offers to write an article with the question's words."""
    question = a_question(a_conversation(1), "Do you rent kayaks?")
    url = reverse("admin:chatbot_tally_pin", args=[question.pk])
    page = admin_client.get(url).content.decode()

    assert "asked_as=Do+you+rent+kayaks%3F" in page
    assert admin_client.post(url).status_code == 200


def test_gap_leads_to_an_article_with_its_wordings(admin_client: Client) -> None:
    """The form for a new article is filled in with title, language and what was asked."""
    now, talk = timezone.now(), a_conversation(1)
    for text in ("Do you rent kayaks?", "Can I rent a kayak?"):
        a_question(talk, text, cache="miss", origin="template", tier="FAQ", accepted_at=now)
    page = admin_client.get(reverse("admin:index")).context["summary"]
    (line,) = next(table for table in page["tables"] if table.key == "gaps").lines
    form = admin_client.get(line.cells[-1].url).content.decode()

    assert 'value="Can I rent a kayak?"' in form or 'value="Do you rent kayaks?"' in form
    assert all(text in form for text in ("Do you rent kayaks?", "Can I rent a kayak?"))


@pytest.mark.parametrize(
    ("query", "chosen", "days"),
    [
        ("?from=2026-11-01&to=2026-11-03", "custom", 3),
        ("?from=2026-11-03&to=2026-11-01", "custom", 3),
        ("?from=2020-01-01&to=2026-11-01", "custom", 92),
        ("?from=nonsense", "1", 1),
        ("?range=yesterday&zone=Mars/Base", "yesterday", 1),
        ("?range=30&zone=America/New_York", "30", 30),
    ],
)
def test_days_and_zone_are_chosen(admin_client: Client, query: str, chosen: str, days: int) -> None:
    """By name or by hand, at most 92 days; nonsense falls back."""
    choice = admin_client.get(reverse("admin:index") + query).context["summary"]["choice"]

    assert (choice.chosen, choice.span.days) == (chosen, days)
    assert choice.span.zone.key == ("America/New_York" if "New_York" in query else "UTC")


def test_capacity_page_computes_from_what_is_typed(admin_client: Client) -> None:
    """Figures in the address replace the measured ones; nonsense is said beside its field."""
    url = reverse("admin:chatbot_tally_capacity")
    page = admin_client.get(url + "?questions=12000&without=50")
    wrong = admin_client.get(url + "?questions=many").content.decode()

    assert page.context["card"].offered == "12,000.00"
    assert "Enter a number" in wrong
