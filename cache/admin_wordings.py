"""Wordings in the admin: which of them are served, and taking single ones out or back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from base.admin import ModelAdmin, ReadOnly, Rows, column, row_link, shortened, wide
from base.admin_cells import moment
from base.audit import note
from base.words import word
from cache.admin_parts import LanguageFilter, language_of
from cache.models import Answer, Wording
from cache.suspending import restore, suspend

SERVED, SUSPENDED, RETIRED = "served", "suspended", "answer out of service"


class ServiceFilter(admin.SimpleListFilter):
    """By whether the wording is served."""

    title = _("service")
    parameter_name = "service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Served, or why not."""
        return [(value, word(value)) for value in (SERVED, SUSPENDED, RETIRED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Wording]) -> QuerySet[Wording]:
        """As the column says it."""
        if self.value() == SUSPENDED:
            return queryset.filter(suspended_at__isnull=False)
        if self.value() == SERVED:
            return queryset.filter(suspended_at=None, answer__status__in=Answer.SERVED)
        if self.value() == RETIRED:
            return queryset.filter(suspended_at=None).exclude(answer__status__in=Answer.SERVED)
        return queryset


@admin.register(Wording)
class WordingAdmin(ReadOnly, Rows, ModelAdmin[Wording]):
    """Every way in which a question is put, with the answer it leads to."""

    list_display = ("wording", "service", "because", "leads_to", "kind", "language", "created")
    list_filter = (ServiceFilter, LanguageFilter, "kind", "created_at")
    search_fields = ("text", "answer__text")
    search_help_text = _("Words of a question or of an answer")
    list_select_related = ("answer",)
    actions = ("suspend", "restore")
    fields = (
        "text",
        ("service", "because"),
        "leads_to",
        ("kind", "language"),
        ("partition", "engine_id"),
        ("created", "asker_shopper_id"),
    )
    readonly_fields = (
        "text",
        "service",
        "because",
        "leads_to",
        "kind",
        "language",
        "partition",
        "engine_id",
        "created",
        "asker_shopper_id",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wording]:
        """Without the vectors, which nobody reads here."""
        return super().get_queryset(request).defer("vector")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may change answers may take their wordings out and back."""
        return bool(request.user.has_perm("cache.change_answer"))

    @column(_("wording"), order="text")
    def wording(self, row: Wording) -> SafeString:
        """The text."""
        return wide(shortened(row.text))

    @column(_("service"), label={SERVED: "success", SUSPENDED: "danger", RETIRED: "warning"})
    def service(self, row: Wording) -> str:
        """Whether it is served."""
        if row.suspended_at is not None:
            return SUSPENDED
        return SERVED if row.answer.status in Answer.SERVED else RETIRED

    @column(_("because"))
    def because(self, row: Wording) -> str:
        """Why it is not served."""
        if row.suspended_at is not None:
            return row.suspended_because or "–"
        return (
            "–"
            if row.answer.status in Answer.SERVED
            else gettext("the answer is %(status)s") % {"status": word(row.answer.status)}
        )

    @column(_("answer"))
    def leads_to(self, row: Wording) -> SafeString:
        """The answer."""
        return row_link("cache_answer", row.answer_id, wide(shortened(row.answer.text, limit=60)))

    @column(_("language"))
    def language(self, row: Wording) -> str:
        """The partition's language."""
        return language_of(row.partition)

    @column(_("since"), order="created_at")
    def created(self, row: Wording) -> SafeString | str:
        """When it came to lead to this answer."""
        return moment(row.created_at)

    @admin.action(
        description=_("Suspend: serve to nobody, keep the answer"), permissions=["decide"]
    )
    def suspend(self, request: HttpRequest, queryset: QuerySet[Wording]) -> None:
        """Take the chosen wordings out of every process; the next asker gets a fresh answer."""
        chosen = list(queryset.filter(suspended_at=None))
        because = gettext("by %(user)s") % {"user": request.user.get_username()}
        count = suspend([row.pk for row in chosen], because=because, now=timezone.now())
        note(chosen, gettext("Suspended."), user=request.user)
        said = ngettext("%(count)s wording suspended.", "%(count)s wordings suspended.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Restore: serve again"), permissions=["decide"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Wording]) -> None:
        """Put the chosen wordings back; what shoppers said against them counts no more."""
        chosen = list(queryset.exclude(suspended_at=None))
        count = restore([row.pk for row in chosen], now=timezone.now())
        note(chosen, gettext("Restored."), user=request.user)
        said = ngettext("%(count)s wording restored.", "%(count)s wordings restored.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)
