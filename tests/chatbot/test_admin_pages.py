"""Every list and page of the admin opens, and costs no more queries when its rows double."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chatbot.templatetags.empty import NOTHING_YET
from tests.chatbot.admin_rows import EVERY_KIND, fill

pytestmark = pytest.mark.django_db


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


def test_every_registered_kind_is_tested() -> None:
    """The list of kinds below is the list of what the admin registers."""
    registered = {
        f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry
    }

    assert registered - {"auth_group"} == set(EVERY_KIND)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_list_queries_do_not_grow_with_rows(admin_client: Client, kind: str) -> None:
    """A list answers with the same number of queries for twice the rows."""
    url = reverse(f"admin:{kind}_changelist")
    fill(0, 3)
    before = _queries(admin_client, url)
    fill(3, 6)

    assert _queries(admin_client, url) == before


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_page_opens(admin_client: Client, kind: str) -> None:
    """The page of a row answers."""
    fill(0, 1)
    row = apps.get_model(*kind.split("_")).objects.order_by("pk").first()

    assert admin_client.get(reverse(f"admin:{kind}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "chatbot_article",
        "chatbot_product",
        "chatbot_site",
        "routing_chain",
        "routing_endpoint",
        "routing_model",
        "routing_price",
        "routing_exchangerate",
        "routing_budget",
        "routing_quota",
        "auth_user",
        "auth_group",
    ],
)
def test_form_for_a_new_row_opens(admin_client: Client, kind: str) -> None:
    """What staff may add has a form."""
    assert admin_client.get(reverse(f"admin:{kind}_add")).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "chatbot_conversation",
        "chatbot_question",
        "chatbot_frame",
        "chatbot_feedback",
        "chatbot_outbox",
        "chatbot_tally",
        "cache_lookup",
        "routing_call",
        "routing_hold",
        "routing_alert",
        "routing_statement",
    ],
)
def test_what_the_product_writes_is_read_only(admin_client: Client, kind: str) -> None:
    """Nobody adds, changes or deletes rows that the product writes."""
    fill(0, 1)
    row = apps.get_model(*kind.split("_")).objects.order_by("pk").first()
    attempts = [
        admin_client.post(reverse(f"admin:{kind}_add")),
        admin_client.post(reverse(f"admin:{kind}_change", args=[row.pk]), {}),
        admin_client.post(reverse(f"admin:{kind}_delete", args=[row.pk]), {"post": "yes"}),
    ]

    assert [attempt.status_code for attempt in attempts] == [403, 403, 403]


@pytest.mark.parametrize(
    "kind", ["chatbot_question", "chatbot_frame", "cache_lookup", "routing_call"]
)
def test_large_lists_are_never_counted(admin_client: Client, kind: str) -> None:
    """A list of an ever growing table asks for no count of its rows."""
    fill(0, 1)
    table = apps.get_model(*kind.split("_"))._meta.db_table
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(reverse(f"admin:{kind}_changelist"))
    counts = [
        row["sql"]
        for row in captured
        if row["sql"].startswith(f'SELECT COUNT(*) AS "__count" FROM "{table}"')
    ]

    assert counts == []


@pytest.mark.parametrize(
    ("kind", "query", "expected"),
    [
        ("chatbot_question", "cache=hit", 1),
        ("chatbot_question", "cache=miss", 0),
        ("chatbot_question", "guarded=yes", 1),
        ("chatbot_question", "unanswered=yes", 0),
        ("chatbot_question", "q=courier", 1),
        ("chatbot_conversation", "q=courier", 1),
        ("cache_lookup", "closeness=vetoed", 1),
        ("cache_lookup", "closeness=near", 0),
        ("cache_answer", "language=en", 1),
        ("cache_answer", "q=How", 1),
        ("chatbot_outbox", "state=waiting", 1),
        ("chatbot_outbox", "state=done", 0),
        ("routing_call", "endpoint_key=vendor&model_asked=m-1", 1),
        ("routing_call", "failure=rate", 0),
    ],
)
def test_filters_and_search_find_their_rows(
    admin_client: Client, kind: str, query: str, expected: int
) -> None:
    """A filter or a search leaves exactly its rows in the list."""
    fill(0, 1)
    response = admin_client.get(reverse(f"admin:{kind}_changelist") + f"?{query}")

    assert len(response.context["cl"].result_list) == expected


def test_transcript_shows_what_was_said(admin_client: Client) -> None:
    """The page of a conversation holds both sides in order."""
    fill(0, 1)
    row = apps.get_model("chatbot", "conversation").objects.get()
    turns = admin_client.get(reverse("admin:chatbot_conversation_change", args=[row.pk])).context[
        "turns"
    ]

    assert [(turn.who, turn.text) for turn in turns] == [("shopper", "?"), ("shop", "!")]


def test_markup_of_a_shopper_is_shown_as_text(admin_client: Client) -> None:
    """What shoppers write never becomes markup of the admin."""
    fill(0, 1)
    question = apps.get_model("chatbot", "question").objects.get()
    question.text = "<script>alert(1)</script>"
    question.save()
    pages = [
        admin_client.get(reverse("admin:chatbot_question_changelist")),
        admin_client.get(reverse("admin:chatbot_question_change", args=[question.pk])),
        admin_client.get(reverse("admin:cache_lookup_changelist")),
    ]

    assert not any("<script>alert(1)" in page.content.decode() for page in pages)


def test_an_empty_list_says_what_it_will_hold(admin_client: Client) -> None:
    """In our words for every kind with a list; a search that finds nothing says so instead."""
    url = reverse("admin:admin_logentry_changelist")
    empty = admin_client.get(url).content.decode()
    searched = admin_client.get(url, {"q": "nobody wrote this"}).content.decode()

    # The live board stands in place of a list.
    assert set(NOTHING_YET) == {*EVERY_KIND, "auth_group"} - {"routing_hold"}
    assert "Nothing was changed by staff yet." in empty
    assert "Nothing fits what you searched or filtered for." in searched
    assert "Nothing was changed by staff yet." not in searched
