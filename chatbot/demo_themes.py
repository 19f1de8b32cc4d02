"""What the shoppers of the demo's history ask: delivered examples with their tier and their article."""

from __future__ import annotations

import csv
from random import Random

from chatbot.demo_history import Theme
from chatbot.knowledge import ArticleText, Knowledge
from chatbot.models import Article, Site
from chatbot.seeding import DEMO_DIR, LOCALES
from routing.snapshot import load_classifier

SEED = 14
THEMES_PER_LOCALE = 38
REWORDED = {"en": "Quick question: {}", "zh-hans": "想问一下，{}"}
REWORDED_SHARE = 0.6


def themes(site: Site) -> list[Theme]:
    """Labelled examples with the article that the word search finds for them."""
    classifier = load_classifier(lambda texts: [None] * len(texts))
    with (DEMO_DIR / "examples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rng, found_themes = dice(), []
    for locale in LOCALES:
        knowledge = Knowledge(_articles(site, locale))
        examples = [row for row in rows if row["language"] == locale]
        for row in rng.sample(examples, min(THEMES_PER_LOCALE, len(examples))):
            found = knowledge.search(row["text"], vector=None, count=1)
            article = found[0].article if found else None
            texts = [row["text"]]
            if rng.random() < REWORDED_SHARE:
                texts.append(REWORDED[locale].format(_as_part(row["text"])))
            for text in texts:
                tier = classifier.classify(text, language=locale, vector=None)
                found_themes.append(Theme(text, locale, tier.tier, tier.reason, article))
    return found_themes


def _as_part(text: str) -> str:
    """A question as the second half of a sentence."""
    is_name = text[1:2].isupper() or text.startswith("I ")
    return text if is_name else f"{text[:1].lower()}{text[1:]}"


def dice() -> Random:
    """Always the same numbers."""
    return Random(SEED)  # noqa: S311 - repeatable, not secret


def _articles(site: Site, locale: str) -> list[ArticleText]:
    return [
        ArticleText(
            key=row.key,
            locale=row.locale,
            version=row.version,
            topic=row.topic,
            title=row.title,
            text=row.text,
            asked_as=tuple(row.asked_as),
            url=row.url or f"/help/{row.key}/",
        )
        for row in Article.objects.filter(site=site, locale=locale, enabled=True)
    ]
