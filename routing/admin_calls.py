"""The ledger in the admin: every attempt at a vendor, as it was written. Read-only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    SimulatedMark,
    column,
    fields_of,
    milliseconds,
    row_link,
    value_filter,
)
from base.admin_cells import moment
from base.money import NANO, usd
from routing.errors import Kind
from routing.lost import LOST
from routing.models import Call, Endpoint, Model

OUTCOME_COLOURS = {
    Call.COMPLETED: "success",
    Call.FAILED: "danger",
    Call.ABORTED: "warning",
    Call.UNKNOWN: "warning",
    Call.STARTED: "info",
}


class ModelFilter(admin.SimpleListFilter):
    """By the model that was asked, among the configured ones."""

    title = _("model")
    parameter_name = "model_asked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Names of the configured models."""
        names = Model.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Calls of the model, wherever it was asked."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(model_asked=chosen)


class EndpointFilter(admin.SimpleListFilter):
    """By the endpoint, among the configured ones."""

    title = _("endpoint")
    parameter_name = "endpoint_key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Keys and names of the configured endpoints."""
        return list(Endpoint.objects.values_list("key", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Calls of the endpoint."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(endpoint_key=chosen)


@admin.register(Call)
class CallAdmin(SimulatedMark, ReadOnly, ManyRows, ModelAdmin[Call]):
    """One row per attempt; its question, its tokens, its cost, its end."""

    list_display = (
        "began",
        "state",
        "mode",
        "asked",
        "endpoint_key",
        "tier",
        "failure",
        "status",
        "tokens",
        "cost",
        "took",
        "question",
    )
    list_filter = (
        "outcome",
        "simulated",
        "tier",
        ModelFilter,
        EndpointFilter,
        value_filter("failure", [*(kind.value for kind in Kind), LOST], title=_("failure")),
        "priced",
        "tokens_estimated",
        "started_at",
    )
    search_fields = ("attempt_id", "request_id", "vendor_code")
    search_help_text = _("Attempt, request id or vendor code")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": (("state", "mode"), ("started_at", "ended_at"), ("question", "tier"))}),
        (
            _("Model"),
            {
                "fields": (
                    ("endpoint_key", "asked"),
                    ("model_served", "finish_reason"),
                    ("attempt_id", "request_id"),
                )
            },
        ),
        (_("What went wrong"), {"fields": (("failure", "status", "vendor_code"),)}),
        (
            _("Tokens and money"),
            {
                "fields": (
                    ("input_tokens", "cached_input_tokens", "output_tokens"),
                    ("tokens_estimated", "priced"),
                    ("reserved_input_tokens", "reserved_output_tokens", "reserved_nanousd"),
                    ("amount", "usd_per_unit", "cost"),
                )
            },
        ),
        (
            _("Time"),
            {
                "fields": (
                    "deadline_at",
                    ("wait_ms", "first_content_ms", "total_ms"),
                )
            },
        ),
    )
    readonly_fields = (*fields_of(Call), "state", "mode", "question", "asked", "amount", "cost")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        """With whether the user may go on to the questions."""
        may = Value(request.user.has_perm("chatbot.view_question"))
        return super().get_queryset(request).annotate(question_linked=may)

    @column(_("started"), order="started_at")
    def began(self, row: Call) -> SafeString | str:
        """When the attempt was made."""
        return moment(row.started_at)

    @column(_("model"), order="model_asked")
    def asked(self, row: Call) -> str:
        """The model asked for; the one that answered where it differs."""
        if row.model_served in ("", row.model_asked):
            return row.model_asked
        return f"{row.model_asked} → {row.model_served}"

    @column(_("outcome"), order="outcome", label=OUTCOME_COLOURS)
    def state(self, row: Call) -> str:
        """The outcome, coloured."""
        return row.outcome

    @column(_("tokens in / out"))
    def tokens(self, row: Call) -> str:
        """Input and output tokens; a tilde marks an estimate."""
        mark = "~" if row.tokens_estimated else ""
        return f"{mark}{row.input_tokens:,} / {mark}{row.output_tokens:,}"

    @column(_("cost"), order="cost_nanousd")
    def cost(self, row: Call) -> str:
        """US dollars; a question mark where no price was known for what answered."""
        return usd(row.cost_nanousd) + ("" if row.priced else " ?")

    @column(_("amount"))
    def amount(self, row: Call) -> str:
        """In the vendor's own currency, exact."""
        return f"{row.amount_nano * NANO:f} {row.currency}"

    @column(_("took"), order="total_ms")
    def took(self, row: Call) -> SafeString | str:
        """From the request to the end of its answer."""
        return milliseconds(row.total_ms)

    @column(_("question"), order="question_id")
    def question(self, row: Any) -> SafeString | str:
        """The number of the question that it was made for; leads to it for those who may read it."""
        if row.question_id is None:
            return "–"
        if not row.question_linked:
            return f"#{row.question_id}"
        return row_link("chatbot_question", row.question_id, f"#{row.question_id}")
