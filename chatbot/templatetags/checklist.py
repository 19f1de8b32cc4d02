"""The first steps that the admin's first page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from chatbot.checklist import Step, open_steps

register = template.Library()


@register.simple_tag(takes_context=True)
def first_steps(context: Mapping[str, Any]) -> list[Step]:
    """What is left to set up; nothing for people who may not change the shop."""
    request = context.get("request")
    if request is None or not request.user.has_perm("chatbot.change_site"):
        return []
    return open_steps()
