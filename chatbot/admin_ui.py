"""The admin's frame: its menu, its time zone, and what its first page shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chatbot.admin_capacity import VIEW as VIEW_FIGURES
from chatbot.admin_choice import choice_of
from chatbot.admin_summary import summary
from chatbot.report_zone import site_zone
from chatbot.runtime import system_clock

# Like the chat's clock it starts at PRETEND_NOW where that is set.
_CLOCK = system_clock()

# Group, then (title, icon, app_model) in the order of the menu; `app_model:page` is a page beside the list.
MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Conversations",
        (
            ("Conversations", "forum", "chatbot_conversation"),
            ("Questions", "help", "chatbot_question"),
            ("Feedback", "thumbs_up_down", "chatbot_feedback"),
        ),
    ),
    (
        "Cache",
        (
            ("Review", "rule_folder", "cache_lookup:review"),
            ("Answers", "bookmark", "cache_answer"),
            ("Wordings", "format_quote", "cache_wording"),
            ("Lookups", "receipt_long", "cache_lookup"),
            ("Test console", "travel_explore", "chatbot_question:console"),
            ("Recalls", "undo", "cache_recall"),
        ),
    ),
    (
        "Shop",
        (
            ("Articles", "article", "chatbot_article"),
            ("Products", "inventory_2", "chatbot_product"),
            ("Site", "storefront", "chatbot_site"),
        ),
    ),
    (
        "Routing",
        (
            ("Live board", "monitor_heart", "routing_hold"),
            ("Rule sets", "rule", "routing_ruleset"),
            ("Dry runs", "science", "chatbot_dryrun"),
            ("Kill switch", "power_settings_new", "routing_killswitch"),
            ("Chains", "low_priority", "routing_chain"),
            ("Models", "smart_toy", "routing_model"),
            ("Endpoints", "dns", "routing_endpoint"),
            ("Price book", "menu_book", "routing_price:price_book"),
            ("Prices", "sell", "routing_price"),
            ("Exchange rates", "currency_exchange", "routing_exchangerate"),
            ("Calls", "swap_calls", "routing_call"),
        ),
    ),
    (
        "Money",
        (
            ("Budgets", "savings", "routing_budget"),
            ("Quotas", "speed", "routing_quota"),
            ("Statements", "account_balance", "routing_statement"),
            ("Alerts", "notifications", "routing_alert"),
            ("Capacity", "compress", "chatbot_tally:capacity"),
        ),
    ),
    (
        "System",
        (
            ("Frames", "data_object", "chatbot_frame"),
            ("Outbox", "outbox", "chatbot_outbox"),
            ("Tallies", "bar_chart", "chatbot_tally"),
            ("Users", "person", "auth_user"),
            ("Groups", "group", "auth_group"),
        ),
    ),
)

# Pages that ask for another right than seeing the list they stand beside.
RIGHTS = {"chatbot_tally:capacity": VIEW_FIGURES}


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
    return {**context, "title": _("Summary"), "summary": found}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu with what the user may see; the interface library calls this."""
    first = {"title": "Summary", "icon": "monitoring", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [first]}]
    for title, entries in MENU:
        items = [
            {"title": name, "icon": icon, "link": reverse(f"admin:{model}_{page or 'changelist'}")}
            for name, icon, place in entries
            for model, _, page in [place.partition(":")]
            if request.user.has_perm(RIGHTS.get(place) or model.replace("_", ".view_", 1))
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
