"""What the shoppers of the demo's history ask: `demo/history.csv`, with the tier and the article that the delivered
rules, examples and articles give each question."""

from __future__ import annotations

import csv
from random import Random

from chatbot.configuration import article_text
from chatbot.demo_history import Theme
from chatbot.knowledge import ArticleText
from chatbot.models import Article, Site
from chatbot.seeding import DEMO_DIR
from routing.specs import Tier

SEED = 14


def themes(site: Site) -> list[Theme]:
    """All of them; one whose article is gone has none."""
    articles = _articles(site)
    with (DEMO_DIR / "history.csv").open(encoding="utf-8", newline="") as file:
        return [
            Theme(
                text=row["text"],
                language=row["language"],
                tier=Tier(row["tier"]),
                tier_reason=row["tier_reason"],
                article=articles.get((row["article"], row["language"])),
            )
            for row in csv.DictReader(file)
        ]


def dice() -> Random:
    """Always the same numbers."""
    return Random(SEED)  # noqa: S311 - repeatable, not secret


def _articles(site: Site) -> dict[tuple[str, str], ArticleText]:
    rows = Article.objects.filter(site=site, enabled=True)
    return {(row.key, row.locale): article_text(row) for row in rows}
