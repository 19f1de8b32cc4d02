"""What publishing a draft changes against the set in force: rules, examples, parameters, chains; in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from routing.models import Chain, Rule, RuleSet

RULE_FIELDS = tuple(
    field.name for field in Rule._meta.concrete_fields if field.name not in ("id", "rule_set")
)
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """What publishing a draft changes, each line in words."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(draft: RuleSet, *, base: RuleSet | None) -> Difference:
    """What `draft` changes against `base`; rules are told apart by name, examples by text.

    Chains are compared as they were frozen with `base` and as they stand now.
    """
    before = {} if base is None else _described(base, chains=base.frozen_chains)
    after = _described(draft, chains=chains_now())
    both = sorted(after.keys() & before.keys())
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(
            f"{key}: {_changes(before[key], after[key])}"
            for key in both
            if after[key] != before[key]
        ),
    )


def chains_now() -> list[dict[str, str]]:
    """The enabled chain places in order, as plain values: tier, endpoint key, model name."""
    places = Chain.objects.filter(enabled=True).order_by("tier", "position", "id")
    rows = places.values_list("tier", "model__endpoint__key", "model__name")
    return [{"tier": tier, "endpoint": endpoint, "model": model} for tier, endpoint, model in rows]


def _described(rule_set: RuleSet, *, chains: Any) -> dict[str, dict[str, Any]]:
    rules = {f"rule: {row['name']}": row for row in rule_set.rules.values(*RULE_FIELDS)}
    examples = {
        f"example: {row['text']}": row
        for row in rule_set.examples.values("text", "language", "tier")
    }
    parameters = {
        f"parameter: {name}": {"value": value} for name, value in rule_set.parameters.items()
    }
    return {**rules, **examples, **parameters, **_by_tier(chains)}


def _by_tier(chains: Any) -> dict[str, dict[str, Any]]:
    """Sets published before chains were frozen hold none."""
    places: dict[str, list[str]] = {}
    for place in chains if isinstance(chains, list) else ():
        places.setdefault(f"chain: {place['tier']}", []).append(
            f"{place['model']} ({place['endpoint']})"
        )
    return {name: {"models": models} for name, models in places.items()}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Field by field: what a list gained and lost, and what a value was and is."""
    words = []
    for name in after:
        old, new = before[name], after[name]
        if old == new:
            continue
        if isinstance(old, list) and isinstance(new, list) and sorted(old) != sorted(new):
            gained, lost = _listed(new, without=old), _listed(old, without=new)
            signed = [f"+ {gained}" if gained else "", f"- {lost}" if lost else ""]
            words.append(f"{_named(name)} {' '.join(part for part in signed if part)}")
        else:
            words.append(f"{_named(name)} {_shown(old)} → {_shown(new)}")
    return "; ".join(words)


def _listed(items: Iterable[Any], *, without: Iterable[Any]) -> str:
    return ", ".join(f"“{item}”" for item in items if item not in without)


def _named(field: str) -> str:
    return field.replace("_", " ")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _NOTHING
    return _NOTHING if value in (None, "") else str(value)
