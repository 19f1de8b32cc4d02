"""Receipts in the admin: what was looked up, what matched, what spoke against it, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    SimulatedMark,
    column,
    milliseconds,
    row_link,
    shortened,
    wide,
)
from base.admin_cells import brief, cut, moment
from base.marked import plain
from base.money import usd
from base.sentences import sentence
from cache.decision import NEAR_MISS_COSINE
from cache.models import Lookup
from chatbot.admin_questions import CACHE_COLOURS
from chatbot.admin_review import review_urls
from chatbot.models import Question


def duration(seconds: int | None) -> str:
    """A span in its largest unit: 40 s, 12 min, 5 h, 3 days."""
    if seconds is None:
        return "–"
    units = ((_("%(count)s days"), 86_400), (_("%(count)s h"), 3_600), (_("%(count)s min"), 60))
    for unit, size_s in units:
        if seconds >= 2 * size_s:
            return str(unit) % {"count": seconds // size_s}
    return gettext("%(count)s s") % {"count": seconds}


def _near_words() -> str:
    said = gettext("near miss: nearest at %(cosine)s or above")
    return said % {"cosine": f"{NEAR_MISS_COSINE:.2f}"}


class ClosenessFilter(admin.SimpleListFilter):
    """What stood between a question and the nearest stored wording."""

    title = _("closeness")
    parameter_name = "closeness"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Near misses and vetoes."""
        return [
            ("near", _near_words()),
            ("vetoed", gettext("a veto spoke against it")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Lookup]) -> QuerySet[Lookup]:
        """By the nearest candidate of a miss, or by its vetoes."""
        if self.value() == "near":
            return queryset.filter(outcome="miss", nearest_cosine__gte=NEAR_MISS_COSINE)
        return queryset.exclude(vetoes=[]) if self.value() == "vetoed" else queryset


@admin.register(Lookup)
class LookupAdmin(SimulatedMark, ReadOnly, ManyRows, ModelAdmin[Lookup]):
    """One receipt per decided question."""

    change_form_before_template = "admin/chatbot/receipt.html"
    list_display = (
        "decided_at",
        "decided",
        "mode",
        "question",
        "matched",
        "cosines",
        "objections",
        "why",
        "answer_text",
        "saved",
        "took",
    )
    list_filter = ("outcome", "simulated", ClosenessFilter, "at")
    search_fields = ("nearest_text", "reason")
    search_help_text = _("Words of the nearest wording or of the reason")
    ordering = ("-id",)
    fieldsets = (
        (
            _("Decided on"),
            {"fields": (("partition", "engine_id"), ("revision", "mode"), ("took", "saved"))},
        ),
    )
    readonly_fields = ("partition", "engine_id", "revision", "mode", "took", "saved")

    def get_urls(self) -> list[Any]:
        """Also the review queue and the search by meaning."""
        return [*review_urls(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lookup]:
        """With the question, the matched wording and its answer, but without vectors."""
        question = Question.objects.filter(pk=OuterRef("question_id"))
        rows = (
            super()
            .get_queryset(request)
            .select_related("wording", "answer", "stored")
            .defer("wording__vector")
        )
        return rows.annotate(
            question_text=Subquery(question.values("text")[:1]),
            question_guards=Subquery(question.values("guards")[:1]),
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Lookup | None:
        """With cost and age in words, for its page."""
        found: Lookup | None = super().get_object(request, object_id, from_field)
        if found is not None:
            row: Any = found  # what its page shows is no field of the row
            row.cost_shown = usd(row.cost_nanousd) if row.cost_nanousd else gettext("no call")
            row.age_shown = duration(row.answer_age_s)
        return found

    @column(_("at"), order="at")
    def decided_at(self, row: Lookup) -> SafeString | str:
        """When it was decided."""
        return moment(row.at)

    @column(_("took"), order="ms")
    def took(self, row: Lookup) -> SafeString | str:
        """Milliseconds from the question to its answer."""
        return milliseconds(row.ms)

    @column(_("outcome"), order="outcome", label=CACHE_COLOURS)
    def decided(self, row: Lookup) -> str:
        """The outcome, coloured."""
        return row.outcome

    @column(_("question"))
    def question(self, row: Any) -> SafeString | str:
        """What was asked."""
        if row.question_text is None:
            return gettext("#%(number)s (deleted)") % {"number": row.question_id}
        text = wide(shortened(row.question_text, limit=60))
        return row_link("chatbot_question", row.question_id, text)

    @column(_("matched wording"))
    def matched(self, row: Lookup) -> str:
        """The stored wording that decided; the nearest one where none did."""
        if row.matched_text or row.wording is not None:
            text = row.matched_text or (row.wording.text if row.wording else "")
            return shortened(text, limit=60)
        if not row.nearest_text:
            return "–"
        return gettext("nearest: %(text)s") % {"text": shortened(row.nearest_text, limit=50)}

    @column(_("answer"))
    def answer_text(self, row: Lookup) -> SafeString | str:
        """The answer that was served, else the one that was stored for the next shopper."""
        found = row.answer or row.stored
        if found is None:
            return "–"
        word = gettext("stored") if row.answer is None else gettext("answer")
        shown = brief(word, shortened(plain(found.text), limit=200))
        return row_link(
            "cache_answer", found.pk, format_html('<span class="bw-nowrap">{}</span>', shown)
        )

    @column(_("cosine, nearest"), order="nearest_cosine")
    def cosines(self, row: Lookup) -> str:
        """The cosine served at, and the best candidate's."""
        return " ".join(
            "–" if value is None else f"{value:.3f}" for value in (row.cosine, row.nearest_cosine)
        )

    @column(_("vetoes"))
    def objections(self, row: Lookup) -> SafeString | str:
        """What spoke against the nearest wording."""
        return cut("; ".join(map(sentence, row.vetoes))) if row.vetoes else "–"

    @column(_("reason"), order="reason")
    def why(self, row: Lookup) -> SafeString:
        """The decision in words."""
        return wide(shortened(sentence(row.reason), limit=70))

    @column(_("saved"), order="saved_nanousd")
    def saved(self, row: Lookup) -> str:
        """What the avoided call had cost."""
        return usd(row.saved_nanousd) if row.saved_nanousd else "–"
