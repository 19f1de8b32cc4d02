"""Parts of the cache's admin pages: the filter by language, and what a stored answer has below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from base.admin import ReadOnly, TabularInline, column, link, list_url, row_link
from base.words import word
from cache.models import Answer, Source, Wording

LANGUAGES = (("en", "English"), ("zh-hans", "简体中文"))


def language_of(partition: str) -> str:
    """The language part of a partition; empty when the partition has another shape."""
    parts = partition.split("/")
    return parts[1] if len(parts) > 1 else ""


class LanguageFilter(admin.SimpleListFilter):
    """By the language that is part of the partition."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Both languages of the product."""
        return LANGUAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows whose partition is of the language."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(partition__contains=f"/{chosen}/")


class WordingInline(ReadOnly, TabularInline[Wording, Answer]):
    """Every way in which shoppers put the question."""

    model = Wording
    fields = ("wording", "kind", "service", "asked_by", "has_vector", "created_at")
    readonly_fields = fields
    extra = 0
    per_page = 25
    hide_title = True

    @column(_("text"))
    def wording(self, wording: Wording) -> SafeString:
        """The text; leads to its page."""
        return row_link("cache_wording", wording.pk, wording.text)

    @column(_("service"))
    def service(self, wording: Wording) -> str:
        """Whether it is served; a suspended one with the reason."""
        if wording.suspended_at is None:
            return word("served")
        return f"{word('suspended')}: {wording.suspended_because}"

    @column(_("asked by shopper"))
    def asked_by(self, wording: Wording) -> str:
        """The shopper's row number."""
        return str(wording.asker_shopper_id or "–")

    @column(_("found by meaning"), boolean=True)
    def has_vector(self, wording: Wording) -> bool:
        """Whether the wording has a vector; without one it is found by its exact text only."""
        return bool(wording.engine_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wording]:
        """Without the vectors, which nobody reads here."""
        return super().get_queryset(request).defer("vector")


class SourceInline(ReadOnly, TabularInline[Source, Answer]):
    """The article versions that the answer rests on."""

    model = Source
    fields = ("article", "locale", "article_version")
    readonly_fields = fields
    extra = 0
    hide_title = True

    @column(_("article"))
    def article(self, source: Source) -> SafeString:
        """The article, by key and locale."""
        url = list_url("chatbot_article", key=source.article_key, locale=source.locale)
        return link(source.article_key, url)
