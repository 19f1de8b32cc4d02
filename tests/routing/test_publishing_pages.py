"""Rule sets in the admin: drafts are started, edited and published there; published ones are only read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from routing.models import Example, Rule, RuleSet
from routing.publishing import Terms, publish

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def draft() -> RuleSet:
    """A publishable draft with a rule and an example."""
    rule_set = RuleSet.objects.create(version=1, parameters={"neighbours": 7})
    Rule.objects.create(rule_set=rule_set, position=1, name="late", any_of=["late"], tier="COMPLEX")
    Example.objects.create(rule_set=rule_set, text="where is it", language="en", tier="FAQ")
    return rule_set


@pytest.fixture
def published(draft: RuleSet) -> RuleSet:
    """The draft, in force."""
    return publish(draft.pk, terms=Terms(note="first", by="ann", now=NOW))


def _url(name: str, *args: object) -> str:
    return reverse(f"admin:routing_ruleset_{name}", args=args)


def test_staff_start_and_publish_a_draft(admin_client: Client, published: RuleSet) -> None:
    """Looking changes nothing; a posted form starts a draft, another with a note publishes it."""
    admin_client.get(_url("start_draft"))
    assert RuleSet.objects.count() == 1
    admin_client.post(_url("start_draft"))
    made = RuleSet.objects.get(version=2)
    admin_client.get(_url("publish_draft", made.pk))
    admin_client.post(_url("publish_draft", made.pk), {"note": "second"})
    made.refresh_from_db()

    assert (made.state, made.note, made.published_by) == (RuleSet.PUBLISHED, "second", "admin")


def test_unfit_draft_is_explained_on_its_page(admin_client: Client, draft: RuleSet) -> None:
    """The page says what to correct, before and after an attempt."""
    draft.rules.update(any_of=[])
    pages = [
        admin_client.get(_url("publish_draft", draft.pk)),
        admin_client.post(_url("publish_draft", draft.pk), {"note": "n"}),
    ]

    assert all("asks for nothing" in page.content.decode() for page in pages)


def test_publishing_needs_its_own_permission(client: Client, draft: RuleSet) -> None:
    """Who may edit drafts may not publish them."""
    editor = User.objects.create_user("editor", password="x", is_staff=True)
    editor.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_ruleset", "change_ruleset"])
    )
    client.force_login(editor)
    refused = client.post(_url("publish_draft", draft.pk), {"note": "n"})
    editor.user_permissions.add(Permission.objects.get(codename="publish_ruleset"))
    allowed = client.post(_url("publish_draft", draft.pk), {"note": "n"})

    assert (refused.status_code, allowed.status_code) == (403, 302)


def test_published_page_is_wholly_read_only(admin_client: Client, published: RuleSet) -> None:
    """The page has no input of the set, its rules or its examples, and takes no change."""
    page = admin_client.get(_url("change", published.pk)).content.decode()
    posts = [
        admin_client.post(_url("change", published.pk), {"note": "changed"}),
        admin_client.post(_url("delete", published.pk), {"post": "yes"}),
        admin_client.post(_url("publish_draft", published.pk), {"note": "again"}),
    ]

    assert not any(
        f'name="{name}"' in page
        for name in ("note", "parameters", "rules-0-name", "rules-0-tier", "examples-0-text")
    )
    assert [post.status_code for post in posts] == [403, 403, 403]


def test_draft_page_saves_rules_line_by_line(admin_client: Client, draft: RuleSet) -> None:
    """Phrases are typed one per line and stored as a list."""
    rule, example = draft.rules.get(), draft.examples.get()
    form = {
        "note": "",
        "parameters": '{"neighbours": 3}',
        "rules-TOTAL_FORMS": "1",
        "rules-INITIAL_FORMS": "1",
        "rules-0-id": rule.pk,
        "rules-0-rule_set": draft.pk,
        "rules-0-position": "1",
        "rules-0-name": "late",
        "rules-0-any_of": "late\nlost\n",
        "rules-0-tier": "HIGH",
        "rules-0-min_characters": "0",
        "rules-0-min_cosine": "0",
        "rules-0-enabled": "on",
        "examples-TOTAL_FORMS": "1",
        "examples-INITIAL_FORMS": "1",
        "examples-0-id": example.pk,
        "examples-0-rule_set": draft.pk,
        "examples-0-text": "where",
        "examples-0-language": "en",
        "examples-0-tier": "FAQ",
    }
    admin_client.post(_url("change", draft.pk), form)
    rule.refresh_from_db()
    draft.refresh_from_db()

    assert (rule.any_of, rule.tier, draft.parameters) == (
        ["late", "lost"],
        "HIGH",
        {"neighbours": 3},
    )


@pytest.mark.parametrize("parameters", ['{"unknown": 1}', '{"neighbours": "many"}', "[1]"])
def test_parameters_must_be_known_numbers(
    admin_client: Client, draft: RuleSet, parameters: str
) -> None:
    """A draft is not saved with parameters that the classifier cannot use."""
    empty = {
        f"{name}-{part}": "0"
        for name in ("rules", "examples")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    response = admin_client.post(_url("change", draft.pk), {"parameters": parameters, **empty})
    draft.refresh_from_db()

    assert response.status_code == 200
    assert draft.parameters == {"neighbours": 7}


def test_rule_that_can_never_match_is_not_saved(admin_client: Client, draft: RuleSet) -> None:
    """A draft with a rule behind a broader one stays as it was, and its page says why."""
    rule = draft.rules.get()
    form = {
        "note": "",
        "parameters": "{}",
        "rules-TOTAL_FORMS": "2",
        "rules-INITIAL_FORMS": "1",
        "examples-TOTAL_FORMS": "0",
        "examples-INITIAL_FORMS": "0",
    }
    for place, (pk, phrase) in enumerate(((rule.pk, "late"), ("", "too late"))):
        values = {
            "id": pk,
            "rule_set": draft.pk,
            "position": place + 1,
            "name": phrase,
            "any_of": phrase,
            "tier": "HIGH",
            "min_characters": 0,
            "min_cosine": 0,
            "enabled": "on",
        }
        form |= {f"rules-{place}-{name}": str(value) for name, value in values.items()}
    response = admin_client.post(_url("change", draft.pk), form)

    assert response.status_code == 200
    assert "matches everything that it could" in response.content.decode()
    assert draft.rules.count() == 1


def test_publishing_for_a_window_rolling_back_and_taking_out(
    admin_client: Client, published: RuleSet
) -> None:
    """A set is published for a night in the shop's zone, taken out again, and the first rolled back to."""
    admin_client.post(_url("start_draft"))
    night = RuleSet.objects.get(version=2)
    window = {"starts_at": "2099-11-27T20:00", "ends_at": "2099-11-28T02:00"}
    admin_client.post(_url("publish_draft", night.pk), {"note": "night", **window})
    night.refresh_from_db()
    assert night.starts_at is not None
    assert "scheduled" in admin_client.get(_url("changelist")).content.decode()

    admin_client.post(_url("withdraw", night.pk), {"note": "no sale"})
    night.refresh_from_db()
    assert night.withdrawn_by == "admin"
    admin_client.post(_url("roll_back", published.pk), {"note": "as before"})
    newest = RuleSet.objects.get(version=3)
    assert newest.note == "Rolled back to version 1: as before"
    said = set(LogEntry.objects.values_list("change_message", flat=True))
    assert {"Version 2 is taken out. no sale", "Version 3 is in force. as before"} <= said


def test_kill_switch_shows_on_every_page_and_needs_its_right(
    admin_client: Client, client: Client, published: RuleSet
) -> None:
    """Who may publish may not flip; once flipped, every page says who did it and why."""
    flip = reverse("admin:routing_killswitch_flip")
    publisher = User.objects.create_user("publisher", password="x", is_staff=True)
    publisher.user_permissions.add(
        *Permission.objects.filter(codename__in=["publish_ruleset", "view_ruleset"])
    )
    client.force_login(publisher)
    assert client.post(flip, {"note": "n", "turn": "on"}).status_code == 403
    assert "kill switch is on" not in client.get(_url("changelist")).content.decode()

    admin_client.post(flip, {"note": "wrong tiers", "turn": "on"})
    for page in (_url("changelist"), reverse("admin:index")):
        shown = client.get(page).content.decode()
        assert "kill switch is on" in shown
        assert "wrong tiers" in shown
    admin_client.post(flip, {"note": "mended", "turn": "off"})
    assert "kill switch is on" not in client.get(_url("changelist")).content.decode()
