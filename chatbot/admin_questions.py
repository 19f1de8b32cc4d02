"""Questions in the admin: the list by how they ended, the page by how each was decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    SimulatedMark,
    ValueFilter,
    column,
    fields_of,
    link,
    list_url,
    milliseconds,
    row_link,
    shortened,
    value_filter,
    wide,
)
from base.admin_cells import cut, moment, without_vendor
from base.money import usd
from base.sentences import sentence
from base.words import word
from cache.models import Answer, Lookup
from chatbot import reports
from chatbot.admin_console import console_urls
from chatbot.models import Frame, Question
from routing.models import Call, Model
from routing.specs import Tier

STATE_COLOURS = {
    **dict.fromkeys(Question.OPEN, "info"),
    Question.ANSWERED: "success",
    Question.HANDED_OVER: "info",
    Question.FAILED: "danger",
    Question.STOPPED: "warning",
}
CACHE_COLOURS = {
    **dict.fromkeys(reports.HITS, "success"),
    "joined": "info",
    "stale": "warning",
    "miss": "",
    "bypass": "",
}
ORIGINS = ("cache", "model", "article", "template", "person", "-")


class CacheFilter(ValueFilter):
    """By cache outcome, or every kind of hit at once."""

    title = _("cache")
    parameter_name = "cache"
    values = ("hit", *(outcome or "-" for outcome in reports.OUTCOMES))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """`hit` stands for everything that a stored or joined answer served."""
        if self.value() == "hit":
            return queryset.filter(cache__in=reports.HITS)
        return super().queryset(request, queryset)


class UnansweredFilter(admin.SimpleListFilter):
    """Questions that no article answers."""

    title = _("unanswered")
    parameter_name = "unanswered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", gettext("no article answers it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Question]) -> QuerySet[Question]:
        """As the summary page counts them."""
        return reports.only_unanswered(queryset) if self.value() == "yes" else queryset


class GuardFilter(admin.SimpleListFilter):
    """Questions in which a guard found something."""

    title = _("guards")
    parameter_name = "guarded"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """With or without a note."""
        return [("yes", gettext("spoke")), ("no", gettext("silent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Question]) -> QuerySet[Question]:
        """By whether the list of notes is empty."""
        if self.value() is None:
            return queryset
        silent = queryset.filter(guards=[])
        return silent if self.value() == "no" else queryset.exclude(guards=[])


class ModelLabelFilter(ValueFilter):
    """By the model that answered, among the configured ones."""

    title = _("model")
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Labels as questions hold them: the model's name and its endpoint's."""
        return [(str(model), str(model)) for model in Model.objects.select_related("endpoint")]


@admin.register(Question)
class QuestionAdmin(SimulatedMark, ReadOnly, ManyRows, ModelAdmin[Question]):
    """Every accepted question with how it ended; its page tells the whole story."""

    change_form_before_template = "admin/chatbot/question.html"
    list_display = (
        "accepted",
        "asked",
        "ended",
        "mode",
        "cached",
        "tier",
        "answered_by",
        "guard_notes",
        "cost",
        "took",
        "calls",
        "receipt",
    )
    column_rights: ClassVar = {
        "cost": "chatbot.view_figures",
        "calls": "routing.view_call",
        "receipt": "cache.view_lookup",
    }
    field_rights: ClassVar = {"cost_nanousd": "chatbot.view_figures"}
    list_filter = (
        "state",
        "simulated",
        CacheFilter,
        value_filter("tier", [*Tier, "-"], title=_("tier")),
        value_filter("origin", ORIGINS, title=_("origin")),
        UnansweredFilter,
        GuardFilter,
        ModelLabelFilter,
        value_filter("language", ("en", "zh-hans"), title=_("language")),
        "accepted_at",
    )
    search_fields = ("text", "client_id", "conversation__public_id")
    search_help_text = _("Words of a question, or an id")
    ordering = ("-id",)
    fieldsets = (
        (
            _("All columns"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("state", "error_code", "mode"),
                    ("accepted_at", "deadline_at", "ended_at"),
                    ("client_id", "conversation_link", "retry_of"),
                    ("locale", "language"),
                    ("lease_owner", "lease_until"),
                    ("revision", "rule_set_version"),
                ),
            },
        ),
    )
    readonly_fields = (*fields_of(Question), "mode", "conversation_link")

    def get_urls(self) -> list[URLPattern]:
        """With the test console."""
        return [*console_urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        """With the receipt's row, the answer served, and the number of calls."""
        receipts = Lookup.objects.filter(question_id=OuterRef("pk")).order_by("-id")
        calls = Call.objects.filter(question_id=OuterRef("pk")).order_by().values("question_id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                receipt_id=Subquery(receipts.values("id")[:1]),
                answer_id=Subquery(receipts.values("answer_id")[:1]),
                call_count=Subquery(calls.annotate(n=Count("id")).values("n")),
            )
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page with the question's story."""
        story = story_of(int(object_id)) if object_id.isdecimal() else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **story})

    @column(_("accepted"), order="accepted_at")
    def accepted(self, row: Question) -> SafeString | str:
        """When it was accepted."""
        return moment(row.accepted_at)

    @column(_("question"), order="text")
    def asked(self, row: Question) -> SafeString:
        """The beginning of the text."""
        return wide(shortened(row.text))

    @column(_("state"), order="state", label=STATE_COLOURS)
    def ended(self, row: Question) -> tuple[str, str]:
        """The state; an error with its code."""
        shown = word(row.state)
        return row.state, f"{shown}: {row.error_code}" if row.error_code else shown

    @column(_("cache"), order="cache", label=CACHE_COLOURS)
    def cached(self, row: Question) -> str:
        """How the cache decided."""
        return row.cache

    @column(_("model"), order="model")
    def answered_by(self, row: Question) -> SafeString | str:
        """The model that answered."""
        return without_vendor(row.model)

    @column(_("guards"))
    def guard_notes(self, row: Question) -> SafeString | str:
        """What the guards noted."""
        return cut("; ".join(map(sentence, row.guards))) if row.guards else "–"

    @column(_("cost"), order="cost_nanousd")
    def cost(self, row: Question) -> str:
        """What its answer cost."""
        return usd(row.cost_nanousd)

    @column(_("receipt"))
    def receipt(self, row: Any) -> SafeString | str:
        """The receipt of the cache's decision, and the stored answer that was served."""
        if row.receipt_id is None:
            return "–"
        shown = row_link("cache_lookup", row.receipt_id, gettext("receipt"))
        if row.answer_id is None:
            return shown
        return format_html(
            "{} {}", shown, row_link("cache_answer", row.answer_id, gettext("answer"))
        )

    @column(_("took"), order="total_ms")
    def took(self, row: Question) -> SafeString | str:
        """From acceptance to the whole answer."""
        return milliseconds(row.total_ms)

    @column(_("calls"))
    def calls(self, row: Any) -> SafeString | str:
        """How many attempts at models; leads to them."""
        if not row.call_count:
            return "–"
        return link(row.call_count, list_url("routing_call", question_id=row.pk))

    @column(_("conversation"))
    def conversation_link(self, row: Question) -> SafeString:
        """The conversation."""
        return row_link("chatbot_conversation", row.conversation_id, f"#{row.conversation_id}")


def story_of(question_id: int) -> dict[str, Any]:
    """What the page shows besides the row: the answer sent, the receipt, the calls, their cost."""
    frames = Frame.objects.filter(question_id=question_id).exclude(body__type="accepted")
    last = frames.order_by("seq").values_list("body", flat=True).last()
    receipt = Lookup.objects.filter(question_id=question_id).order_by("-id").first()
    calls = list(Call.objects.filter(question_id=question_id).order_by("id"))
    served_id = receipt.answer_id if receipt is not None else None
    return {
        "sent": last,
        "sent_text": str((last or {}).get("text") or (last or {}).get("message") or ""),
        "receipt": receipt,
        "served": Answer.objects.filter(id=served_id).first() if served_id else None,
        "calls": [(call, usd(call.cost_nanousd)) for call in calls],
        "cost": usd(sum(call.cost_nanousd for call in calls)),
    }
