"""Rows of the shop: its sites, products and articles."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


def default_locales() -> list[str]:
    """Both languages of the product."""
    return ["en", "zh-hans"]


def _wrong_percent() -> models.DecimalField[Decimal, Decimal]:
    """An error budget of the cache, in percent of all questions of one language."""
    return models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text="Of 100 questions in this language, so many may be answered wrongly from the cache.",
    )


class Site(models.Model):
    """One shop. Texts that people read are objects of locale -> text."""

    key = models.SlugField(unique=True)
    name = models.JSONField(default=dict)
    greeting = models.JSONField(default=dict, blank=True)
    suggestions = models.JSONField(
        default=dict, blank=True, help_text="locale -> list of questions"
    )
    contact = models.JSONField(default=dict, blank=True)
    hours = models.JSONField(default=dict, blank=True)
    tone = models.JSONField(default=dict, blank=True)
    allowed_origins = models.JSONField(default=list, blank=True)
    locales = models.JSONField(default=default_locales)
    time_zone = models.CharField(max_length=40, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    max_wrong_percent_en = _wrong_percent()
    max_wrong_percent_zh = _wrong_percent()
    answer_days = models.JSONField(
        default=dict, blank=True, help_text="topic -> days that stored answers live"
    )
    demo_removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    demo_history_at = models.DateTimeField(null=True, blank=True, editable=False)
    linked_at = models.DateTimeField(null=True, blank=True, editable=False)
    checklist_hidden_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        permissions = [
            ("remove_demo", "Can take the demo shop away"),
            ("hide_checklist", "Can hide the checklist of the first steps"),
        ]

    def __str__(self) -> str:
        return str(self.name.get("en") or self.key)


class Product(models.Model):
    """A product by all its names, so that two siblings are never taken for one."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="products")
    key = models.SlugField(max_length=80)
    names = models.JSONField(default=dict)
    aliases = models.JSONField(default=list, blank=True)
    url = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("key",)
        constraints = [models.UniqueConstraint(fields=["site", "key"], name="chatbot_product_once")]
        permissions = [("import_product", "Can import products from a file")]

    def __str__(self) -> str:
        return str(self.names.get("en") or self.key)


class Article(models.Model):
    """A help article in one language; its version rises with every change of title or text."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="articles")
    key = models.SlugField(max_length=80)
    locale = models.CharField(max_length=10)
    topic = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    text = models.TextField(help_text="Markdown.")
    asked_as = models.JSONField(
        default=list, blank=True, help_text="Typical wordings, for the search."
    )
    url = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    enabled = models.BooleanField(default=True)
    serve_while_stale = models.BooleanField(
        default=False,
        help_text="After a change, show the old answer until the new one is made.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("locale", "topic", "key")
        constraints = [
            models.UniqueConstraint(fields=["site", "key", "locale"], name="chatbot_article_once")
        ]
        permissions = [("import_article", "Can import articles from a file")]

    def __str__(self) -> str:
        return self.title


class ArticleVersion(models.Model):
    """What an article said at a version."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField()
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-version",)
        constraints = [
            models.UniqueConstraint(
                fields=["article", "version"], name="chatbot_article_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class ShopFile(models.Model):
    """A file that staff uploaded to import and have not confirmed yet; it is gone once that is done.

    In the database, so that whichever process shows the preview, any other can take the confirmation.
    """

    ARTICLES, PRODUCTS = "articles", "products"

    kind = models.CharField(
        max_length=10, choices=[(value, value) for value in (ARTICLES, PRODUCTS)]
    )
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
