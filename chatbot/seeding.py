"""The demo shop as rows. Inserts by natural key and never overwrites what staff have edited.

Once the demo shop was taken away (`demo_shop`), only what every shop needs is inserted: models, prices, chains, rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatbot.models import Article, Product, Site
from routing.differences import chains_now
from routing.models import Chain, Endpoint, Example, ExchangeRate, Model, Price, Rule, RuleSet
from routing.rule_sets import built_in_examples, built_in_rules

DEMO_DIR = Path(__file__).resolve().parent / "demo"
LOCALES = ("en", "zh-hans")
NANO_PER_UNIT = Decimal(1_000)


@transaction.atomic
def seed() -> dict[str, int]:
    """Insert what is missing; returns how many rows of each kind were made."""
    site, made = _site()
    counts = {"sites": int(made)}
    shop: tuple[tuple[str, Callable[[], int]], ...] = (
        ("products", lambda: _products(site)),
        ("articles", lambda: _articles(site)),
    )
    steps: tuple[tuple[str, Callable[[], int]], ...] = (
        *(() if site.demo_removed_at else shop),
        ("endpoints", _endpoints),
        ("models", _models),
        ("prices", _prices),
        ("rates", _rates),
        ("chains", _chains),
        ("rule sets", _rule_set),
    )
    return counts | {name: step() for name, step in steps}


def read_article(path: Path) -> dict[str, Any]:
    """One Markdown file with `name: value` lines between --- lines: title, topic, asked_as, text."""
    _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
    asked_as = [
        wording.strip() for wording in fields.get("asked_as", "").split("|") if wording.strip()
    ]
    return {
        "title": fields["title"].strip(),
        "topic": fields["topic"].strip(),
        "asked_as": asked_as,
        "text": text.strip(),
    }


def delivered_site() -> dict[str, Any]:
    """The demo shop's site as delivered, by field."""
    return dict(_json("site.json"))


def delivered_products() -> dict[str, dict[str, Any]]:
    """Key -> fields of each product as delivered."""
    return {row.pop("key"): row for row in _json("products.json")}


def delivered_articles() -> dict[tuple[str, str], dict[str, Any]]:
    """Key and locale -> fields of each article as delivered."""
    return {
        (path.stem, locale): read_article(path)
        for locale in LOCALES
        for path in sorted((DEMO_DIR / "articles" / locale).glob("*.md"))
    }


def _json(name: str) -> Any:
    return json.loads((DEMO_DIR / name).read_text(encoding="utf-8"))


def _site() -> tuple[Site, bool]:
    values = delivered_site()
    return Site.objects.get_or_create(key=values.pop("key"), defaults=values)


def _products(site: Site) -> int:
    return sum(
        Product.objects.get_or_create(site=site, key=key, defaults=row)[1]
        for key, row in delivered_products().items()
    )


def _articles(site: Site) -> int:
    return sum(
        Article.objects.get_or_create(site=site, key=key, locale=locale, defaults=fields)[1]
        for (key, locale), fields in delivered_articles().items()
    )


def _endpoints() -> int:
    rows = _json("routing.json")["endpoints"]
    return sum(Endpoint.objects.get_or_create(key=row.pop("key"), defaults=row)[1] for row in rows)


def _models() -> int:
    endpoints = {row.key: row for row in Endpoint.objects.all()}
    return sum(
        Model.objects.get_or_create(
            endpoint=endpoints[row.pop("endpoint")], name=row.pop("name"), defaults=_dates(row)
        )[1]
        for row in _json("routing.json")["models"]
    )


def _dates(row: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no dates: turn the two date fields into ones."""
    return row | {
        name: date.fromisoformat(row[name]) for name in ("valid_from", "valid_until") if name in row
    }


def _prices() -> int:
    listed = _json("routing.json")["list_prices_usd_per_million_tokens"]
    return sum(
        Price.objects.get_or_create(
            endpoint=endpoint,
            model_name=name,
            valid_from=date.fromisoformat(listed["valid_from"]),
            defaults=_price_values(endpoint, prices, listed["source"]),
        )[1]
        for endpoint, name, prices in _priced(listed["prices"])
    )


def _priced(prices: Mapping[str, list[str]]) -> Iterator[tuple[Endpoint, str, list[str]]]:
    """Every model at its endpoints; a retired model's successor is priced there as well."""
    for model in Model.objects.select_related("endpoint"):
        if model.name in prices:
            yield model.endpoint, model.name, prices[model.name]


def _price_values(endpoint: Endpoint, prices: list[str], source: str) -> dict[str, Any]:
    """The gateway sells at the vendors' dollar figures in its own currency (its one-to-one credit)."""
    fresh, cached, output = (int(Decimal(price) * NANO_PER_UNIT) for price in prices)
    return {
        "currency": endpoint.currency,
        "input_nano_per_token": fresh,
        "cached_input_nano_per_token": cached,
        "output_nano_per_token": output,
        "source": source,
    }


def _rates() -> int:
    return sum(
        ExchangeRate.objects.get_or_create(
            currency=row["currency"],
            valid_from=date.fromisoformat(row["valid_from"]),
            defaults={"usd_per_unit": Decimal(row["usd_per_unit"]), "source": row["source"]},
        )[1]
        for row in _json("routing.json")["usd_rates"]
    )


def _chains() -> int:
    """Only a tier that has no chain yet gets one: an order that staff made is theirs."""
    made = 0
    for tier, places in _json("routing.json")["chains"].items():
        if Chain.objects.filter(tier=tier).exists():
            continue
        for position, place in enumerate(places, start=1):
            endpoint, _, name = place.partition("/")
            model = Model.objects.get(endpoint__key=endpoint, name=name)
            Chain.objects.create(tier=tier, position=position * 10, model=model)
            made += 1
    return made


def _rule_set() -> int:
    """The first published rule set; staff drafts start from it."""
    if RuleSet.objects.exists():
        return 0
    rule_set = RuleSet.objects.create(
        version=1,
        state=RuleSet.PUBLISHED,
        note="as delivered with the demo shop",
        published_at=timezone.now(),
        published_by="seeding",
        frozen_chains=chains_now(),
    )
    Rule.objects.bulk_create(Rule(rule_set=rule_set, **row) for row in built_in_rules())
    Example.objects.bulk_create(Example(rule_set=rule_set, **row) for row in built_in_examples())
    return 1
