"""The admin's first page: its switches, and the rows behind its figures."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from chatbot.admin_ui import SiteTimeZone, navigation
from chatbot.models import Question, Site
from chatbot.report_zone import site_zone
from routing.models import Chain
from tests.chatbot.admin_rows import a_call, a_conversation, a_model, a_question, a_site

pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> None:
    """Three live questions of today: a hit, a miss with its call, a failure; and a simulated one."""
    a_site()
    now = timezone.now()
    talk = a_conversation(1)
    a_question(talk, cache="exact", accepted_at=now, total_ms=10)
    asked = a_question(
        talk, "Kayaks?", cache="miss", accepted_at=now, origin="template", tier="FAQ", total_ms=90
    )
    a_question(talk, "Late?", state=Question.FAILED, accepted_at=now, error_code="deadline")
    a_call("a", question_id=asked.pk, started_at=now, cost_nanousd=114_000, input_tokens=900)
    a_call("b", question_id=asked.pk, started_at=now, outcome="failed", failure="rate", status=429)
    a_question(a_conversation(1, simulated=True), cache="miss", accepted_at=now)


def _summary(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(reverse("admin:index") + query)
    assert response.status_code == 200
    found: dict[str, Any] = response.context["summary"]
    return found


@pytest.mark.parametrize("query", ["", "?range=7", "?range=30", "?range=nonsense&rows=nonsense"])
def test_page_opens_empty_and_for_every_range(admin_client: Client, query: str) -> None:
    """Without any row, even without a site, the page opens."""
    assert _summary(admin_client, query)["empty"]


def test_live_and_simulated_stay_apart(admin_client: Client, today: None) -> None:
    """The page shows live rows where there are any, and simulated ones only when asked."""
    live, simulated = _summary(admin_client), _summary(admin_client, "?rows=simulated")

    assert [page["tiles"][0].value for page in (live, simulated)] == ["3", "1"]
    assert (live["simulated"], simulated["simulated"]) == (False, True)


def test_simulated_rows_show_first_when_there_are_no_others(admin_client: Client) -> None:
    """A demo shop's page is not empty."""
    a_question(a_conversation(1, simulated=True), accepted_at=timezone.now())

    assert _summary(admin_client)["simulated"]


def test_every_link_opens_a_list_or_a_page(admin_client: Client, today: None) -> None:
    """No figure leads nowhere."""
    page = admin_client.get(reverse("admin:index")).content.decode()
    links = {unescape(url) for url in re.findall(r'href="(/admin/[^"]+)"', page)}

    assert len(links) > 20
    assert {url: admin_client.get(url).status_code for url in links if "logout" not in url} == {
        url: 200 for url in links if "logout" not in url
    }


def test_figure_and_its_list_agree(admin_client: Client, today: None) -> None:
    """Each counted cell of the tables leads to exactly as many rows as it says."""
    summary = _summary(admin_client)
    cells = [
        cell
        for table in summary["tables"]
        for line in table.lines
        for cell in line.cells
        if cell.url and cell.text.isdecimal()
    ]
    shown = {cell.url: len(admin_client.get(cell.url).context["cl"].result_list) for cell in cells}

    assert len(cells) >= 8
    assert shown == {cell.url: int(cell.text) for cell in cells}


def test_model_that_ends_soon_is_announced(admin_client: Client) -> None:
    """A model of a chain whose last day is near stands in a warning."""
    ends = (timezone.now() + timedelta(days=12)).date()
    Chain.objects.create(tier="FAQ", position=1, model=a_model("old", valid_until=ends))

    assert "ends in 12 days" in admin_client.get(reverse("admin:index")).content.decode()


def test_times_are_the_shops(rf: RequestFactory) -> None:
    """Within the admin the current zone is the site's; elsewhere it stays."""
    a_site()
    seen: list[str] = []
    middleware = SiteTimeZone(lambda _: seen.append(timezone.get_current_timezone_name()))  # type: ignore[arg-type, func-returns-value]
    middleware(rf.get("/admin/"))
    middleware(rf.get("/"))

    assert seen == ["Asia/Shanghai", "UTC"]


def test_unknown_zone_falls_back_to_utc() -> None:
    """A zone that the machine does not know breaks no page."""
    Site.objects.create(key="default", time_zone="Mars/Base")

    assert site_zone().key == "UTC"


def test_menu_holds_only_what_may_be_seen(rf: RequestFactory) -> None:
    """A user who may see calls finds calls, and nothing else, in the menu."""
    request = rf.get("/admin/")
    request.user = User.objects.create_user("clerk", is_staff=True)
    request.user.user_permissions.add(Permission.objects.get(codename="view_call"))
    titles = [item["title"] for group in navigation(request) for item in group["items"]]

    assert titles == ["Summary", "Calls"]
