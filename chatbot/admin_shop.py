"""The shop in the admin: its texts, products and articles, in both languages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from base.admin import (
    LinesField,
    ModelAdmin,
    ReadOnly,
    Rows,
    StackedInline,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    column,
    link,
    list_url,
)
from chatbot.admin_freshness import DaysField, in_words
from chatbot.models import Article, ArticleVersion, Product, Site
from chatbot.staleness import dependents

LOCALES: tuple[tuple[str, str], ...] = tuple(settings.LANGUAGES)


class PerLocaleWidget(forms.MultiWidget):
    """One input per locale, each with its language's name."""

    def __init__(self, *, lines: bool, rows: int) -> None:
        self._lines = lines
        kind = UnfoldAdminTextareaWidget if rows > 1 else UnfoldAdminTextInputWidget
        attrs = {"rows": rows} if rows > 1 else {}
        super().__init__({locale: kind(attrs=attrs) for locale, _ in LOCALES})

    def decompress(self, value: Any) -> list[str]:
        """The object's texts in the order of LOCALES; a list as lines."""
        texts = [(value or {}).get(locale, "") for locale, _ in LOCALES]
        return ["\n".join(text) if isinstance(text, list) else str(text) for text in texts]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The inputs one below the other."""
        values = value if isinstance(value, list) else self.decompress(value)
        suffixes = [f"_{locale}" for locale, _ in LOCALES]
        parts = zip(LOCALES, suffixes, self.widgets, values, strict=True)
        inputs = (
            (
                language,
                widget.render(
                    f"{name}{suffix}", text, {"aria-label": f"{name}, {language}"}, renderer
                ),
            )
            for (_, language), suffix, widget, text in parts
        )
        return format_html(
            '<div class="bw-locales">{}</div>',
            format_html_join("", '<div><span class="bw-muted">{}</span>{}</div>', inputs),
        )


class PerLocaleField(forms.MultiValueField):
    """An object of locale -> text, or of locale -> list with one entry per line."""

    def __init__(self, *, lines: bool = False, rows: int = 1, **kwargs: Any) -> None:
        self._lines = lines
        one = LinesField if lines else forms.CharField
        super().__init__(
            fields=[one(required=False) for _ in LOCALES],
            require_all_fields=False,
            widget=PerLocaleWidget(lines=lines, rows=max(rows, 3) if lines else rows),
            **{"required": False, **kwargs},
        )

    def compress(self, data_list: list[Any]) -> dict[str, Any]:
        """Only the locales that hold something."""
        pairs = zip(LOCALES, data_list or [], strict=False)
        return {locale: value for (locale, _), value in pairs if value}


class SiteForm(forms.ModelForm[Site]):
    """A site's texts per language."""

    name = PerLocaleField(required=True)
    greeting = PerLocaleField(rows=2)
    suggestions = PerLocaleField(lines=True, rows=4, help_text="One question per line.")
    contact = PerLocaleField(rows=2)
    hours = PerLocaleField()
    tone = PerLocaleField(rows=2, help_text="How answers should sound; part of the prompt.")
    locales = LinesField(rows=2, required=True)
    answer_days = DaysField()
    allowed_origins = LinesField(help_text="Where the widget may be embedded, one origin per line.")

    class Meta:
        model = Site
        fields = (
            "key",
            "name",
            "greeting",
            "suggestions",
            "contact",
            "hours",
            "tone",
            "answer_days",
            "allowed_origins",
            "locales",
            "time_zone",
            "currency",
            "max_wrong_percent_en",
            "max_wrong_percent_zh",
        )

    def clean_time_zone(self) -> str:
        """A zone of the IANA database."""
        name = str(self.cleaned_data["time_zone"])
        if name not in available_timezones():
            message = "Give a zone of the IANA database, such as Asia/Shanghai."
            raise forms.ValidationError(message)
        return name

    def clean_allowed_origins(self) -> list[str]:
        """Origins: scheme and host, nothing after it."""
        origins: list[str] = self.cleaned_data["allowed_origins"]
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or parts.path
                or parts.query
            ):
                message = f"{origin} is no origin: give scheme and host, like https://shop.example."
                raise forms.ValidationError(message)
        return origins


@admin.register(Site)
class SiteAdmin(Rows, ModelAdmin[Site]):
    """The shop's texts and settings."""

    form = SiteForm
    list_display = ("__str__", "key", "time_zone", "currency", "articles_link")
    fieldsets = (
        (None, {"fields": (("key", "time_zone", "currency"), "name")}),
        ("What the chat shows", {"fields": ("greeting", "suggestions", "contact", "hours")}),
        ("How it answers", {"fields": ("tone", "locales", "answer_days")}),
        ("Error budget", {"fields": (("max_wrong_percent_en", "max_wrong_percent_zh"),)}),
        ("Embedding", {"fields": ("allowed_origins",)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its conversations would go with it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Site | None = None) -> tuple[str, ...]:
        """A site's key stands in addresses and partitions."""
        return ("key",) if obj is not None else ()

    @column("articles")
    def articles_link(self, row: Site) -> SafeString:
        """Leads to its articles."""
        return link("articles", list_url("chatbot_article", site__id__exact=row.pk))


class ProductForm(forms.ModelForm[Product]):
    """A product by all its names."""

    names = PerLocaleField(required=True)
    aliases = LinesField(help_text="Every other name that shoppers use, one per line.")

    class Meta:
        model = Product
        fields = ("site", "key", "names", "aliases", "url")


@admin.register(Product)
class ProductAdmin(Rows, ModelAdmin[Product]):
    """Products by all their names, so that two of them are never taken for one."""

    form = ProductForm
    list_display = ("key", "english", "chinese", "other_names", "url")
    list_filter = ("site",)
    search_fields = ("key", "names", "aliases")
    fields = (("site", "key"), "names", "aliases", "url")

    @column("English")
    def english(self, row: Product) -> str:
        """The English name."""
        return str(row.names.get("en", "–"))

    @column("简体中文")
    def chinese(self, row: Product) -> str:
        """The Chinese name."""
        return str(row.names.get("zh-hans", "–"))

    @column("also called")
    def other_names(self, row: Product) -> str:
        """The aliases."""
        return ", ".join(row.aliases) or "–"


class ArticleVersionInline(ReadOnly, StackedInline[ArticleVersion, Article]):
    """What the article said before."""

    model = ArticleVersion
    verbose_name_plural = "Version history"
    fields = (("version", "saved_at"), "title", "text")
    readonly_fields = ("version", "saved_at", "title", "text")
    extra = 0
    per_page = 5
    collapsible = True


class ArticleForm(forms.ModelForm[Article]):
    """An article with its typical wordings one per line."""

    asked_as = LinesField(
        label="Asked as", rows=4, help_text="Typical wordings, one per line; they help finding it."
    )

    class Meta:
        model = Article
        fields = (
            *("site", "key", "locale", "topic", "title", "text", "asked_as", "url", "enabled"),
            "serve_while_stale",
        )
        widgets = {"text": UnfoldAdminTextareaWidget(attrs={"rows": 18})}


@admin.register(Article)
class ArticleAdmin(Rows, ModelAdmin[Article]):
    """Help articles: what answers are made from."""

    form = ArticleForm
    inlines = (ArticleVersionInline,)
    list_display = (
        "title",
        "topic",
        "locale",
        "version",
        "stored_answers",
        "enabled",
        "updated_at",
    )
    list_filter = ("topic", "locale", "enabled", "site")
    search_fields = ("title", "text", "key")
    fieldsets = (
        (None, {"fields": ("title", "text", "asked_as", ("resting", "serve_while_stale"))}),
        (
            "Where it belongs",
            {"fields": (("topic", "locale", "key"), ("site", "url"), ("enabled", "version"))},
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Article | None = None
    ) -> tuple[str, ...]:
        """Key and locale are what stored answers name as their source."""
        return ("version", "resting", *(("key", "locale", "site") if obj is not None else ()))

    @column("answers")
    def stored_answers(self, row: Article) -> SafeString:
        """Leads to the stored answers that rest on it."""
        url = list_url("cache_answer", sources__article_key=row.key, sources__locale=row.locale)
        return link("answers", url)

    def save_model(
        self,
        request: HttpRequest,
        obj: Article,
        form: Any,
        change: bool,  # noqa: FBT001  Django's own call
    ) -> None:
        """Say how many stored answers a new version takes out of use."""
        resting = dependents(Article.objects.get(pk=obj.pk), now=timezone.now()) if change else None
        super().save_model(request, obj, form, change)
        if resting and resting.answers and {"title", "text", "enabled"} & set(form.changed_data):
            text = (
                f"{in_words(resting)}, rested on the version before; the most asked are made anew."
            )
            self.message_user(request, text, messages.INFO)

    @column("answers that rest on it")
    def resting(self, row: Article) -> str:
        """What a change would take out of service."""
        return in_words(dependents(row, now=timezone.now())) if row.pk else "–"
