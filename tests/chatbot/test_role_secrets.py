"""What a role must not learn is nowhere that it can look."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from base.audit import note
from cache.models import Lookup
from chatbot.models import Question
from routing.models import Call
from tests.chatbot.admin_rows import a_call, a_conversation, a_question, an_answer
from tests.chatbot.role_stage import (
    Stage,
    cases,
    set_stage,
)

pytestmark = pytest.mark.django_db
SECRET = "zebra-crossing-7131"


@pytest.fixture
def stage() -> Stage:
    """Rows of every kind and a user per role."""
    return set_stage()


def _plant(secret: str) -> None:
    """A question of today that cost money, and its words wherever the product keeps them."""
    now, answer = timezone.now(), an_answer(2)
    # Whatever is older would have to be counted by the worker first.
    Question.objects.update(accepted_at=now)
    Call.objects.update(started_at=now)
    Lookup.objects.update(at=now)
    question = a_question(
        a_conversation(7), secret, cache="miss", origin="model", tier="FAQ", accepted_at=now
    )
    a_call("dear", question_id=question.pk, cost_nanousd=10**9, started_at=now)
    Lookup.objects.create(
        question_id=question.pk,
        site_id=1,
        partition=answer.partition,
        outcome="miss",
        stored=answer,
        nearest_text=secret,
        reason=secret,
        at=now,
    )
    answer.wordings.update(text=secret)
    user = User.objects.get(username="super")
    note([question, answer.wordings.get()], secret, user=user)


def test_a_cost_viewer_reads_no_word_of_a_shopper(stage: Stage) -> None:
    """No page, search, filter, export or log that a cost viewer can open holds a question's text."""
    _plant(SECRET)
    client = Client()
    client.force_login(stage.users["C"])
    tables = client.get(reverse("admin:index")).context["summary"]["tables"]
    urls = [
        reverse("admin:index"),
        *(url for what, url, who, *_ in cases(stage) if "C" in who and "history" not in what),
        *(f"{url}?q=zebra" for what, url, who, *_ in cases(stage) if "list" in what and "C" in who),
        reverse("admin:search") + "?s=zebra",
        reverse("admin:chatbot_tally_export", args=["most-asked"]),
        reverse("admin:chatbot_tally_export", args=["gaps"]),
        reverse("admin:chatbot_tally_export", args=["dearest"]),
    ]
    leaks = [url for url in urls if SECRET in client.get(url).content.decode()]
    client.force_login(stage.users["S"])

    assert leaks == []
    assert SECRET in client.get(reverse("admin:index")).content.decode()
    assert "dearest" in {table.key for table in tables}


def test_a_cost_viewer_is_not_led_to_questions(stage: Stage) -> None:
    """The list of calls names questions by number, without a link; who may read them gets one."""
    link = reverse("admin:chatbot_question_change", args=[stage.rows["question"]])
    client = Client()
    shown = {}
    for letter in "CP":
        client.force_login(stage.users[letter])
        shown[letter] = client.get(reverse("admin:routing_call_changelist")).content.decode()

    assert (link in shown["C"], link in shown["P"]) == (False, True)


def test_a_support_agent_sees_no_money(stage: Stage) -> None:
    """Lists and pages of questions and conversations show no cost, and no filter tells it."""
    Question.objects.update(cost_nanousd=123_456_789_000)
    client = Client()
    client.force_login(stage.users["A"])
    urls = [url for _, url, who, *_ in cases(stage) if "A" in who]
    pages = [client.get(url).content.decode() for url in (*urls, reverse("admin:index"))]
    asked = client.get(reverse("admin:chatbot_question_changelist"), {"cost_nanousd__gt": "5"})
    client.force_login(stage.users["K"])

    assert not any("$" in page.split("<main")[-1] and "123" in page for page in pages)
    assert asked.status_code in (302, 400)
    assert "123" in client.get(urls[-3]).content.decode()
