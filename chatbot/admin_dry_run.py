"""Dry runs in the admin: start one, watch it, read what it found. The page needs no script; `dry_run.js` reloads it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import ModelAdmin, ReadOnly, Rows, column, page_action
from base.admin_cells import moment
from base.money import usd
from chatbot.cache_rows import BadFile
from chatbot.dry_forms import DryRunForm, initial, variants
from chatbot.dry_launch import STOPPED, end_silent
from chatbot.dry_rows import uploaded
from chatbot.dry_view import LEAST_PEAK, MOST_PEAK, shown, usual_peak
from chatbot.models import DryRun
from chatbot.process import Process
from chatbot.report_zone import site_zone
from chatbot.tasks import start_dry_runs
from routing.snapshot import load_routing

COLOURS = {
    DryRun.WAITING: "",
    DryRun.RUNNING: "info",
    DryRun.DONE: "success",
    DryRun.FAILED: "danger",
    DryRun.STOPPED: "warning",
}
OVERDUE = timedelta(seconds=90)


@admin.register(DryRun)
class DryRunAdmin(ReadOnly, Rows, ModelAdmin[DryRun]):
    """Earlier runs as a list; a row's page is its report."""

    list_display = ("begun", "set_tried", "state_shown", "played", "moved", "delta", "created_by")
    list_display_links = ("begun",)
    list_filter = ("state",)
    search_fields = ("created_by",)
    actions_list = ("start",)
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Progress and stopping."""
        guard = self.admin_site.admin_view
        pages = (("<int:pk>/state/", "state"), ("<int:pk>/stop/", "stop"))
        views = {"state": state_view, "stop": stop_view}
        own = [
            path(where, guard(partial(views[name], self)), name=f"chatbot_dryrun_{name}")
            for where, name in pages
        ]
        return [*own, *super().get_urls()]

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Starting and stopping has a permission of its own."""
        return may_run(request)

    @page_action(gettext_lazy("Start a dry run"), path="start", permission="run", icon="play_arrow")
    def start(self, request: HttpRequest) -> HttpResponse:
        """The form, which a draft's page leads to as well."""
        return start_page(self, request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The report, or how far it has come."""
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        row = get_object_or_404(DryRun, pk=object_id)
        result = row.result if row.state == DryRun.DONE else None
        peak = _peak(request, result) if result else 0.0
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Dry run of version %(version)s") % {"version": row.version},
            "run": row,
            "variant": _variant_words(row),
            "percent": round(100 * row.done / row.total) if row.total else 0,
            "overdue": row.state == DryRun.WAITING and row.created_at < timezone.now() - OVERDUE,
            "report": shown(result, peak=peak) if result else None,
            "may_read": request.user.has_perm("chatbot.view_question"),
            "may_run": may_run(request),
            "may_open_set": request.user.has_perm("routing.view_ruleset"),
        }
        return TemplateResponse(request, "admin/chatbot/dry_run.html", context)

    @column(gettext_lazy("begun"), order="id")
    def begun(self, row: DryRun) -> str:
        """When staff started it."""
        return moment(row.created_at)

    @column(gettext_lazy("rule set"), order="version")
    def set_tried(self, row: DryRun) -> str:
        """The set's version, and the variant of the chains."""
        words = _variant_words(row)
        return f"{row.version}, {words}" if words else str(row.version)

    @column(gettext_lazy("state"), order="state", label=COLOURS)
    def state_shown(self, row: DryRun) -> tuple[str, str]:
        """As a coloured word."""
        return row.state, row.get_state_display()

    @column(gettext_lazy("questions"))
    def played(self, row: DryRun) -> str:
        """How many, and of how many while it runs."""
        return f"{row.done:,}" if row.done == row.total else f"{row.done:,} / {row.total:,}"

    @column(gettext_lazy("moved"))
    def moved(self, row: DryRun) -> str:
        """How many decisions change."""
        return str(row.result["moved"]["count"]) if row.result else "–"

    @column(gettext_lazy("cost"))
    def delta(self, row: DryRun) -> str:
        """How much dearer or cheaper, in the middle of the estimate."""
        return usd(row.result["delta"][1]) if row.result else "–"


def may_run(request: HttpRequest) -> bool:
    """Whether they may start and stop runs."""
    return request.user.has_perm("chatbot.run_dryrun")


def start_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form; a valid one becomes a row that the next process takes up."""
    if not may_run(request):
        raise PermissionDenied
    routing, now = load_routing(), timezone.now()
    runtime = Process.serving()
    begin = initial(request.GET.get("set", ""), simulated_site=bool(runtime and runtime.simulated))
    form = DryRunForm(
        _with_quick(request) if request.method == "POST" else None,
        request.FILES or None,
        routing=routing,
        initial=begin,
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = _stored(request, form)
        except BadFile as error:
            form.add_error("upload", str(error))
        else:
            admin.log_addition(
                request,
                row,
                _("Started a dry run of version %(version)s.") % {"version": row.version},
            )
            start_dry_runs.delay()
            return HttpResponseRedirect(reverse("admin:chatbot_dryrun_change", args=[row.pk]))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Start a dry run"),
        "form": form,
        "variants": variants(routing, today=now.date()),
    }
    return TemplateResponse(request, "admin/chatbot/dry_run_start.html", context)


def _with_quick(request: HttpRequest) -> Any:
    """The form's values with the variant whose button was pressed."""
    values = request.POST.copy()
    tier, _, instead = values.get("quick", "").partition("|")
    if instead:
        values["tier"], values["instead"] = tier, instead
    return values


def _stored(request: HttpRequest, form: DryRunForm) -> DryRun:
    """The row of a valid form. Raises BadFile."""
    values, now = form.cleaned_data, timezone.now()
    upload = values["upload"].read() if values["upload"] is not None else None
    if upload is not None:
        uploaded(upload, now=now, zone=site_zone())
    words = dict(form.fields["instead"].choices).get(values["instead"], "")  # type: ignore[attr-defined]  # a choice
    parameters = {
        "count": values["count"],
        "simulated": values["rows"] == "simulated",
        "tier": values["tier"],
        "instead": values["instead"],
        "instead_words": str(words) if values["instead"] else "",
        "file": values["upload"].name[:100] if upload is not None else "",
    }
    rule_set_id = values["rule_set"]
    sets: Any = DryRun._meta.get_field("rule_set").related_model
    return DryRun.objects.create(
        rule_set_id=rule_set_id,
        version=sets.objects.get(pk=rule_set_id).version,
        parameters=parameters,
        upload=upload,
        created_at=now,
        created_by=request.user.get_username(),
    )


def state_view(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """How far it has come, as JSON."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    end_silent(now=timezone.now())
    row = get_object_or_404(DryRun, pk=pk)
    response = JsonResponse(
        {
            "state": row.state,
            "is_open": row.state in DryRun.OPEN,
            "done": row.done,
            "total": row.total,
        }
    )
    response["Cache-Control"] = "no-store"
    return response


def stop_view(admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a run to stop after the questions in its hands; one that waits stops at once."""
    if request.method != "POST" or not may_run(request):
        raise PermissionDenied
    row = get_object_or_404(DryRun, pk=pk)
    now = timezone.now()
    waiting = DryRun.objects.filter(pk=pk, state=DryRun.WAITING)
    waiting.update(state=DryRun.STOPPED, ended_at=now, problem=STOPPED, upload=None)
    DryRun.objects.filter(pk=pk, state=DryRun.RUNNING).update(stop_asked=True)
    admin.log_change(request, row, _("Stopped."))
    return HttpResponseRedirect(reverse("admin:chatbot_dryrun_change", args=[pk]))


def _variant_words(row: DryRun) -> str:
    tier, instead = row.parameters.get("tier"), row.parameters.get("instead_words")
    return f"{tier} → {instead}" if tier and instead else ""


def _peak(request: HttpRequest, result: dict[str, Any]) -> float:
    try:
        return min(MOST_PEAK, max(LEAST_PEAK, float(request.GET.get("peak", ""))))
    except ValueError:
        return usual_peak(result)
