"""Rule sets from draft to published. What is published never changes again.

`start_draft` copies the set in force, `publish` freezes a draft together with the chains as they
stand, for good or for a window of time, `roll_back` publishes a copy of an earlier set, `seal` refuses
every later save or deletion of a published set, its rules and its examples.
Saving a set bumps the configuration's revision (a signal), so every process takes the new one.
Writes that send no signals (`QuerySet.update`, `bulk_create`) are not guarded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max
from django.db.models.signals import pre_delete, pre_save

from base.revision import bump
from routing.differences import RULE_FIELDS, chains_now
from routing.models import Example, KillSwitch, Rule, RuleSet
from routing.rule_sets import built_in_examples, built_in_rules, rule_set_in_force, rule_spec
from routing.rules import NO_ACTIONS, RuleSpec
from routing.shadows import never_matching

NOTE_CHARACTERS = 300
NO_NOTE = "Say in the note what changes and why."
EXAMPLE_FIELDS = ("text", "language", "tier", "vector", "engine_id")


class PublishingError(Exception):
    """The root of what can be wrong with a rule set."""


class Sealed(PublishingError):
    """Something published was to be changed or deleted."""


class NotPublishable(PublishingError):
    """A draft cannot be published; `problems` says in words what to correct."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, slots=True)
class Terms:
    """How a set is published: why, by whom, and for which time; None leaves an end open."""

    note: str
    by: str
    now: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Known(Protocol):
    """What rules may name that lives outside routing."""

    def topics(self) -> Collection[str]: ...
    def articles(self) -> Collection[str]: ...


@dataclass(slots=True)
class _Surroundings:
    """Filled once by the application that has articles; without it names are not checked."""

    known: Known | None = None


SURROUNDINGS = _Surroundings()


@transaction.atomic
def start_draft(*, now: datetime, note: str = "") -> RuleSet:
    """A new draft like the set in force, with its rules and examples; the built-in one without a set."""
    draft = RuleSet.objects.create(version=_next_version(), note=note)
    source = rule_set_in_force(now)
    if source is not None:
        _copy(source, draft)
    else:
        Rule.objects.bulk_create(Rule(rule_set=draft, **row) for row in built_in_rules())
        Example.objects.bulk_create(Example(rule_set=draft, **row) for row in built_in_examples())
    return draft


def problems_of(draft: RuleSet, *, now: datetime) -> tuple[str, ...]:
    """Why a draft cannot be published, in words; empty when it can."""
    found = []
    if draft.state != RuleSet.DRAFT:
        found.append(f"Version {draft.version} is published already.")
    standing = rule_set_in_force(now)
    if standing is not None and draft.state == RuleSet.DRAFT and standing.version > draft.version:
        found.append(
            f"Version {standing.version} is newer and in force. Start a new draft from it, "
            "or what it changed would be lost."
        )
    rules = [rule_spec(row) for row in draft.rules.filter(enabled=True)]
    if not rules and not draft.examples.exists():
        found.append("Add at least one rule or example.")
    return (*found, *problems_of_rules(rules))


def problems_of_rules(rules: Sequence[RuleSpec]) -> tuple[str, ...]:
    """What is wrong with enabled rules: each takes everything, does nothing, names nothing, or never matches."""
    known = SURROUNDINGS.known
    topics, articles = (known.topics(), known.articles()) if known is not None else (None, None)
    found = []
    for rule in sorted(rules, key=lambda rule: rule.position):
        shown = f'Rule {rule.position} "{rule.name}"'
        if not rule.is_selective:
            found.append(f"{shown} asks for nothing: it would match every question.")
        if rule.tier is None and rule.actions == NO_ACTIONS:
            found.append(f"{shown} has no tier and no action: it does nothing.")
        if rule.actions.to_person and rule.actions.article:
            found.append(f"{shown} hands to a person and answers with an article: choose one.")
        if topics is not None:
            lost = sorted(set(rule.topics) - set(topics))
            found += [f'{shown} can never match: no article has the topic "{t}".' for t in lost]
        if articles is not None and rule.actions.article not in ("", *articles):
            found.append(f'{shown} answers with "{rule.actions.article}", which is no article.')
    selective = [rule for rule in rules if rule.is_selective]
    return (*found, *never_matching(selective))


@transaction.atomic
def publish(draft_id: int, *, terms: Terms) -> RuleSet:
    """Put a draft in force, now or for a time. Raises NotPublishable with what to correct; a note is required."""
    draft = RuleSet.objects.select_for_update().get(id=draft_id)
    problems = (*problems_of(draft, now=terms.now), *_problems_of_terms(terms))
    if problems:
        raise NotPublishable(problems)
    _seal_as(draft, terms)
    return draft


@transaction.atomic
def roll_back(version: int, *, terms: Terms) -> RuleSet:
    """Publish a copy of an earlier set as the newest version, at once and for good. Raises NotPublishable.

    Its note says of which. Rules are taken as they were: what was in force once may be again.
    """
    source = RuleSet.objects.filter(version=version, state=RuleSet.PUBLISHED).first()
    if source is None:
        raise NotPublishable([f"Version {version} was never published."])
    if not terms.note.strip():
        raise NotPublishable([NO_NOTE])
    made = RuleSet.objects.create(version=_next_version())
    _copy(source, made)
    note = f"Rolled back to version {version}: {terms.note.strip()}"
    _seal_as(made, replace(terms, note=note[:NOTE_CHARACTERS], starts_at=None, ends_at=None))
    return made


@transaction.atomic
def withdraw(version: int, *, by: str, now: datetime) -> None:
    """Take a set with a window out before its end. Raises NotPublishable when there is nothing to take out."""
    row = RuleSet.objects.select_for_update().filter(version=version).first()
    if row is None or not is_scheduled(row, now=now):
        raise NotPublishable([f"Version {version} has no window that is still to come or open."])
    # Past the seal: what the set decides stays as it is, only its window is closed.
    RuleSet.objects.filter(pk=row.pk).update(withdrawn_at=now, withdrawn_by=by)
    bump()


def is_scheduled(row: RuleSet, *, now: datetime) -> bool:
    """Whether a published set has a window that begins later or ends later."""
    standing = row.state == RuleSet.PUBLISHED and row.withdrawn_at is None
    return standing and any(
        edge is not None and edge > now for edge in (row.starts_at, row.ends_at)
    )


def flip(*, on: bool, note: str, by: str, now: datetime) -> KillSwitch:
    """Switch to the built-in rules, or back to the published ones, in every process. Raises NotPublishable."""
    if not note.strip():
        raise NotPublishable([NO_NOTE])
    return KillSwitch.objects.create(on=on, note=note.strip()[:NOTE_CHARACTERS], by=by, at=now)


def _problems_of_terms(terms: Terms) -> tuple[str, ...]:
    found = []
    if not terms.note.strip():
        found.append(NO_NOTE)
    if terms.ends_at is not None and terms.ends_at <= max(terms.now, terms.starts_at or terms.now):
        found.append("The window ends before it begins: it would never be in force.")
    return tuple(found)


def _seal_as(row: RuleSet, terms: Terms) -> None:
    row.state = RuleSet.PUBLISHED
    row.note = terms.note.strip()
    # A clock that is behind must not let an older version take effect later than this one.
    newest = RuleSet.objects.aggregate(at=Max("published_at"))["at"]
    row.published_at = max(terms.now, newest or terms.now)
    row.published_by = terms.by
    row.starts_at, row.ends_at = terms.starts_at, terms.ends_at
    row.frozen_chains = chains_now()
    row.save()


def _next_version() -> int:
    return int(RuleSet.objects.aggregate(version=Max("version"))["version"] or 0) + 1


def _copy(source: RuleSet, target: RuleSet) -> None:
    target.parameters = dict(source.parameters)
    target.save(update_fields=["parameters"])
    Rule.objects.bulk_create(
        Rule(rule_set=target, **row) for row in source.rules.values(*RULE_FIELDS)
    )
    Example.objects.bulk_create(
        Example(rule_set=target, **row) for row in source.examples.values(*EXAMPLE_FIELDS)
    )


def seal() -> None:
    """Refuse from now on, in this process, to save or delete what is published. Repeatable."""
    for sender in (RuleSet, Rule, Example):
        name = sender.__name__
        pre_save.connect(_refuse, sender=sender, dispatch_uid=f"seal-save-{name}")
        pre_delete.connect(_refuse, sender=sender, dispatch_uid=f"seal-delete-{name}")


def _refuse(instance: RuleSet | Rule | Example, **_: Any) -> None:
    """Raise Sealed for a set with a moment of publishing; one being built has none yet."""
    rule_set_id = instance.pk if isinstance(instance, RuleSet) else instance.rule_set_id
    stored = RuleSet.objects.filter(
        id=rule_set_id, state=RuleSet.PUBLISHED, published_at__isnull=False
    ).first()
    if stored is not None:
        message = f"rule set {stored.version} is published and cannot change: start a draft from it"
        raise Sealed(message)
