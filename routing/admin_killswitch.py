"""The switch past all published rule sets: its page, and who flipped it when and why."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import ModelAdmin, ReadOnly, Rows, column, page_action
from routing.admin_rule_parts import NoteForm
from routing.models import KillSwitch
from routing.publishing import flip
from routing.rule_sets import switch


@admin.register(KillSwitch)
class KillSwitchAdmin(ReadOnly, Rows, ModelAdmin[KillSwitch]):
    """Every flip; a button leads to the page that flips."""

    list_display = ("state", "note", "by", "at")
    actions_list = ("flip",)

    def has_flip_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Flipping has a permission of its own."""
        return request.user.has_perm("routing.flip_killswitch")

    @page_action(
        gettext_lazy("Switch to the built-in rules, or back"),
        path="flip",
        permission="flip",
        icon="power_settings_new",
    )
    def flip(self, request: HttpRequest) -> HttpResponse:
        """Say what the switch does now, ask for a note, flip it."""
        if not self.has_flip_permission(request):
            raise PermissionDenied
        newest = switch()
        on = newest is not None and newest.on
        form = NoteForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            # The page says which way it flips: two people who press at once do not undo each other.
            row = flip(
                on=request.POST.get("turn") == "on",
                note=form.cleaned_data["note"],
                by=request.user.get_username(),
                now=timezone.now(),
            )
            self.log_addition(request, row, f"{row}: {row.note}")
            said = _("The built-in rules decide.") if row.on else _("The published rules decide.")
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:routing_killswitch_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Back to the published rules") if on else _("Switch to the built-in rules"),
            "on": on,
            "newest": newest,
            "form": form,
        }
        return TemplateResponse(request, "admin/routing/flip.html", context)

    @column(gettext_lazy("decided by"), label={"built-in rules": "danger", "published rules": ""})
    def state(self, row: KillSwitch) -> str:
        """Which rules decided from then on."""
        return "built-in rules" if row.on else "published rules"
