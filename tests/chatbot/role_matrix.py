"""What each role may do on every page of the admin, declared: a page or an action without a line here fails.

Letters: C cost viewer, E routing editor, P routing publisher, K cache curator, A support agent, S superuser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chatbot import roles

LETTERS = {
    "C": roles.COST_VIEWER,
    "E": roles.ROUTING_EDITOR,
    "P": roles.ROUTING_PUBLISHER,
    "K": roles.CACHE_CURATOR,
    "A": roles.SUPPORT_AGENT,
}

# kind -> who views, adds, changes, deletes. A superuser views everything.
_PAGES = """
admin_logentry          EPK    -    -    -
auth_group              -      S    S    S
auth_user               -      S    S    S
cache_answer            EPK    -    KS   -
cache_lookup            EPK    -    -    -
cache_recall            K      -    -    -
cache_wording           EPK    -    -    -
chatbot_article         EPK    S    S    S
chatbot_conversation    A      -    -    -
chatbot_dryrun          EP     -    -    -
chatbot_feedback        A      -    -    -
chatbot_frame           -      -    -    -
chatbot_outbox          -      -    -    -
chatbot_product         EP     S    S    S
chatbot_question        EPKA   -    -    -
chatbot_site            -      S    S    -
chatbot_tally           C      -    -    -
routing_alert           CP     -    -    -
routing_budget          C      S    S    S
routing_call            CP     -    -    -
routing_chain           CEP    S    S    S
routing_endpoint        CEP    S    S    S
routing_exchangerate    CEP    S    S    S
routing_hold            EP     -    -    -
routing_killswitch      EP     -    -    -
routing_model           CEP    S    S    S
routing_price           CEP    S    S    S
routing_quota           C      S    S    S
routing_ruleset         EP     EPS  EPS  EPS
routing_statement       C      -    -    -
"""
PAGES: dict[str, dict[str, frozenset[str]]] = {
    kind: {
        "view": frozenset(view) - {"-"} | {"S"},
        "add": frozenset(add) - {"-"},
        "change": frozenset(change) - {"-"},
        "delete": frozenset(delete) - {"-"},
    }
    for kind, view, add, change, delete in (line.split() for line in _PAGES.strip().splitlines())
}


@dataclass(frozen=True, slots=True)
class View:
    """A page beside the usual ones. `args` name rows of the stage, or stand for themselves in quotes.

    `status` is what who may open it gets by GET. A page that changes something has `post`, sent by the test of
    the audit, or the file whose test shows its entry.
    """

    who: str
    args: tuple[str, ...] = ()
    status: int = 200
    query: str = ""
    post: dict[str, Any] | None = None
    shown_in: str = ""

    @property
    def roles(self) -> frozenset[str]:
        """Letters of who may."""
        return frozenset(self.who) | {"S"}


_NOTE = {"note": "why", "reason": "why"}
_PRICES = "endpoint,model,valid_from,currency,input,output\nvendor0,m-new,2027-01-01,USD,0.3,2.5\n"
VIEWS: dict[str, View] = {
    "admin_logentry_export": View("EPK"),
    "cache_answer_export_answers": View("EPK"),
    "cache_answer_import_answers": View("K", shown_in="tests/chatbot/test_admin_files.py"),
    "cache_answer_recall": View("K", query="?ids={answer}", post=_NOTE),
    "cache_answer_revoke_answer": View("K", ("answer",), status=302),
    "cache_lookup_decide": View(
        "K", ("receipt",), status=302, post={"decision": "right", "pair": "{wording}-{answer}"}
    ),
    "cache_lookup_review": View("EPK"),
    "chatbot_article_import_articles": View("", post={"store": "{articles}"}),
    "chatbot_dryrun_start": View("EP", shown_in="tests/chatbot/test_dry_pages.py"),
    "chatbot_dryrun_state": View("EP", ("chatbot_dryrun",)),
    "chatbot_dryrun_stop": View("EP", ("chatbot_dryrun",), status=405, post={}),
    "chatbot_product_import_products": View("", post={"store": "{products}"}),
    "chatbot_question_console": View("EPK", shown_in="tests/chatbot/test_matching.py"),
    "chatbot_site_demo": View("", post={}),
    "chatbot_site_hide_checklist": View("", status=405, post={}),
    "chatbot_tally_capacity": View("CPK"),
    "chatbot_tally_export": View("CPK", ("'over-time'",)),
    "chatbot_tally_pin": View("K", ("question",), post={}),
    "routing_alert_acknowledge": View("P", ("alert",), status=405, post={}),
    "routing_hold_action limits": View(
        "P",
        ("model", "'limits'"),
        post={**_NOTE, "requests_per_minute": "77", "confirmed": "1"},
    ),
    "routing_hold_action park": View("P", ("model", "'park'"), post={**_NOTE, "until": "{soon}"}),
    "routing_hold_action reset": View("P", ("model", "'reset'"), post=_NOTE),
    "routing_hold_action trip": View("P", ("model", "'trip'"), post=_NOTE),
    "routing_hold_cards": View("EP"),
    "routing_killswitch_flip": View("P", post={**_NOTE, "turn": "on"}),
    "routing_price_import_prices": View("", post={"text": _PRICES, "confirmed": "1"}),
    "routing_price_price_book": View("CEP"),
    "routing_ruleset_publish_draft": View("P", ("draft",), post=_NOTE),
    "routing_ruleset_roll_back": View("P", ("published",), post=_NOTE),
    "routing_ruleset_start_draft": View("EP", post={}),
    "routing_ruleset_withdraw": View("P", ("scheduled",), post=_NOTE),
}

# Pages of the site itself: all staff get them, and they hold what the user may see.
SITE = {"index", "search", "password_change", "password_change_done", "jsi18n", "app_list"}
# Without a right to answer for: signing in and out, and addresses that ask for more in their query.
OPEN = {"login", "logout", "autocomplete", "view_on_site"}

# kind -> action -> who may.
ACTIONS: dict[str, dict[str, str]] = {
    "cache_answer": {"pin": "K", "revoke": "K"},
    "cache_wording": {"suspend": "K", "restore": "K"},
    **{
        kind: {"delete_selected": "S"}
        for kind, rights in PAGES.items()
        if rights["delete"] and kind != "routing_ruleset"
    },
}
