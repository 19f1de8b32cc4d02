"""Where a page of the admin stands: the section and the entry of the menu, then what the page itself is called.

A page beside a list has its own name, not that of the kind of row it hangs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import template

from chatbot.admin_menu import MENU, may_open, place_url

register = template.Library()

# Pages whose address stands under another entry than the one they belong to.
BELONGS_TO = {"chatbot_tally_pin": "cache_answer"}


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step; `url` is empty where it leads nowhere or may not be opened."""

    words: str
    url: str = ""


@register.inclusion_tag("admin/crumbs.html", takes_context=True)
def crumbs(context: Mapping[str, Any]) -> dict[str, list[Crumb]]:
    """From the section to the page."""
    request = context["request"]
    own_name = context.get("original") or context.get("title") or ""
    match = request.resolver_match
    belongs_to = BELONGS_TO.get(match.url_name if match else "", "")
    found = [
        (len(url), section, name, url, place)
        for section, entries in MENU
        for name, _icon, place in entries
        for url in [place_url(place)]
        if place == belongs_to or (not belongs_to and request.path.startswith(url))
    ]
    if not found:
        return {"crumbs": [Crumb(str(own_name))]}
    _length, section, name, url, place = max(found, key=lambda one: one[0])
    shown = [Crumb(str(section)), Crumb(str(name), url if may_open(request.user, place) else "")]
    if request.path != url:
        shown.append(Crumb(str(own_name)))
    return {"crumbs": shown}
