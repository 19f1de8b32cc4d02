"""The roles of the staff: which rights each has, as Django groups that `prepare` makes and keeps.

A role's group holds at least the rights below: missing ones are added at every `prepare`, and nothing that staff
added is taken away. Who should have less gets a group of its own. A superuser has every right, and alone changes
money, endpoints, models, chains, the shop and the staff. `docs/roles.md` shows this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction


@dataclass(frozen=True, slots=True)
class Role:
    """A group's name, what it is for, and its rights as `app.codename`."""

    name: str
    purpose: str
    rights: frozenset[str]


def _rights(app: str, codenames: str) -> frozenset[str]:
    return frozenset(f"{app}.{codename}" for codename in codenames.split())


_CONFIGURED = _rights("routing", "view_endpoint view_model view_chain view_price view_exchangerate")
_CACHE = _rights("cache", "view_answer view_wording view_lookup")
_AUDIT = frozenset({"admin.view_logentry"})
_EDITS = (
    _rights(
        "routing",
        "view_ruleset add_ruleset change_ruleset delete_ruleset view_rule add_rule change_rule delete_rule "
        "view_example add_example change_example delete_example view_killswitch view_hold",
    )
    | _CONFIGURED
    | _CACHE
    | _rights("chatbot", "view_question view_article view_product")
    | _rights("chatbot", "view_dryrun run_dryrun test_question run_test_question")
    | _AUDIT
)

COST_VIEWER = Role(
    "cost viewer",
    "Figures, calls, prices and budgets. No word that a shopper wrote.",
    _CONFIGURED
    | _rights("routing", "view_call view_budget view_quota view_statement view_alert")
    | _rights("chatbot", "view_figures view_tally"),
)
ROUTING_EDITOR = Role(
    "routing editor",
    "Drafts with their rules and examples, tried out on real questions. Publishes nothing.",
    _EDITS,
)
ROUTING_PUBLISHER = Role(
    "routing publisher",
    "What an editor may, and what decides at once: publish, schedule, roll back, the kill switch, the live board.",
    _EDITS
    | _rights(
        "routing", "publish_ruleset flip_killswitch trip_hold reset_hold park_hold limit_hold"
    )
    | _rights("routing", "view_call view_alert change_alert")
    | _rights("chatbot", "view_figures"),
)
CACHE_CURATOR = Role(
    "cache curator",
    "Stored answers and their wordings: review, correct, pin, match, revoke, import and export.",
    _CACHE
    | _rights("cache", "change_answer view_recall")
    | _rights("chatbot", "view_question view_article view_figures test_question")
    | _AUDIT,
)
SUPPORT_AGENT = Role(
    "support agent",
    "Conversations, questions and thumbs. No money and no routing.",
    _rights("chatbot", "view_conversation view_question view_feedback"),
)

ROLES = (COST_VIEWER, ROUTING_EDITOR, ROUTING_PUBLISHER, CACHE_CURATOR, SUPPORT_AGENT)


@transaction.atomic
def keep_roles() -> list[str]:
    """Make the groups that are missing, and give each the rights it lacks. Returns the names of new groups.

    Raises LookupError for a right that no model declares.
    """
    wanted = frozenset[str]().union(*(role.rights for role in ROLES))
    known = _permissions(wanted)
    made = []
    for role in ROLES:
        group, new = Group.objects.get_or_create(name=role.name)
        group.permissions.add(*(known[right] for right in role.rights))
        if new:
            made.append(role.name)
    return made


def _permissions(rights: Iterable[str]) -> dict[str, Permission]:
    known = {
        f"{row.content_type.app_label}.{row.codename}": row
        for row in Permission.objects.select_related("content_type")
    }
    unknown = sorted(set(rights) - set(known))
    if unknown:
        message = f"No model declares these rights: {', '.join(unknown)}"
        raise LookupError(message)
    return known
