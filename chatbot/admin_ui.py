"""The admin's frame: its menu, its time zone, and what its first page shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatbot.admin_capacity import VIEW as VIEW_FIGURES
from chatbot.admin_choice import choice_of
from chatbot.admin_summary import summary
from chatbot.report_zone import site_zone
from chatbot.runtime import system_clock

# Like the chat's clock it starts at PRETEND_NOW where that is set.
_CLOCK = system_clock()

# Group, then (title, icon, app_model) in the order of the menu; `app_model:page` is a page beside the list.
MENU: tuple[tuple[Promise, tuple[tuple[Promise, str, str], ...]], ...] = (
    (
        _("Conversations"),
        (
            (_("Conversations"), "forum", "chatbot_conversation"),
            (_("Questions"), "help", "chatbot_question"),
            (_("Feedback"), "thumbs_up_down", "chatbot_feedback"),
        ),
    ),
    (
        _("Cache"),
        (
            (_("Review"), "rule_folder", "cache_lookup:review"),
            (_("Answers"), "bookmark", "cache_answer"),
            (_("Wordings"), "format_quote", "cache_wording"),
            (_("Lookups"), "receipt_long", "cache_lookup"),
            (_("Test console"), "travel_explore", "chatbot_question:console"),
            (_("Recalls"), "undo", "cache_recall"),
        ),
    ),
    (
        _("Shop"),
        (
            (_("Articles"), "article", "chatbot_article"),
            (_("Products"), "inventory_2", "chatbot_product"),
            (_("Site"), "storefront", "chatbot_site"),
        ),
    ),
    (
        _("Routing"),
        (
            (_("Live board"), "monitor_heart", "routing_hold"),
            (_("Rule sets"), "rule", "routing_ruleset"),
            (_("Dry runs"), "science", "chatbot_dryrun"),
            (_("Kill switch"), "power_settings_new", "routing_killswitch"),
            (_("Chains"), "low_priority", "routing_chain"),
            (_("Models"), "smart_toy", "routing_model"),
            (_("Endpoints"), "dns", "routing_endpoint"),
            (_("Price book"), "menu_book", "routing_price:price_book"),
            (_("Prices"), "sell", "routing_price"),
            (_("Exchange rates"), "currency_exchange", "routing_exchangerate"),
            (_("Calls"), "swap_calls", "routing_call"),
        ),
    ),
    (
        _("Money"),
        (
            (_("Budgets"), "savings", "routing_budget"),
            (_("Quotas"), "speed", "routing_quota"),
            (_("Statements"), "account_balance", "routing_statement"),
            (_("Alerts"), "notifications", "routing_alert"),
            (_("Capacity"), "compress", "chatbot_tally:capacity"),
        ),
    ),
    (
        _("System"),
        (
            (_("Audit"), "history", "admin_logentry"),
            (_("Frames"), "data_object", "chatbot_frame"),
            (_("Outbox"), "outbox", "chatbot_outbox"),
            (_("Tallies"), "bar_chart", "chatbot_tally"),
            (_("Users"), "person", "auth_user"),
            (_("Groups"), "group", "auth_group"),
        ),
    ),
)

# Pages that ask for another right than seeing the list they stand beside.
RIGHTS = {
    "chatbot_tally:capacity": VIEW_FIGURES,
    "chatbot_question:console": "chatbot.test_question",
}


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
            {"title": name, "icon": icon, "link": reverse(f"admin:{model}_{page or 'changelist'}")}
            for name, icon, place in entries
            for model, _colon, page in [place.partition(":")]
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
