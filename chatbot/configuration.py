"""What staff configure, frozen at one revision: site texts, products, articles, chains, rules.

A question takes the snapshot once and is decided wholly on it. Loading reads rows and embeds what has no
vector yet, so it runs off the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from base.text import Language
from cache.judgement import DEFAULT_MAX_WRONG_SHARE
from cache.models import Recalibration
from cache.vetoes import ProductNames
from chatbot.knowledge import ArticleText, Knowledge
from chatbot.models import Article, Product, Site
from chatbot.phrases import say
from routing.classifier import Classifier
from routing.rule_sets import RuleBooks
from routing.rulebook import RuleBook
from routing.snapshot import load_routing
from routing.specs import RoutingSnapshot

EmbedTexts = Callable[[Sequence[str]], list[NDArray[np.float32] | None]]
DEFAULT_SITE_KEY = "default"


@dataclass(frozen=True, slots=True)
class SiteTexts:
    """A site as questions need it."""

    id: int
    key: str
    name: Mapping[str, str]
    contact: Mapping[str, str]
    tone: Mapping[str, str]
    time_zone: str
    allowed_origins: tuple[str, ...]
    answer_days: Mapping[str, int] = field(default_factory=dict)
    max_wrong_shares: Mapping[Language, float] = field(default_factory=dict)

    def max_wrong_share(self, language: Language) -> float:
        """The share of all questions of a language that may be answered wrongly from the cache."""
        return self.max_wrong_shares.get(language, DEFAULT_MAX_WRONG_SHARE)

    def name_in(self, locale: str) -> str:
        """The shop's name in a locale, else in any, else its key."""
        return self.name.get(locale) or next(iter(self.name.values()), self.key)

    def say(self, key: str, *, locale: str, **values: str) -> str:
        """A sentence of the product with this site's contact text filled in."""
        return say(key, locale=locale, contact=self.contact.get(locale, ""), **values)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything one question is decided on; its vectors are of the engine `engine_id`."""

    revision: int
    site: SiteTexts
    products: ProductNames
    knowledge: Mapping[str, Knowledge]
    article_versions: Mapping[tuple[str, str], int]
    routing: RoutingSnapshot
    rules: RuleBook[Classifier]
    articles: Mapping[tuple[str, str], ArticleText] = field(default_factory=dict)
    engine_id: str = ""
    recalibrations: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    served_while_stale: frozenset[tuple[str, str]] = frozenset()


class ConfigurationLoader:
    """Reads rows into a Configuration; `embed` gives vectors and keeps those of unchanged texts."""

    def __init__(self, embed: EmbedTexts, *, engine_id: str, now: Callable[[], datetime]) -> None:
        self._embed = embed
        self._engine_id = engine_id
        self._now = now
        self._rule_books = RuleBooks(embed)

    def load(self, revision: int) -> Configuration:
        """The configuration as committed now. Raises Site.DoesNotExist before the first seeding."""
        site = Site.objects.get(key=DEFAULT_SITE_KEY)
        rows = list(Article.objects.filter(site=site, enabled=True))
        articles = [article_text(row) for row in rows]
        locales = sorted({article.locale for article in articles} | set(site.locales))
        return Configuration(
            revision=revision,
            site=_texts(site),
            products=ProductNames.of(
                {
                    product.key: (*product.names.values(), *product.aliases)
                    for product in Product.objects.filter(site=site)
                }
            ),
            knowledge={
                locale: knowledge_of(
                    [article for article in articles if article.locale == locale],
                    embed=self._embed,
                )
                for locale in locales
            },
            article_versions={
                (article.key, article.locale): article.version for article in articles
            },
            articles={(article.key, article.locale): article for article in articles},
            served_while_stale=frozenset(
                (row.key, row.locale) for row in rows if row.serve_while_stale
            ),
            routing=load_routing(),
            rules=self._rule_books.load(now=self._now()),
            engine_id=self._engine_id,
            recalibrations=_recalibrations(),
        )


def knowledge_of(articles: Sequence[ArticleText], *, embed: EmbedTexts) -> Knowledge:
    """The articles of one locale, searchable by words and, where the model knows them, by vectors."""
    vectors: dict[str, NDArray[np.float32]] = {}
    for article in articles:
        # Titles, typical wordings and passages: a question is near one of them, seldom near all.
        rows = embed([article.title, *article.asked_as, *_passages(article)])
        known = [row for row in rows if row is not None]
        if known:
            vectors[article.key] = np.stack(known)
    return Knowledge(articles, vectors=vectors)


def _passages(article: ArticleText) -> list[str]:
    """The article in pieces that fit an embedding model's window."""
    return [
        f"{article.title}. {part.strip()}" for part in article.text.split("\n\n") if part.strip()
    ]


def _recalibrations() -> dict[str, tuple[float, float]]:
    """Decision model -> its newest scale and shift."""
    rows = Recalibration.objects.order_by("id").values_list("judgement", "scale", "shift")
    return {name: (scale, shift) for name, scale, shift in rows}


def _texts(site: Site) -> SiteTexts:
    return SiteTexts(
        id=site.id,
        key=site.key,
        name=dict(site.name),
        contact=dict(site.contact),
        tone=dict(site.tone),
        time_zone=site.time_zone,
        allowed_origins=tuple(site.allowed_origins),
        max_wrong_shares={
            "en": float(site.max_wrong_percent_en) / 100,
            "zh-hans": float(site.max_wrong_percent_zh) / 100,
        },
        answer_days=dict(site.answer_days),
    )


def article_text(row: Article) -> ArticleText:
    """An article as answers are made from it; without an address of its own it has the help centre's."""
    return ArticleText(
        key=row.key,
        locale=row.locale,
        version=row.version,
        topic=row.topic,
        title=row.title,
        text=row.text,
        asked_as=tuple(row.asked_as),
        url=row.url or f"/help/{row.key}/",
    )
