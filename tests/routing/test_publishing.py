"""Rule sets: a draft begins as the set in force, publishing freezes it, nothing published ever changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from base.models import Revision
from routing.models import Chain, Endpoint, Example, Model, Rule, RuleSet
from routing.publishing import (
    NotPublishable,
    Sealed,
    difference,
    publish,
    seal,
    start_draft,
)
from routing.snapshot import load_routing, published_rule_set

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _sealed() -> None:
    seal()


@pytest.fixture
def draft() -> RuleSet:
    """A publishable draft with a rule and an example, and a chain of one model."""
    endpoint = Endpoint.objects.create(
        key="v",
        name="V",
        kind="gemini",
        base_url="https://v",
        base_url_env="V_BASE_URL",
        key_env="V_API_KEY",
    )
    Chain.objects.create(
        tier="FAQ", position=1, model=Model.objects.create(endpoint=endpoint, name="m-1")
    )
    rule_set = RuleSet.objects.create(version=1, parameters={"neighbours": 7})
    Rule.objects.create(rule_set=rule_set, position=1, name="late", any_of=["late"], tier="COMPLEX")
    Example.objects.create(
        rule_set=rule_set,
        text="where is it",
        language="en",
        tier="FAQ",
        vector=b"1234",
        engine_id="e",
    )
    return rule_set


@pytest.fixture
def published(draft: RuleSet) -> RuleSet:
    """The draft, in force."""
    return publish(draft.pk, note="first", by="ann", now=NOW)


def test_publishing_freezes_chains_and_signs(published: RuleSet) -> None:
    """State, moment, person, note and the chains as they stood are kept."""
    published.refresh_from_db()

    assert published.frozen_chains == [{"tier": "FAQ", "endpoint": "v", "model": "m-1"}]
    assert (published.state, published.published_at, published.published_by, published.note) == (
        RuleSet.PUBLISHED,
        NOW,
        "ann",
        "first",
    )


def test_publishing_takes_effect_everywhere(draft: RuleSet) -> None:
    """The configuration's revision rises and routing names the new version."""
    before = Revision.objects.get().number
    publish(draft.pk, note="first", by="ann", now=NOW)

    assert Revision.objects.get().number > before
    assert load_routing().rule_set_version == 1


def test_draft_is_a_copy_of_the_set_in_force(published: RuleSet) -> None:
    """Rules, examples with vectors and parameters are copied under the next version; the source stays."""
    copy = start_draft()

    assert (copy.version, copy.state, copy.parameters) == (2, RuleSet.DRAFT, {"neighbours": 7})
    assert [(rule.name, rule.any_of) for rule in copy.rules.all()] == [("late", ["late"])]
    assert [(row.text, bytes(row.vector or b"")) for row in copy.examples.all()] == [
        ("where is it", b"1234")
    ]
    assert not difference(copy, base=published)


def test_editing_a_copy_leaves_the_set_in_force_alone(published: RuleSet) -> None:
    """What is decided does not change before publishing."""
    copy = start_draft()
    copy.rules.update(tier="HIGH")
    Example.objects.filter(rule_set=copy).delete()

    assert published_rule_set() == published
    assert (published.rules.get().tier, published.examples.count()) == ("COMPLEX", 1)


def test_first_draft_is_empty() -> None:
    """Without a published set a draft starts from nothing, as version 1."""
    assert (start_draft().version, Rule.objects.count()) == (1, 0)


def test_difference_names_what_changes(published: RuleSet) -> None:
    """Added, removed and changed rules, examples and parameters are told apart."""
    copy = start_draft()
    copy.rules.update(any_of=["late", "lost"])
    copy.examples.all().delete()
    Example.objects.create(rule_set=copy, text="how much", language="en", tier="FAQ")
    copy.parameters = {"neighbours": 5}
    found = difference(copy, base=published)

    assert found.added == ("example: how much",)
    assert found.removed == ("example: where is it",)
    assert found.changed == ("parameter: neighbours", "rule: late")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda draft: (draft.rules.all().delete(), draft.examples.all().delete()),
            "at least one rule",
        ),
        (lambda draft: draft.rules.update(any_of=[]), "no phrase and no length"),
        (lambda draft: draft.rules.update(any_of=[" "], none_of=["x"]), "no phrase and no length"),
        (
            lambda draft: RuleSet.objects.create(version=9, state=RuleSet.PUBLISHED),
            "Version 9 is newer",
        ),
    ],
    ids=["empty", "rule without anything", "rule with blanks", "older than the set in force"],
)
def test_unfit_draft_is_refused(
    draft: RuleSet, spoil: Callable[[RuleSet], Any], problem: str
) -> None:
    """A draft that would do nothing, or everything, stays a draft; the problem is named."""
    spoil(draft)
    with pytest.raises(NotPublishable, match=problem):
        publish(draft.pk, note="n", by="ann", now=NOW)
    draft.refresh_from_db()

    assert draft.state == RuleSet.DRAFT


@pytest.mark.parametrize(
    "fields", [{"min_characters": 80}, {"all_of": ["refund"]}], ids=["length", "all of"]
)
def test_length_or_phrase_is_enough(draft: RuleSet, fields: dict[str, Any]) -> None:
    """A rule needs one of the two."""
    draft.rules.update(any_of=[], **fields)

    assert publish(draft.pk, note="n", by="ann", now=NOW).state == RuleSet.PUBLISHED


def test_note_is_required(draft: RuleSet) -> None:
    """Publishing without a word of why is refused."""
    with pytest.raises(NotPublishable, match="note"):
        publish(draft.pk, note="  ", by="ann", now=NOW)


def test_nothing_is_published_twice(published: RuleSet) -> None:
    """A published set cannot be published again."""
    with pytest.raises(NotPublishable, match="published already"):
        publish(published.pk, note="again", by="bob", now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: row.rules.get().save(),
        lambda row: row.rules.get().delete(),
        lambda row: row.rules.all().delete(),
        lambda row: row.examples.get().save(),
        lambda row: row.examples.get().delete(),
        lambda row: Rule.objects.create(rule_set=row, position=2, name="new", tier="FAQ"),
        lambda row: Example.objects.create(rule_set=row, text="new", language="en", tier="FAQ"),
    ],
    ids=[
        "save",
        "delete",
        "save rule",
        "delete rule",
        "delete rules",
        "save example",
        "delete example",
        "add rule",
        "add example",
    ],
)
def test_published_set_is_sealed(published: RuleSet, change: Callable[[RuleSet], object]) -> None:
    """No save, deletion or addition touches what is published."""
    with pytest.raises(Sealed, match="rule set 1 is published"):
        change(published)


def test_seeding_may_build_a_published_set_at_once() -> None:
    """A set that is created as published is not sealed against its own creation."""
    made = RuleSet.objects.create(version=1, state=RuleSet.PUBLISHED, published_at=NOW)
    Rule.objects.bulk_create([Rule(rule_set=made, position=1, name="r", tier="FAQ")])

    assert made.rules.count() == 1


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

    assert all("has no phrase and no length" in page.content.decode() for page in pages)


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
