"""The first steps of an owner, each done or not as the rows say; the admin's first page shows what is left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cache.models import Lookup
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.demo_shop import NEUTRAL_NAME
from chatbot.models import Site
from chatbot.seeding import delivered_articles, delivered_products, delivered_site
from routing.snapshot import access_of, load_routing

RECEIPTS_LOOKED_AT = 200
"""So many of the newest receipts are read to see whether an own article has answered a question."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, where, and whether it is done."""

    title: object
    detail: object
    url: str
    done: bool


def open_steps() -> list[Step]:
    """All steps while one is left to do; none once all are done, or hidden, or without a site."""
    site = Site.objects.filter(key=DEFAULT_SITE_KEY, checklist_hidden_at__isnull=True).first()
    if site is None:
        return []
    steps = _steps(site)
    return [] if all(step.done for step in steps) else steps


def _steps(site: Site) -> list[Step]:
    articles = _own_articles(site)
    names = {*site.name.values()}
    given = {*delivered_site()["name"].values(), *NEUTRAL_NAME.values()}
    return [
        Step(
            _("Set a vendor's key"),
            _("Any one is enough. Without a key a local simulator answers."),
            reverse("admin:routing_endpoint_changelist"),
            _has_key(),
        ),
        Step(
            _("Name your shop"),
            _("Its name, contact, hours, tone, time zone and currency."),
            reverse("admin:chatbot_site_change", args=[site.pk]),
            bool(names - given),
        ),
        Step(
            _("Import your articles"),
            _("From a CSV or Markdown files; answers are made from them."),
            reverse("admin:chatbot_article_import_articles"),
            bool(articles),
        ),
        Step(
            _("Import your products"),
            _("All their names, so that no two are taken for one."),
            reverse("admin:chatbot_product_import_products"),
            _has_own_product(site),
        ),
        Step(
            _("Take the demo shop away"),
            _("Its articles, products, texts and made-up history; what you changed stays."),
            reverse("admin:chatbot_site_demo"),
            site.demo_removed_at is not None,
        ),
        Step(
            _("Ask a test question"),
            _("One that your own articles answer."),
            reverse("chat"),
            bool(articles) and _was_answered_from(articles),
        ),
        Step(
            _("Link the chat from your shop"),
            _("A plain link to its page will do. Done once somebody follows it."),
            reverse("chat"),
            site.linked_at is not None,
        ),
    ]


@cache
def _delivered() -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    return frozenset(delivered_articles()), frozenset(delivered_products())


def _own_articles(site: Site) -> set[tuple[str, str]]:
    """Key and locale of the enabled articles that are not the demo's as delivered."""
    theirs = frozenset() if site.demo_removed_at else _delivered()[0]
    rows = site.articles.filter(enabled=True).values_list("key", "locale", "version")
    return {(key, locale) for key, locale, version in rows if _is_own(key, locale, version, theirs)}


def _is_own(key: str, locale: str, version: int, theirs: frozenset[tuple[str, str]]) -> bool:
    return version > 1 or (key, locale) not in theirs


def _has_own_product(site: Site) -> bool:
    theirs = frozenset() if site.demo_removed_at else _delivered()[1]
    return any(key not in theirs for key in site.products.values_list("key", flat=True))


def _was_answered_from(articles: set[tuple[str, str]]) -> bool:
    newest = Lookup.objects.order_by("-id").values_list("article_versions", flat=True)
    return any(
        (key, locale) in articles
        for versions in newest[:RECEIPTS_LOOKED_AT]
        for key, locale, _version in versions
    )


def _has_key() -> bool:
    """Whether any model of the chains has a key for something that is no simulator."""
    models = (model for chain in load_routing().chains.values() for model in chain)
    return any(access_of(m.endpoint) is not None and not m.endpoint.simulated for m in models)
