"""Taking the demo shop away: all of it, nothing that staff made, and it stays away; its history adds up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum
from django.test import Client
from django.urls import reverse

from cache.models import Answer, Change, Lookup, Source, Wording
from chatbot.checklist import open_steps
from chatbot.demo_history_rows import insert_history
from chatbot.demo_shop import NEUTRAL_NAME, removal, remove
from chatbot.models import (
    Article,
    Conversation,
    Feedback,
    Frame,
    Product,
    Question,
    Shopper,
    Site,
    Tally,
)
from chatbot.seeding import delivered_site, seed
from routing.models import Call, Example, RuleSet
from routing.pricing import cost_on, price_on
from routing.rule_sets import rule_set_in_force
from routing.snapshot import load_routing
from routing.specs import Usage
from tests.chatbot.admin_rows import a_call, a_conversation, a_question, an_answer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def an_answer_from(key: str, number: int, **fields: str) -> Answer:
    """A stored answer that rests on a demo article."""
    answer = an_answer(number)
    Source.objects.filter(answer=answer).update(article_key=key)
    Answer.objects.filter(pk=answer.pk).update(**fields)
    return answer


def test_everything_of_the_demo_goes_and_comes_back_only_when_asked() -> None:
    """Articles, products, texts, examples with its goods and answers go; a start brings none back, `--add` does."""
    seed()
    an_answer_from("shipping-couriers", 1)
    found = remove(now=NOW, by=None)
    seed()
    site = Site.objects.get()

    assert (found.counts["articles"], found.counts["products"], found.kept) == (98, 40, ())
    assert not (Article.objects.exists() or Product.objects.exists() or Answer.objects.exists())
    assert not Wording.objects.exists()
    assert Change.objects.filter(op=Change.REMOVE, wording_id__gt=0).count() == 1
    assert (site.name, site.greeting, site.suggestions, site.contact) == (NEUTRAL_NAME, {}, {}, {})
    published = rule_set_in_force(NOW)
    assert published is not None and published.version == 2
    texts = " ".join(published.examples.values_list("text", flat=True))
    assert not [name for name in ("Skerry", "Aurora", "小屿", "北光") if name in texts]
    assert Example.objects.filter(rule_set=published).count() > 1_500
    assert removal().total == 0
    Site.objects.update(name={"en": "Fernfold"})
    call_command("demo", add=True)
    site.refresh_from_db()
    assert (Article.objects.count(), site.name) == (98, {"en": "Fernfold"})
    assert site.contact == delivered_site()["contact"]
    a_question(a_conversation(1))
    assert insert_history(now=NOW) == 0  # where somebody has asked, nothing is made up


def test_what_staff_changed_or_added_stays_and_is_named() -> None:
    """Changed articles and texts, own rows, pinned answers, published rules and real questions are left alone."""
    seed()
    changed = Article.objects.get(key="returns-policy", locale="en")
    changed.text = "Ours."
    changed.save()
    switched = Article.objects.get(key="returns-policy", locale="zh-hans")
    switched.enabled = False
    switched.save()
    Product.objects.filter(key="aurora-kettle").update(aliases=["ours"])
    site = Site.objects.get()
    Article.objects.create(site=site, key="own", locale="en", topic="t", title="T", text="x")
    site.contact = {**site.contact, "en": "Call us."}
    site.suggestions = {"en": ["Ours?", *site.suggestions["en"]]}
    site.save()
    RuleSet.objects.update(published_by="somebody")
    pinned = an_answer_from("shipping-couriers", 1, status=Answer.PINNED)
    for simulated in (False, True):
        question = a_question(a_conversation(1, simulated=simulated))
        a_call(f"call-{simulated}", question_id=question.pk, simulated=simulated)
    found = remove(now=NOW, by=None)
    site.refresh_from_db()

    assert set(Article.objects.values_list("key", "locale")) == {
        ("returns-policy", "en"),
        ("returns-policy", "zh-hans"),
        ("own", "en"),
    }
    assert Product.objects.get().key == "aurora-kettle"
    assert (site.contact, site.suggestions) == ({"en": "Call us."}, {"en": ["Ours?"]})
    assert Answer.objects.get() == pinned
    assert RuleSet.objects.count() == 1
    assert Conversation.objects.get().simulated is Question.objects.get().simulated is False
    assert Call.objects.get().attempt_id == "call-False"
    assert set(found.kept) == {
        "article returns-policy (en)",
        "article returns-policy (zh-hans)",
        "product aurora-kettle",
        "site: contact",
        "site: suggestions",
        f"answer {pinned.pk}: By ship 1.",
    }


def test_history_adds_up_and_goes_with_the_demo() -> None:
    """Costs are tokens times price, savings earlier calls' costs, days have nights; removing leaves no row."""
    seed()
    count = insert_history(now=NOW)
    again = insert_history(now=NOW)
    routing = load_routing()

    assert (count > 900, again) == (True, 0)
    for model in (Question, Lookup, Call, Conversation):
        assert not model.objects.filter(simulated=False).exists()
    for call in Call.objects.filter(outcome=Call.COMPLETED)[:200]:
        names = (call.model_served,)
        day = call.started_at.date()
        price = price_on(routing, endpoint_key=call.endpoint_key, names=names, day=day)
        usage = Usage(
            input_tokens=call.input_tokens,
            cached_input_tokens=call.cached_input_tokens,
            output_tokens=call.output_tokens,
        )
        assert call.cost_nanousd == cost_on(price, usage).cost_nanousd > 0
    spent = [
        rows.objects.aggregate(sum=Sum("cost_nanousd"))["sum"] for rows in (Question, Call, Lookup)
    ]
    assert spent[0] == spent[1] == spent[2]
    _hits_follow_their_calls()
    _days_have_their_shape()
    assert not (Answer.objects.exists() or Wording.objects.exists())
    Tally.objects.create(starts_at=NOW, site_id=1, metric="questions", simulated=True)
    remove(now=NOW, by=None)
    for model in (Question, Frame, Feedback, Lookup, Call, Conversation, Shopper, Tally):
        assert not model.objects.exists(), model


def _hits_follow_their_calls() -> None:
    """What a hit saved is what the call for its matched text had cost, before it."""
    calls: dict[tuple[str, int], datetime] = {}
    questions = Question.objects.in_bulk()
    for lookup in Lookup.objects.order_by("at", "id"):
        question = questions[lookup.question_id]
        if lookup.outcome == "miss":
            calls[question.text, lookup.cost_nanousd] = lookup.at
        elif lookup.outcome in ("exact", "semantic", "confirmed", "joined"):
            assert (lookup.matched_text, lookup.saved_nanousd) in calls
            assert (lookup.outcome == "exact") <= (lookup.matched_text == question.text)


def _days_have_their_shape() -> None:
    """Evenings hold more than nights; the evening of the sale holds most; all within fourteen days."""
    zone = ZoneInfo("Asia/Shanghai")
    times = [at.astimezone(zone) for at in Question.objects.values_list("accepted_at", flat=True)]
    by_hour, by_day = Counter(at.hour for at in times), Counter(at.date() for at in times)
    assert by_hour[21] > 5 * by_hour[3]
    assert max(by_day, key=lambda day: by_day[day]) == (NOW - timedelta(days=3)).date()
    assert NOW - timedelta(days=14) <= min(times) and max(times) < NOW
    sent = Frame.objects.order_by("-at").values_list("at", flat=True)[0]
    assert sent < NOW
    assert Feedback.objects.values("value").annotate(count=Count("id")).count() == 2


def test_first_steps_follow_the_rows(admin_client: Client) -> None:
    """Each step is done when its rows are there; hiding the list hides it."""
    seed()
    assert not any(step.done for step in open_steps())
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert "Import your articles" in page
    admin_client.post(reverse("admin:chatbot_site_demo"))
    site = Site.objects.get()
    Article.objects.create(site=site, key="own", locale="en", topic="t", title="T", text="x")
    Product.objects.create(site=site, key="p", names={"en": "Fern"})
    Site.objects.update(name={"en": "Fernfold"})
    Lookup.objects.create(
        question_id=1, site_id=1, outcome="miss", at=NOW, article_versions=[["own", "en", 1]]
    )
    assert [step.done for step in open_steps()] == [False, True, True, True, True, True, False]
    Site.objects.update(linked_at=NOW)
    assert [step.done for step in open_steps()] == [False, True, True, True, True, True, True]
    admin_client.post(reverse("admin:chatbot_site_hide_checklist"))
    assert open_steps() == []
    assert "Import your articles" not in admin_client.get(reverse("admin:index")).content.decode()
