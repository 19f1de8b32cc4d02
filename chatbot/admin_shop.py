"""The shop in the admin: its texts, products and articles, in both languages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    LinesField,
    ModelAdmin,
    ReadOnly,
    Rows,
    StackedInline,
    UnfoldAdminTextareaWidget,
    column,
    link,
    list_url,
    page_action,
)
from chatbot.admin_first_steps import FirstSteps
from chatbot.admin_freshness import in_words
from chatbot.admin_import import import_page
from chatbot.admin_locales import PerLocaleField
from chatbot.admin_site_form import SiteForm
from chatbot.models import Article, ArticleVersion, Product, ShopFile, Site
from chatbot.staleness import dependents


@admin.register(Site)
class SiteAdmin(FirstSteps, Rows, ModelAdmin[Site]):
    """The shop's texts and settings."""

    form = SiteForm
    list_display = ("__str__", "key", "time_zone", "currency", "articles_link")
    fieldsets = (
        (None, {"fields": ("key", "name", ("time_zone", "currency"))}),
        (_("What the chat shows"), {"fields": ("greeting", "suggestions", "contact", "hours")}),
        (_("How it answers"), {"fields": ("tone", "locales", "answer_days")}),
        (_("Error budget"), {"fields": (("max_wrong_percent_en", "max_wrong_percent_zh"),)}),
        (_("Other pages"), {"fields": ("allowed_origins",)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its conversations would go with it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Site | None = None) -> tuple[str, ...]:
        """A site's key stands in addresses and partitions."""
        return ("key",) if obj is not None else ()

    @column(_("articles"))
    def articles_link(self, row: Site) -> SafeString:
        """Leads to its articles."""
        return link(gettext("articles"), list_url("chatbot_article", site__id__exact=row.pk))


class ProductForm(forms.ModelForm[Product]):
    """A product by all its names."""

    names = PerLocaleField(label=_("Names"), required=True)
    aliases = LinesField(
        label=_("Aliases"), help_text=_("Every other name that shoppers use, one per line.")
    )

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
    actions_list = ("import_products",)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Importing has a permission of its own."""
        return request.user.has_perm("chatbot.import_product")

    @page_action(_("Import"), path="import", permission="import", icon="upload")
    def import_products(self, request: HttpRequest) -> HttpResponse:
        """Products from a CSV file, shown before they are stored."""
        return import_page(self, request, kind=ShopFile.PRODUCTS)

    @column(_("English"))
    def english(self, row: Product) -> str:
        """The English name."""
        return str(row.names.get("en", "–"))

    @column("简体中文")
    def chinese(self, row: Product) -> str:
        """The Chinese name."""
        return str(row.names.get("zh-hans", "–"))

    @column(_("also called"))
    def other_names(self, row: Product) -> str:
        """The aliases."""
        return ", ".join(row.aliases) or "–"


class ArticleVersionInline(ReadOnly, StackedInline[ArticleVersion, Article]):
    """What the article said before."""

    model = ArticleVersion
    verbose_name_plural = _("Version history")
    fields = (("version", "saved_at"), "title", "text")
    readonly_fields = ("version", "saved_at", "title", "text")
    extra = 0
    per_page = 5
    collapsible = True


class ArticleForm(forms.ModelForm[Article]):
    """An article with its typical wordings one per line."""

    asked_as = LinesField(
        label=_("Asked as"),
        rows=4,
        help_text=_("Typical wordings, one per line; they help finding it."),
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
    actions_list = ("import_articles",)
    fieldsets = (
        (None, {"fields": ("title", "text", "asked_as", ("resting", "serve_while_stale"))}),
        (
            _("Where it belongs"),
            {"fields": (("topic", "locale", "key"), ("site", "url"), ("enabled", "version"))},
        ),
    )

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Importing has a permission of its own."""
        return request.user.has_perm("chatbot.import_article")

    @page_action(_("Import"), path="import", permission="import", icon="upload")
    def import_articles(self, request: HttpRequest) -> HttpResponse:
        """Articles from a file, shown before they are stored."""
        return import_page(self, request, kind=ShopFile.ARTICLES)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Article | None = None
    ) -> tuple[str, ...]:
        """Key and locale are what stored answers name as their source."""
        return ("version", "resting", *(("key", "locale", "site") if obj is not None else ()))

    @column(_("answers"))
    def stored_answers(self, row: Article) -> SafeString:
        """Leads to the stored answers that rest on it."""
        url = list_url("cache_answer", sources__article_key=row.key, sources__locale=row.locale)
        return link(gettext("answers"), url)

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
            text = gettext(
                "%(resting)s, rested on the version before; the most asked are made anew."
            )
            self.message_user(request, text % {"resting": in_words(resting)}, messages.INFO)

    @column(_("answers that rest on it"))
    def resting(self, row: Article) -> str:
        """What a change would take out of service."""
        return in_words(dependents(row, now=timezone.now())) if row.pk else "–"
