"""The stored answers in the admin. Edits go through `save()`, so every replica learns of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ModelAdmin,
    Rows,
    SimulatedMark,
    UnfoldAdminSelectWidget,
    column,
    link,
    list_url,
    shortened,
    wide,
)
from base.admin_cells import moment
from base.audit import note
from base.marked import plain
from base.money import usd
from base.words import word
from cache.admin_parts import LanguageFilter, SourceInline, WordingInline, language_of
from cache.models import Answer, Wording

STATUS_COLOURS = {
    Answer.LIVE: "success",
    Answer.PINNED: "info",
    Answer.OWN: "",
    Answer.WAITING: "warning",
    Answer.STALE: "warning",
    Answer.REVOKED: "danger",
}
# Revoking is not among them: whoever received the answer has to be told, so it has a page of its own.
EDITABLE_STATUSES = (Answer.LIVE, Answer.PINNED, Answer.WAITING, Answer.STALE)


class AnswerForm(forms.ModelForm[Answer]):
    """Text, status and expiry; `own` answers are one shopper's and cannot become shared ones."""

    class Meta:
        model = Answer
        fields = ("text", "status", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            kept = (Answer.REVOKED,) if self.instance.status == Answer.REVOKED else ()
            choices = [(value, word(value)) for value in (*EDITABLE_STATUSES, *kept)]
            self.fields["status"] = forms.ChoiceField(
                label=_("Status"), choices=choices, widget=UnfoldAdminSelectWidget(choices=choices)
            )


class AnswerAdmin(SimulatedMark, Rows, ModelAdmin[Answer]):
    """Answers with wordings and sources; nothing is deleted. The site registers it with its recall."""

    form = AnswerForm
    inlines = (WordingInline, SourceInline)
    list_display = (
        "answer",
        "question",
        "state",
        "mode",
        "language",
        "origin",
        "tier",
        "model",
        "served",
        "cost",
        "checked",
        "expires",
    )
    list_filter = ("status", "simulated", LanguageFilter, "origin", "tier", "model", "checked_at")
    search_fields = ("text", "wordings__text")
    search_help_text = _("Words of an answer or of a question")
    actions: Any = ("pin",)
    readonly_fields = (
        "partition",
        "origin",
        "model",
        "prompt_version",
        "tier",
        "owner_shopper_id",
        "created_at",
        "checked_at",
        "cost",
        "served",
        "last_served_at",
        "mode",
    )
    fieldsets = (
        (None, {"fields": ("text", "status", "expires_at")}),
        (
            _("Where it comes from"),
            {
                "fields": (
                    ("origin", "model", "tier"),
                    ("prompt_version", "partition"),
                    ("created_at", "checked_at"),
                )
            },
        ),
        (
            _("What it does"),
            {"fields": (("served", "last_served_at"), ("cost", "mode", "owner_shopper_id"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        """With one wording and the number of wordings."""
        first = Wording.objects.filter(answer_id=OuterRef("pk")).order_by("id").values("text")[:1]
        count = (
            Wording.objects.filter(answer_id=OuterRef("pk"))
            .order_by()
            .values("answer_id")
            .annotate(count=Count("id"))
            .values("count")
        )
        rows = super().get_queryset(request)
        return rows.annotate(first_wording=Subquery(first), wording_count=Subquery(count))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Answers are stored by the product: they need a vector and article versions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Replicas would not learn of it: revoke instead."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Answer | None = None
    ) -> tuple[str, ...]:
        """One shopper's own answer keeps its status."""
        own = obj is not None and obj.status == Answer.OWN
        return (*self.readonly_fields, "status") if own else self.readonly_fields

    def save_model(
        self,
        request: HttpRequest,
        obj: Answer,
        form: Any,
        change: bool,  # noqa: FBT001  Django's own call
    ) -> None:
        """A text that staff have written is theirs."""
        if "text" in form.changed_data:
            obj.origin = Answer.STAFF
        super().save_model(request, obj, form, change)

    @column(_("answer"), order="text")
    def answer(self, row: Answer) -> SafeString:
        """The beginning of the text."""
        return wide(shortened(plain(row.text)))

    @column(_("asked as"))
    def question(self, row: Any) -> str:
        """The first wording, and how many more there are."""
        more = (row.wording_count or 0) - 1
        text = shortened(row.first_wording or "", limit=60)
        return f"{text} (+{more})" if more > 0 else text

    @column(_("status"), order="status", label=STATUS_COLOURS)
    def state(self, row: Answer) -> str:
        """The status, coloured."""
        return row.status

    @column(_("checked"), order="checked_at")
    def checked(self, row: Answer) -> SafeString | str:
        """When it was last made from the articles."""
        return moment(row.checked_at)

    @column(_("expires"), order="expires_at")
    def expires(self, row: Answer) -> SafeString | str:
        """When it is no longer served."""
        return moment(row.expires_at)

    @column(_("language"))
    def language(self, row: Answer) -> str:
        """The partition's language."""
        return language_of(row.partition)

    @column(_("served"), order="served_count")
    def served(self, row: Answer) -> SafeString:
        """How often it was served; leads to the receipts."""
        return link(f"{row.served_count:,}×", list_url("cache_lookup", answer__id__exact=row.pk))

    @column(_("cost"), order="cost_nanousd")
    def cost(self, row: Answer) -> str:
        """What the model call took."""
        return usd(row.cost_nanousd)

    @admin.action(
        description=_("Pin: serve until unpinned, whatever its age"), permissions=["change"]
    )
    def pin(self, request: HttpRequest, queryset: QuerySet[Answer]) -> None:
        """Keep the shared answers beyond their expiry; a changed article still retires them."""
        pinned = _set_status(queryset, Answer.PINNED)
        note(pinned, gettext("Pinned."), user=request.user)
        said = ngettext("%(count)s answer pinned.", "%(count)s answers pinned.", len(pinned))
        self.message_user(request, said % {"count": len(pinned)}, messages.SUCCESS)


@transaction.atomic
def _set_status(queryset: QuerySet[Answer], status: str) -> list[Answer]:
    """Save row by row, so that each one is announced; one shopper's own and revoked ones are left alone."""
    untouched = (Answer.OWN, Answer.REVOKED)
    chosen = Answer.objects.filter(pk__in=queryset.values("pk"))
    rows = list(chosen.exclude(status__in=untouched))
    for row in rows:
        row.status = status
        if status == Answer.PINNED:
            row.expires_at = None
        row.save()
    return rows
