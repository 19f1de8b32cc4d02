"""The entries of the admin's menu: their names, their places and who is offered them.

Knows nothing of the interface library, which loads template tags while it is being loaded itself.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VIEW_FIGURES = "chatbot.view_figures"

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


def place_url(place: str) -> str:
    """Address of an entry of the menu."""
    model, _colon, page = place.partition(":")
    return reverse(f"admin:{model}_{page or 'changelist'}")


def may_open(user: Any, place: str) -> bool:
    """Whether the menu offers the entry to the user."""
    model = place.partition(":")[0]
    return bool(user.has_perm(RIGHTS.get(place) or model.replace("_", ".view_", 1)))
