"""Rule sets in the admin: drafts are edited, published ones read, publishing has its own page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from base.admin import (
    ModelAdmin,
    Rows,
    column,
    page_action,
)
from routing.admin_rule_parts import (
    ExampleInline,
    NoteForm,
    PublishedExampleInline,
    PublishedRuleInline,
    RuleInline,
    RuleSetForm,
)
from routing.models import Example, Rule, RuleSet
from routing.publishing import NotPublishable, difference, problems_of, publish, start_draft
from routing.snapshot import published_rule_set

STATE_COLOURS = {"in force": "success", RuleSet.PUBLISHED: "", RuleSet.DRAFT: "info"}


@admin.register(RuleSet)
class RuleSetAdmin(Rows, ModelAdmin[RuleSet]):
    """Versions of the rules. The newest published one decides."""

    form = RuleSetForm
    list_display = (
        "title",
        "state_shown",
        "note",
        "rules_count",
        "examples_count",
        "published_at",
        "published_by",
    )
    list_filter = ("state",)
    search_fields = ("note", "published_by")
    fields = (("version", "state"), ("published_at", "published_by"), "note", "parameters")
    readonly_fields = ("version", "state", "published_at", "published_by", "frozen")
    actions = None
    actions_list = ("start_draft",)
    actions_detail = ("publish_draft",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSet]:
        """With the numbers of rules and examples, and the version in force."""
        in_force = (
            RuleSet.objects.filter(state=RuleSet.PUBLISHED)
            .order_by("-version")
            .values("version")[:1]
        )
        rows = super().get_queryset(request)
        return rows.annotate(
            rule_count=_count(Rule), example_count=_count(Example), in_force=Subquery(in_force)
        )

    def get_inlines(
        self, request: HttpRequest, obj: RuleSet | None
    ) -> list[type[InlineModelAdmin[Any, Any]]]:
        """Editable for a draft, read-only for a published set."""
        if obj is not None and obj.state == RuleSet.PUBLISHED:
            return [PublishedRuleInline, PublishedExampleInline]
        return [RuleInline, ExampleInline]

    def get_fields(self, request: HttpRequest, obj: RuleSet | None = None) -> Any:
        """A published set also shows the chains as they were frozen."""
        published = obj is not None and obj.state == RuleSet.PUBLISHED
        return (*self.fields, "frozen") if published else self.fields

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

    def has_publish_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Publishing has a permission of its own, and only drafts can be published."""
        allowed = request.user.has_perm("routing.publish_ruleset")
        return allowed and RuleSet.objects.filter(pk=str(object_id), state=RuleSet.DRAFT).exists()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new set always begins as a draft of the one in force."""
        return HttpResponseRedirect(reverse("admin:routing_ruleset_start_draft"))

    @page_action(
        "Start a draft from the published set",
        path="start-draft",
        permission="add",
        icon="edit_note",
    )
    def start_draft(self, request: HttpRequest) -> HttpResponse:
        """Ask, then copy the set in force into a new draft."""
        source = published_rule_set()
        if request.method == "POST":
            draft = start_draft()
            self.log_addition(request, draft, "Started a draft.")
            return HttpResponseRedirect(reverse("admin:routing_ruleset_change", args=[draft.pk]))
        drafts = list(RuleSet.objects.filter(state=RuleSet.DRAFT))
        context = {
            "title": "Start a draft",
            "source": source,
            "drafts": drafts,
            "button": "Start the draft",
        }
        return self._page(request, "admin/routing/start_draft.html", context)

    @page_action("Publish", path="publish", permission="publish", icon="publish")
    def publish_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what changes, ask for a note, publish."""
        if not self.has_publish_permission(request, object_id):
            raise PermissionDenied
        draft = get_object_or_404(RuleSet, pk=object_id)
        form = NoteForm(request.POST or None, initial={"note": draft.note})
        if request.method == "POST" and form.is_valid() and self._publish(request, draft, form):
            return HttpResponseRedirect(reverse("admin:routing_ruleset_changelist"))
        base = published_rule_set()
        context = {
            "title": f"Publish version {draft.version}",
            "draft": draft,
            "base": base,
            "problems": problems_of(draft),
            "difference": difference(draft, base=base),
            "form": form,
        }
        return self._page(request, "admin/routing/publish.html", context)

    def _publish(self, request: HttpRequest, draft: RuleSet, form: NoteForm) -> bool:
        try:
            published = publish(
                draft.pk,
                note=form.cleaned_data["note"],
                by=request.user.get_username(),
                now=timezone.now(),
            )
        except NotPublishable as error:
            form.add_error(None, list(error.problems))
            return False
        self.log_change(request, published, f"Published: {published.note}")
        self.message_user(request, f"Version {published.version} is in force.", messages.SUCCESS)
        return True

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )

    @column("chains as published")
    def frozen(self, row: RuleSet) -> SafeString | str:
        """One line per tier, models in the order in which they were tried."""
        places: dict[str, list[str]] = {}
        for place in row.frozen_chains if isinstance(row.frozen_chains, list) else ():
            places.setdefault(place["tier"], []).append(f"{place['model']} ({place['endpoint']})")
        lines = ((tier, ", ".join(models)) for tier, models in places.items())
        return format_html_join("", "<div><strong>{}</strong> {}</div>", lines) or "not kept"

    @column("version", order="version")
    def title(self, row: RuleSet) -> str:
        """The version's number."""
        return f"Version {row.version}"

    @column("state", order="state", label=STATE_COLOURS)
    def state_shown(self, row: Any) -> str:
        """Draft, published, or the one that decides."""
        return "in force" if row.version == row.in_force else str(row.state)

    @column("rules", order="rule_count")
    def rules_count(self, row: Any) -> int:
        """How many rules it holds."""
        return int(row.rule_count or 0)

    @column("examples", order="example_count")
    def examples_count(self, row: Any) -> int:
        """How many examples it holds."""
        return int(row.example_count or 0)


def _is_draft_or_none(obj: RuleSet | None) -> bool:
    return obj is None or obj.state == RuleSet.DRAFT


def _count(model: type[Rule] | type[Example]) -> Subquery:
    """Number of rows of a set, without joining the other table."""
    rows = model.objects.filter(rule_set_id=OuterRef("pk")).order_by()
    return Subquery(rows.values("rule_set_id").annotate(count=Count("id")).values("count"))
