"""What a list without rows will hold, in our words."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

register = template.Library()

NOTHING_YET: dict[str, Promise] = {
    "admin_logentry": _("Nothing was changed by staff yet."),
    "auth_group": _("There are no groups yet; they give people their rights."),
    "auth_user": _("Nobody has an account yet."),
    "cache_answer": _("No answer is stored yet; the first one comes with the first question."),
    "cache_lookup": _("Nothing was looked up yet; every question leaves its receipt here."),
    "cache_recall": _("No answer was taken back yet."),
    "cache_wording": _("No question has a stored answer yet."),
    "chatbot_article": _("There are no articles yet: write one, or import your own from a file."),
    "chatbot_conversation": _("Nobody has talked to the shop yet."),
    "chatbot_dryrun": _("No rule set was tried on past questions yet."),
    "chatbot_feedback": _("No shopper has given a thumb yet."),
    "chatbot_frame": _("Nothing was said in the chat yet."),
    "chatbot_outbox": _("Nothing waits to be sent, and nothing was sent yet."),
    "chatbot_product": _("There are no products yet: enter one, or import your own from a file."),
    "chatbot_question": _("Nothing was asked yet."),
    "chatbot_site": _("There is no shop yet."),
    "chatbot_tally": _("Nothing was counted yet."),
    "routing_alert": _("Nothing has called for attention yet."),
    "routing_budget": _("There are no budgets: nothing limits what may be spent."),
    "routing_call": _("No model was called yet."),
    "routing_chain": _("No tier has a model to ask yet."),
    "routing_endpoint": _("There are no endpoints yet, so that no model can be called."),
    "routing_exchangerate": _("There are no exchange rates: only dollars can be counted."),
    "routing_killswitch": _("The kill switch was not used yet."),
    "routing_model": _("There are no models yet."),
    "routing_price": _("There are no prices yet: calls are booked at none."),
    "routing_quota": _("There are no quotas: nothing limits the tokens."),
    "routing_ruleset": _("There are no rule sets: the built-in rules decide."),
    "routing_statement": _("No vendor was asked for its account yet."),
}


@register.simple_tag
def nothing_yet(changelist: Any) -> str:
    """Why a list is empty: of its filters, or of what has not happened yet."""
    if changelist.query or getattr(changelist, "has_active_filters", False):
        return gettext("Nothing fits what you searched or filtered for.")
    meta = changelist.opts
    found = NOTHING_YET.get(f"{meta.app_label}_{meta.model_name}")
    return str(found) if found is not None else gettext("There is nothing here yet.")
