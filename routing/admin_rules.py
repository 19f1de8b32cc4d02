"""Rule sets in the admin: drafts are edited, published ones read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import Rows, column
from base.admin_cells import moment
from routing.admin_rule_pages import RuleSetPages
from routing.admin_rule_parts import (
    ExampleInline,
    PublishedExampleInline,
    PublishedRuleInline,
    RuleInline,
    RuleSetForm,
)
from routing.differences import difference
from routing.models import Example, Rule, RuleSet
from routing.publishing import problems_of
from routing.rule_sets import rule_set_in_force

IN_FORCE, SCHEDULED, ENDED, TAKEN_OUT = "in force", "scheduled", "ended", "taken out"
STATE_COLOURS = {
    IN_FORCE: "success",
    SCHEDULED: "warning",
    ENDED: "",
    TAKEN_OUT: "",
    RuleSet.PUBLISHED: "",
    RuleSet.DRAFT: "info",
}


@admin.register(RuleSet)
class RuleSetAdmin(Rows, RuleSetPages):
    """Versions of the rules. The published one that took effect last decides."""

    form = RuleSetForm
    list_display = (
        "title",
        "state_shown",
        "note",
        "rules_count",
        "examples_count",
        "window",
        "published_at",
        "published_by",
    )
    list_filter = ("state",)
    search_fields = ("note", "published_by")
    fields = (("version", "state"), ("published_at", "published_by"), "note", "parameters")
    readonly_fields = ("version", "state", "published_at", "published_by", "frozen", "window")
    change_form_before_template = "admin/routing/draft.html"
    compressed_fields = False
    actions = None
    actions_list = ("start_draft",)
    actions_detail = ("publish_draft", "roll_back", "withdraw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSet]:
        """With the numbers of rules and examples, and the version in force."""
        standing = rule_set_in_force(timezone.now())
        return (
            super()
            .get_queryset(request)
            .annotate(
                rule_count=_count(Rule),
                example_count=_count(Example),
                in_force=Value(standing.version if standing is not None else 0),
            )
        )

    def get_inlines(
        self, request: HttpRequest, obj: RuleSet | None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Editable for a draft, read-only for a published set."""
        if obj is not None and obj.state == RuleSet.PUBLISHED:
            return [PublishedRuleInline, PublishedExampleInline]
        return [RuleInline, ExampleInline]

    def get_fields(self, request: HttpRequest, obj: RuleSet | None = None) -> Any:
        """A published set also shows its window and the chains as they were frozen."""
        published = obj is not None and obj.state == RuleSet.PUBLISHED
        return (*self.fields, "window", "frozen") if published else self.fields

    def has_change_permission(self, request: HttpRequest, obj: RuleSet | None = None) -> bool:
        """Nobody changes a published set."""
        return super().has_change_permission(request, obj) and _is_draft_or_none(obj)

    def has_delete_permission(self, request: HttpRequest, obj: RuleSet | None = None) -> bool:
        """Only one draft at a time can be deleted, on its page."""
        return (
            obj is not None
            and _is_draft_or_none(obj)
            and super().has_delete_permission(request, obj)
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new set always begins as a draft of the one in force."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:routing_ruleset_start_draft"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A draft's page begins with what it would change, and what keeps it from being published."""
        draft = RuleSet.objects.filter(pk=object_id, state=RuleSet.DRAFT).first()
        shown: dict[str, Any] = {}
        if draft is not None:
            now = timezone.now()
            base = rule_set_in_force(now)
            shown = {
                "draft": draft,
                "base": base,
                "problems": problems_of(draft, now=now),
                "difference": difference(draft, base=base),
                "may_publish": self._may_publish(request),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @column(_("chains as published"))
    def frozen(self, row: RuleSet) -> SafeString | str:
        """One line per tier, models in the order in which they were tried."""
        places: dict[str, list[str]] = {}
        for place in row.frozen_chains if isinstance(row.frozen_chains, list) else ():
            places.setdefault(place["tier"], []).append(f"{place['model']} ({place['endpoint']})")
        lines = ((tier, ", ".join(models)) for tier, models in places.items())
        return format_html_join("", "<div><strong>{}</strong> {}</div>", lines) or gettext(
            "not kept"
        )

    @column(_("version"), order="version")
    def title(self, row: RuleSet) -> str:
        """The version's number."""
        return gettext("Version %(version)s") % {"version": row.version}

    @column(_("state"), order="state", label=STATE_COLOURS)
    def state_shown(self, row: Any) -> str:
        """Draft, published, the one that decides, or what became of its window."""
        if row.version == row.in_force:
            return IN_FORCE
        return _window_state(row, now=timezone.now()) or str(row.state)

    @column(_("window"))
    def window(self, row: RuleSet) -> SafeString | str:
        """From when until when it is in force; nothing for a set without a window."""
        if row.starts_at is None and row.ends_at is None:
            return "–"
        return format_html_join(
            "",
            "{} {} ",
            ((gettext("from"), moment(row.starts_at)), (gettext("until"), moment(row.ends_at))),
        )

    @column(_("rules"), order="rule_count")
    def rules_count(self, row: Any) -> int:
        """How many rules it holds."""
        return int(row.rule_count or 0)

    @column(_("examples"), order="example_count")
    def examples_count(self, row: Any) -> int:
        """How many examples it holds."""
        return int(row.example_count or 0)


def _window_state(row: RuleSet, *, now: datetime) -> str:
    if row.withdrawn_at is not None:
        return TAKEN_OUT
    if row.ends_at is not None and row.ends_at <= now:
        return ENDED
    return SCHEDULED if row.starts_at is not None and row.starts_at > now else ""


def _is_draft_or_none(obj: RuleSet | None) -> bool:
    return obj is None or obj.state == RuleSet.DRAFT


def _count(model: type[Rule] | type[Example]) -> Subquery:
    """Number of rows of a set, without joining the other table."""
    rows = model.objects.filter(rule_set_id=OuterRef("pk")).order_by()
    return Subquery(rows.values("rule_set_id").annotate(count=Count("id")).values("count"))
