"""Seeding the demo shop: complete, repeatable, and never over what staff have edited."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.core import serializers

from base.revision import current_number
from chatbot.models import Article, Product, Site
from chatbot.seeding import DEMO_DIR, LOCALES, read_article, seed
from routing.models import Chain, Endpoint, ExchangeRate, Model, Price, RuleSet
from routing.specs import Tier

pytestmark = pytest.mark.django_db(transaction=True)


def everything() -> str:
    """Every row of our packages, as text."""
    models = [
        model
        for label in ("base", "cache", "routing", "chatbot")
        for model in apps.get_app_config(label).get_models()
    ]
    return "\n".join(
        serializers.serialize("jsonl", model.objects.order_by("pk")) for model in models
    )


def test_second_run_changes_nothing() -> None:
    """Not one row, not one field, not even the revision."""
    made = seed()
    before, revision = everything(), current_number()
    again = seed()
    assert all(count > 0 for count in made.values())
    assert set(again.values()) == {0}
    assert everything() == before
    assert current_number() == revision


def test_staff_edits_are_never_overwritten() -> None:
    """Texts, prices, limits, orders and switches stay as staff have left them."""
    seed()
    site = Site.objects.get()
    Site.objects.filter(pk=site.pk).update(name={"en": "Our own name"})
    Article.objects.filter(key="returns-policy", locale="en").update(text="Ours.", version=9)
    Product.objects.update(aliases=["ours"])
    Endpoint.objects.update(enabled=False)
    Model.objects.update(requests_per_minute=7)
    Price.objects.update(input_nano_per_token=7)
    ExchangeRate.objects.update(usd_per_unit="0.5")
    Chain.objects.filter(tier="FAQ").exclude(position=10).delete()
    RuleSet.objects.update(note="ours")
    before = everything()
    seed()
    assert everything() == before


def test_missing_rows_come_back() -> None:
    """What is not there is inserted again; its neighbours are left alone."""
    seed()
    Article.objects.filter(key="returns-policy").delete()
    made = seed()
    assert made["articles"] == len(LOCALES)
    assert sum(made.values()) == len(LOCALES)


def test_every_article_exists_in_both_languages() -> None:
    """Each key has a title, a text and typical wordings, in English and in Chinese."""
    seed()
    rows = {(row.key, row.locale): row for row in Article.objects.all()}
    keys = {key for key, _ in rows}
    assert set(rows) == {(key, locale) for key in keys for locale in LOCALES}
    assert all(row.title and row.text and row.asked_as for row in rows.values())
    assert {row.version for row in rows.values()} == {1}


def test_every_tier_has_a_chain_and_every_model_a_price() -> None:
    """Nothing in the demo's routing points into the void."""
    seed()
    assert set(Chain.objects.values_list("tier", flat=True)) == {tier.value for tier in Tier}
    unpriced = [
        str(model)
        for model in Model.objects.select_related("endpoint")
        if not Price.objects.filter(endpoint=model.endpoint, model_name=model.name).exists()
    ]
    assert unpriced == []
    assert RuleSet.objects.get().state == RuleSet.PUBLISHED


def test_list_price_is_exact() -> None:
    """0.30 per million tokens is 300 nano-units per token, not one more or less."""
    seed()
    listed = json.loads((DEMO_DIR / "routing.json").read_text(encoding="utf-8"))
    fresh = listed["list_prices_usd_per_million_tokens"]["prices"]["gemini-2.5-flash"][0]
    price = Price.objects.get(endpoint__key="gemini", model_name="gemini-2.5-flash")
    assert (fresh, price.input_nano_per_token) == ("0.30", 300)


def test_article_file_is_read_whole() -> None:
    """Head and text are told apart at the first two rules only."""
    path = DEMO_DIR / "articles" / "en" / "shipping-couriers.md"
    article = read_article(path)
    assert set(article) == {"title", "topic", "asked_as", "text"}
    assert path.read_text(encoding="utf-8").strip().endswith(article["text"][-80:])
