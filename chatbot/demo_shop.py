"""Taking the demo shop away, and bringing it back.

What goes: its articles, products, site texts, the delivered routing examples that name its goods, stored answers
that rest on its articles, and everything that its simulator answered. What stays: every row that differs
from what was delivered, since staff changed it, and answers that staff wrote, pinned or took back. The removal
is remembered with the site, so no later start brings the demo shop back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from base.text import fold, han_count
from cache.changes import record_changes
from cache.models import Answer, Change, Lookup, Wording
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.demo_history_rows import PREFIX
from chatbot.models import Article, Conversation, Product, Site, Tally
from chatbot.seeding import delivered_articles, delivered_products, delivered_site, seed
from routing.models import Call, Example
from routing.publishing import Terms, publish, start_draft
from routing.rule_sets import rule_set_in_force

TEXTS = ("name", "greeting", "suggestions", "contact", "hours", "tone")
NEUTRAL_NAME = {"en": "Your shop", "zh-hans": "您的店铺"}
_DELIVERED_BY = "seeding"
_HAN_FAMILY = 2


@dataclass(frozen=True, slots=True)
class Removal:
    """How many rows of each kind go or went, and what stays because staff changed it."""

    counts: Mapping[str, int]
    kept: tuple[str, ...]

    @property
    def total(self) -> int:
        """All rows that go."""
        return sum(self.counts.values())


class _Demo:
    """What of the demo shop is in the database, told apart from what staff made of it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        articles, products = delivered_articles(), delivered_products()
        own = [row for row in site.articles.all() if (row.key, row.locale) in articles]
        self.articles = [row for row in own if _is(row, articles[row.key, row.locale])]
        goods = [row for row in site.products.all() if row.key in products]
        self.products = [row for row in goods if _is(row, products[row.key])]
        self.texts = {name: _left(getattr(site, name), delivered_site()[name]) for name in TEXTS}
        self.examples = _examples(products)
        self.kept = (
            *(_article(row) for row in own if row not in self.articles),
            *(_product(row) for row in goods if row not in self.products),
            *(
                _("site: %(name)s") % {"name": name}
                for name, left in self.texts.items()
                if _is_staffs(self, name, left)
            ),
            *(_answer(row) for row in self._resting().filter(_STAFFS)),
        )

    def answers(self) -> QuerySet[Answer]:
        """Stored answers to remove: those that rest on its articles, and the simulator's own ones."""
        unsourced = Q(simulated=True, sources__isnull=True)
        ids = [*self._resting().values_list("id", flat=True)]
        ids += [*Answer.objects.filter(unsourced).values_list("id", flat=True)]
        return Answer.objects.filter(id__in=ids).exclude(_STAFFS)

    def _resting(self) -> QuerySet[Answer]:
        rests = Q(pk__in=())
        for locale in {row.locale for row in self.articles}:
            keys = [row.key for row in self.articles if row.locale == locale]
            rests |= Q(sources__article_key__in=keys, sources__locale=locale)
        return Answer.objects.filter(rests).distinct()


_STAFFS = Q(status=Answer.PINNED) | Q(origin=Answer.STAFF) | Q(recalls__isnull=False)


def removal() -> Removal:
    """What `remove` would do now; changes nothing."""
    demo = _Demo(Site.objects.get(key=DEFAULT_SITE_KEY))
    counts = {
        "articles": len(demo.articles),
        "products": len(demo.products),
        "examples": len(demo.examples),
        "site texts": sum(getattr(demo.site, name) != left for name, left in demo.texts.items()),
        "stored answers": demo.answers().count(),
        "simulated conversations": Conversation.objects.filter(simulated=True).count(),
        "simulated calls": Call.objects.filter(simulated=True).count(),
    }
    return Removal(counts, demo.kept)


@transaction.atomic
def remove(*, now: datetime, by: User | None) -> Removal:
    """Take the demo shop away and remember it; returns what went and what stays."""
    site = Site.objects.select_for_update().get(key=DEFAULT_SITE_KEY)
    found, demo = removal(), _Demo(site)
    answers = demo.answers()
    ids = list(answers.values_list("id", flat=True))
    wordings = Wording.objects.filter(answer_id__in=ids).values_list("id", flat=True)
    record_changes(wordings, op=Change.REMOVE, now=now)
    answers.delete()
    Article.objects.filter(id__in=[row.id for row in demo.articles]).delete()
    Product.objects.filter(id__in=[row.id for row in demo.products]).delete()
    _publish_without(demo.examples, now=now, by=by)
    for rows in (Conversation, Lookup, Call, Tally):
        rows.objects.filter(simulated=True).delete()
    site.shoppers.filter(public_id__startswith=PREFIX).delete()
    for name, left in demo.texts.items():
        setattr(site, name, left)
    site.name = site.name or dict(NEUTRAL_NAME)
    site.demo_removed_at = now
    site.save()
    if by is not None:
        _note(site, _("Took the demo shop away."), by=by)
    return found


@transaction.atomic
def add() -> dict[str, int]:
    """Bring the demo shop back beside whatever is there; returns how many rows of each kind were made."""
    site = Site.objects.get(key=DEFAULT_SITE_KEY)
    delivered = delivered_site()
    site.demo_removed_at = None
    for name in TEXTS:
        value = getattr(site, name)
        if not value or value == NEUTRAL_NAME:
            setattr(site, name, delivered[name])
    site.save()
    return seed()


def _article(row: Article) -> str:
    return _("article %(key)s (%(locale)s)") % {"key": row.key, "locale": row.locale}


def _product(row: Product) -> str:
    return _("product %(key)s") % {"key": row.key}


def _answer(row: Answer) -> str:
    return _("answer %(number)s: %(text)s") % {"number": row.pk, "text": row}


def _note(site: Site, message: str, *, by: User) -> None:
    LogEntry.objects.log_actions(
        user_id=by.pk, queryset=[site], action_flag=CHANGE, change_message=message
    )


def _is(row: Article | Product, delivered: Mapping[str, Any]) -> bool:
    """Whether every field is as delivered, those that a delivery leaves out at their defaults."""
    names = (field.name for field in row._meta.concrete_fields)
    fresh = type(row)(**delivered)
    skipped = {"id", "site", "key", "locale", "version", "updated_at"}
    return all(getattr(row, name) == getattr(fresh, name) for name in names if name not in skipped)


def _left(value: Mapping[str, Any], delivered: Mapping[str, Any]) -> dict[str, Any]:
    """A text per locale without what was delivered; of a list, the entries that staff added."""
    left = {}
    for locale, text in value.items():
        before = delivered.get(locale)
        kept = text
        if isinstance(text, list) and isinstance(before, list):
            kept = [item for item in text if item not in before]
        if kept and kept != before:
            left[locale] = kept
    return left


def _is_staffs(demo: _Demo, name: str, left: Mapping[str, Any]) -> bool:
    """Whether staff's own text stays in a field of the demo's site; not once it was taken away."""
    return bool(left) and demo.site.demo_removed_at is None and left != NEUTRAL_NAME


def _examples(products: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Delivered examples that name the demo's goods, while the delivered rule set is in force."""
    published = rule_set_in_force(timezone.now())
    if published is None or published.published_by != _DELIVERED_BY:
        return []
    marks = {mark for fields in products.values() for mark in _marks(fields["names"].values())}
    texts = published.examples.values_list("text", flat=True)
    return [text for text in texts if any(mark in f" {fold(text)} " for mark in marks)]


def _marks(names: Iterable[str]) -> Iterable[str]:
    """What gives a product away: the family name that it begins with, in Latin as a whole word."""
    for name in map(fold, names):
        yield name[:_HAN_FAMILY] if han_count(name) else f" {name.split()[0]} "


def _publish_without(examples: list[str], *, now: datetime, by: User | None) -> None:
    """A new rule set like the one in force, without these examples; published ones never change."""
    if not examples:
        return
    note = "without the demo shop's examples"
    draft = start_draft(now=now, note=note)
    Example.objects.filter(rule_set=draft, text__in=examples).delete()
    terms = Terms(note=note, by=by.get_username() if by else _DELIVERED_BY, now=now)
    publish(draft.id, terms=terms)
