"""Rule sets: a draft begins as the set in force, publishing freezes it, nothing published ever changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from base.models import Revision
from routing.differences import difference
from routing.models import Chain, Endpoint, Example, Model, Rule, RuleSet
from routing.publishing import (
    NotPublishable,
    Sealed,
    Terms,
    problems_of,
    publish,
    seal,
    start_draft,
)
from routing.rule_sets import built_in_rules, rule_set_in_force

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMS = Terms(note="first", by="ann", now=NOW)


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
    return publish(draft.pk, terms=TERMS)


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
    publish(draft.pk, terms=TERMS)

    assert Revision.objects.get().number > before
    assert rule_set_in_force(NOW) == RuleSet.objects.get(version=1)


def test_draft_is_a_copy_of_the_set_in_force(published: RuleSet) -> None:
    """Rules, examples with vectors and parameters are copied under the next version; the source stays."""
    copy = start_draft(now=NOW)

    assert (copy.version, copy.state, copy.parameters) == (2, RuleSet.DRAFT, {"neighbours": 7})
    assert [(rule.name, rule.any_of) for rule in copy.rules.all()] == [("late", ["late"])]
    assert [(row.text, bytes(row.vector or b"")) for row in copy.examples.all()] == [
        ("where is it", b"1234")
    ]
    assert not difference(copy, base=published)


def test_editing_a_copy_leaves_the_set_in_force_alone(published: RuleSet) -> None:
    """What is decided does not change before publishing."""
    copy = start_draft(now=NOW)
    copy.rules.update(tier="HIGH")
    Example.objects.filter(rule_set=copy).delete()

    assert rule_set_in_force(NOW) == published
    assert (published.rules.get().tier, published.examples.count()) == ("COMPLEX", 1)


def test_first_draft_is_the_built_in_set() -> None:
    """Without a published set a draft starts from what came with the product, as version 1."""
    draft = start_draft(now=NOW)

    assert draft.version == 1
    assert draft.rules.count() == len(built_in_rules())
    assert problems_of(draft, now=NOW) == ()


def test_difference_names_what_changes(published: RuleSet) -> None:
    """Added, removed and changed rules, examples and parameters are told apart."""
    copy = start_draft(now=NOW)
    copy.rules.update(any_of=["late", "lost"])
    copy.examples.all().delete()
    Example.objects.create(rule_set=copy, text="how much", language="en", tier="FAQ")
    copy.parameters = {"neighbours": 5}
    found = difference(copy, base=published)

    assert found.added == ("example: how much",)
    assert found.removed == ("example: where is it",)
    assert found.changed == ("parameter: neighbours: value 7 → 5", "rule: late: any of + “lost”")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda draft: (draft.rules.all().delete(), draft.examples.all().delete()),
            "at least one rule",
        ),
        (lambda draft: draft.rules.update(any_of=[]), "asks for nothing"),
        (lambda draft: draft.rules.update(any_of=[" "], none_of=["x"]), "asks for nothing"),
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
        publish(draft.pk, terms=TERMS)
    draft.refresh_from_db()

    assert draft.state == RuleSet.DRAFT


@pytest.mark.parametrize(
    "fields", [{"min_characters": 80}, {"all_of": ["refund"]}], ids=["length", "all of"]
)
def test_length_or_phrase_is_enough(draft: RuleSet, fields: dict[str, Any]) -> None:
    """A rule needs one of the two."""
    draft.rules.update(any_of=[], **fields)

    assert publish(draft.pk, terms=TERMS).state == RuleSet.PUBLISHED


def test_note_is_required(draft: RuleSet) -> None:
    """Publishing without a word of why is refused."""
    with pytest.raises(NotPublishable, match="note"):
        publish(draft.pk, terms=replace(TERMS, note="  "))


def test_nothing_is_published_twice(published: RuleSet) -> None:
    """A published set cannot be published again."""
    with pytest.raises(NotPublishable, match="published already"):
        publish(published.pk, terms=TERMS)


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
