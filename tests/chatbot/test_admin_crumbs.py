"""Every page of the admin says where it stands by the names of the menu, and its own name after them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils.translation import override

from chatbot.admin_language import COOKIE
from chatbot.admin_menu import MENU, place_url
from tests.chatbot.role_stage import Stage, set_stage

pytestmark = pytest.mark.django_db
_CRUMBS = re.compile(r'<span class="bw-crumbs">(.*?)</span>\s*(?:<span|</h1>)', re.DOTALL)
_CRUMB = re.compile(r"<(?:a [^>]*|span)>(.*?)</(?:a|span)>")

# Pages beside a list, by what the menu has for them and what they are called.
OWN = {
    "cache_answer_import_answers": ("Cache", "Answers", "Import answers"),
    "cache_answer_recall": ("Cache", "Answers", "Revoke an answer"),
    "chatbot_dryrun_start": ("Routing", "Dry runs", "Start a dry run"),
    "chatbot_site_demo": ("Shop", "Site", "The demo shop"),
    "chatbot_tally_pin": ("Cache", "Answers", "Pin its answer"),
    "routing_killswitch_flip": ("Routing", "Kill switch", "Back to the published rules"),
    "routing_price_import_prices": ("Routing", "Prices", "Import prices"),
    "routing_ruleset_start_draft": ("Routing", "Rule sets", "Start a draft"),
}


@pytest.fixture
def stage() -> Stage:
    """Rows of every kind and a user per role."""
    return set_stage()


def _crumbs(client: Client, url: str) -> tuple[str, ...]:
    found = _CRUMBS.search(client.get(url).content.decode())
    assert found is not None, url
    return tuple(unescape(words) for words in _CRUMB.findall(found[1] + "</span>"))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_an_entry_of_the_menu_is_called_the_same_on_its_page(
    admin_client: Client, language: str
) -> None:
    """The section and the name as in the menu, in both languages, wherever the page's address hangs."""
    admin_client.cookies[COOKIE] = language
    places = [
        (section, name, place_url(place)) for section, rows in MENU for name, _, place in rows
    ]
    with override(language):
        wanted = {url: (str(section), str(name)) for section, name, url in places}

    assert {url: _crumbs(admin_client, url) for url in wanted} == wanted


def test_a_page_beside_a_list_says_its_own_name(stage: Stage) -> None:
    """After the entry that it belongs to."""
    client = Client()
    client.force_login(stage.users["S"])

    assert {name: _crumbs(client, stage.url(name)) for name in OWN} == OWN


def test_crumbs_lead_only_where_the_user_may_go(stage: Stage) -> None:
    """Who may not open the list reads its name without an address."""
    client = Client()
    client.force_login(stage.users["C"])
    page = client.get(place_url("chatbot_tally:capacity")).content.decode()
    client.force_login(stage.users["A"])
    question = client.get(
        f"{place_url('chatbot_question')}{stage.rows['chatbot_question']}/change/"
    )

    assert f'<a href="{place_url("chatbot_tally:capacity")}">Capacity</a>' in page
    assert f'<a href="{place_url("chatbot_question")}">Questions</a>' in question.content.decode()
