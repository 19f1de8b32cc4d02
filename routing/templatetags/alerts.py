"""The alerts that every page of the admin shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import template

from routing.models import Alert, KillSwitch
from routing.rule_sets import switch

register = template.Library()
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Banner:
    """The newest open alerts, how many more there are at least, and whether the user may acknowledge."""

    alerts: tuple[Alert, ...] = ()
    more: bool = False
    may_acknowledge: bool = False


@register.simple_tag(takes_context=True)
def open_alerts(context: Mapping[str, Any]) -> Banner:
    """What the user may see; nothing for people without the permission."""
    request = context.get("request")
    if request is None or not request.user.has_perm("routing.view_alert"):
        return Banner()
    rows = tuple(Alert.objects.filter(acknowledged_at__isnull=True)[: SHOWN + 1])
    return Banner(
        alerts=rows[:SHOWN],
        more=len(rows) > SHOWN,
        may_acknowledge=request.user.has_perm("routing.change_alert"),
    )


@register.simple_tag(takes_context=True)
def kill_switch(context: Mapping[str, Any]) -> KillSwitch | None:
    """The flip that stands while the built-in rules decide; for everyone who is in the admin."""
    request = context.get("request")
    if request is None or not request.user.is_active or not request.user.is_staff:
        return None
    newest = switch()
    return newest if newest is not None and newest.on else None
