"""Rule sets from draft to published. What is published never changes again.

`start_draft` copies the set in force, `publish` freezes a draft together with the chains as they
stand, `seal` refuses every later save or deletion of a published set, its rules and its examples.
Saving a set bumps the configuration's revision (a signal), so every process takes the new one.
Writes that send no signals (`QuerySet.update`, `bulk_create`) are not guarded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.signals import pre_delete, pre_save

from routing.models import Chain, Example, Rule, RuleSet
from routing.snapshot import published_rule_set

RULE_FIELDS = (
    "position",
    "name",
    "language",
    "any_of",
    "all_of",
    "none_of",
    "min_characters",
    "tier",
    "enabled",
)
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
class Difference:
    """What publishing a draft changes, each line in words."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@transaction.atomic
def start_draft(*, note: str = "") -> RuleSet:
    """A new draft like the set in force, with its rules and examples; empty without one."""
    source = published_rule_set()
    newest = RuleSet.objects.aggregate(version=Max("version"))["version"] or 0
    draft = RuleSet.objects.create(
        version=newest + 1,
        note=note,
        parameters=dict(source.parameters) if source is not None else {},
    )
    if source is not None:
        Rule.objects.bulk_create(
            Rule(rule_set=draft, **row) for row in source.rules.values(*RULE_FIELDS)
        )
        Example.objects.bulk_create(
            Example(rule_set=draft, **row) for row in source.examples.values(*EXAMPLE_FIELDS)
        )
    return draft


def problems_of(draft: RuleSet) -> tuple[str, ...]:
    """Why a draft cannot be published, in words; empty when it can."""
    found = []
    if draft.state != RuleSet.DRAFT:
        found.append(f"Version {draft.version} is published already.")
    in_force = published_rule_set()
    if in_force is not None and draft.state == RuleSet.DRAFT and in_force.version > draft.version:
        found.append(
            f"Version {in_force.version} is newer and in force. Start a new draft from it, "
            "or this one would have no effect."
        )
    rules = list(draft.rules.all())
    if not rules and not draft.examples.exists():
        found.append("Add at least one rule or example.")
    found += [
        f'Rule {rule.position} "{rule.name}" has no phrase and no length: it matches everything.'
        for rule in rules
        if not _is_selective(rule)
    ]
    return tuple(found)


@transaction.atomic
def publish(draft_id: int, *, note: str, by: str, now: datetime) -> RuleSet:
    """Put a draft in force. Raises NotPublishable with what to correct; a note is required."""
    draft = RuleSet.objects.select_for_update().get(id=draft_id)
    problems = problems_of(draft)
    if not note.strip():
        problems = (*problems, "Say in the note what changes and why.")
    if problems:
        raise NotPublishable(problems)
    draft.state = RuleSet.PUBLISHED
    draft.note = note.strip()
    draft.published_at = now
    draft.published_by = by
    draft.frozen_chains = chains_now()
    draft.save()
    return draft


def chains_now() -> list[dict[str, str]]:
    """The enabled chain places in order, as plain values: tier, endpoint key, model name."""
    places = Chain.objects.filter(enabled=True).order_by("tier", "position", "id")
    rows = places.values_list("tier", "model__endpoint__key", "model__name")
    return [{"tier": tier, "endpoint": endpoint, "model": model} for tier, endpoint, model in rows]


def difference(draft: RuleSet, *, base: RuleSet | None) -> Difference:
    """What `draft` changes against `base`; rules are told apart by name, examples by text."""
    before, after = _described(base), _described(draft)
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(
            sorted(key for key in after.keys() & before.keys() if after[key] != before[key])
        ),
    )


def _described(rule_set: RuleSet | None) -> dict[str, Any]:
    if rule_set is None:
        return {}
    rules = {f"rule: {row['name']}": row for row in rule_set.rules.values(*RULE_FIELDS)}
    examples = {
        f"example: {text}": (language, tier)
        for text, language, tier in rule_set.examples.values_list("text", "language", "tier")
    }
    parameters = {f"parameter: {name}": value for name, value in rule_set.parameters.items()}
    return {**rules, **examples, **parameters}


def _is_selective(rule: Rule) -> bool:
    phrases = [*rule.any_of, *rule.all_of]
    return rule.min_characters > 0 or any(str(phrase).strip() for phrase in phrases)


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
