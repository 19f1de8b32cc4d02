"""The admin's frame: its time zone, its menu as the library draws it, and what its first page shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from chatbot.admin_choice import choice_of
from chatbot.admin_menu import MENU, VIEW_FIGURES, may_open, place_url
from chatbot.admin_summary import summary
from chatbot.report_zone import site_zone
from chatbot.runtime import system_clock

# Like the chat's clock it starts at PRETEND_NOW where that is set.
_CLOCK = system_clock()


class SiteTimeZone:
    """Middleware: the admin's times are shown and read in the shop's own zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
            return self._get_response(request)
        with timezone.override(site_zone()):
            return self._get_response(request)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The first page's context; the interface library calls this. No figures without the right to see them."""
    found = None
    if request.user.has_perm(VIEW_FIGURES):
        now = _CLOCK.now()
        choice = choice_of(request.GET, site_zone=site_zone(), now=now)
        found = summary(choice, may=request.user.has_perm, now=now)
    return {**context, "title": gettext("Summary"), "summary": found}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu with what the user may see; the interface library calls this."""
    first = {"title": gettext("Summary"), "icon": "monitoring", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [first]}]
    for title, entries in MENU:
        items = [
            {"title": name, "icon": icon, "link": place_url(place)}
            for name, icon, place in entries
            if may_open(request.user, place)
        ]
        groups.append({"title": title, "items": items})
    _mark_the_place(groups, request.path)
    return groups


def _mark_the_place(groups: list[dict[str, Any]], path: str) -> None:
    """The entry with the longest address that the page stands under; a page beside a list is not the list."""
    items = [item for group in groups for item in group["items"]]
    under = [item["link"] for item in items if path.startswith(item["link"])]
    best = max(under, key=len, default="")
    best = path if best == reverse("admin:index") else best
    for item in items:
        item["active"] = partial(_answer, item["link"] == best)


def _answer(value: object, request: HttpRequest) -> object:
    """The library asks a function with the request; a plain bool it would not see."""
    return value
