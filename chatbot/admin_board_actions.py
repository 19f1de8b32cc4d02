"""The live board's buttons: each is a page that says what will happen, asks why, and writes who did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from base.words import word
from chatbot.board_forms import LimitsForm, ParkForm, ReasonForm
from chatbot.board_lines import Line
from chatbot.board_state import Board, board, obey_now
from routing.holds import decide
from routing.models import Hold, Model

BY_HAND = gettext_lazy("Live board: %(what)s. Reason: %(reason)s")


def marks() -> list[str]:
    """What entries of the board begin with, in every language that staff write in."""
    found = []
    for code, _name in settings.LANGUAGES:
        with override(code):
            found.append(str(BY_HAND).partition("%")[0])
    return found


@dataclass(frozen=True, slots=True)
class Action:
    """One button. `consequence` is said before the reason is asked for."""

    key: str
    permission: str
    button: Promise
    title: Promise
    consequence: Promise
    form: type[forms.Form] | type[LimitsForm]
    stops: bool = False


ACTIONS: Mapping[str, Action] = {
    action.key: action
    for action in (
        Action(
            "trip",
            "routing.trip_hold",
            gettext_lazy("Trip"),
            gettext_lazy("Trip the breaker by hand"),
            gettext_lazy(
                "No call reaches this model, and whoever waits for it is sent on at once, until "
                "somebody resets it. Calls under way go on."
            ),
            ReasonForm,
            stops=True,
        ),
        Action(
            "park",
            "routing.park_hold",
            gettext_lazy("Park"),
            gettext_lazy("Park the model until a time"),
            gettext_lazy("No call reaches this model until then. It comes back by itself."),
            ParkForm,
            stops=True,
        ),
        Action(
            "reset",
            "routing.reset_hold",
            gettext_lazy("Reset"),
            gettext_lazy("Reset the breaker"),
            gettext_lazy(
                "Whatever stops this model ends: tripped, parked, or opened after failures. Calls "
                "pass at once in every process, and old failures no longer count."
            ),
            ReasonForm,
        ),
        Action(
            "limits",
            "routing.limit_hold",
            gettext_lazy("Limits"),
            gettext_lazy("Change the limits"),
            gettext_lazy(
                "The next call keeps to the new limits; what was used in this minute still counts."
            ),
            LimitsForm,
        ),
    )
}


def may(request: HttpRequest) -> list[Action]:
    """The buttons that the user may press."""
    return [one for one in ACTIONS.values() if request.user.has_perm(one.permission)]


def action_page(admin: Any, request: HttpRequest, model_id: int, key: str) -> HttpResponse:
    """What will happen, the reason, and after the confirmed POST back to the board."""
    action = ACTIONS.get(key)
    if action is None:
        raise Http404
    if not (
        request.user.has_perm("routing.view_hold") and request.user.has_perm(action.permission)
    ):
        raise PermissionDenied
    row = get_object_or_404(Model.objects.select_related("endpoint"), pk=model_id)
    shown = board()
    form = _form(action, request, row)
    ready = request.method == "POST" and form.is_valid()
    changes = form.changes() if ready and isinstance(form, LimitsForm) else []
    if ready and (not changes or "confirmed" in request.POST):
        _carry_out(admin, request, action=action, row=row, form=form, line=shown.line(row.pk))
        obey_now()
        messages.success(
            request, _("Done: %(what)s, %(model)s.") % {"what": action.title, "model": row}
        )
        return HttpResponseRedirect(reverse("admin:routing_hold_changelist"))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"{action.title}: {row}",
        "action": action,
        "row": row,
        "form": form,
        "changes": changes,
        "line": shown.line(row.pk),
        "meanwhile": _meanwhile(shown, row) if action.stops else [],
    }
    return TemplateResponse(request, "admin/routing/board_action.html", context)


def _form(action: Action, request: HttpRequest, row: Model) -> Any:
    data = request.POST if request.method == "POST" else None
    if action.form is LimitsForm:
        return LimitsForm(data, instance=row)
    return action.form(data)


def _meanwhile(shown: Board, row: Model) -> list[tuple[str, str]]:
    """(tier, who answers instead)."""
    nobody = _("no other model: the shop's best article")
    return [
        (tier.value, nobody if model is None else model.label)
        for tier, model in shown.takes_over(row.pk).items()
    ]


@transaction.atomic
def _carry_out(
    admin: Any, request: HttpRequest, *, action: Action, row: Model, form: Any, line: Line | None
) -> None:
    """Write the decision and, in the same transaction, who took it: old, new and why."""
    values, who = form.cleaned_data, request.user.get_username()
    reason = values["reason"]
    if isinstance(form, LimitsForm):
        changed = "; ".join(
            f"{name}: {_shown(old)} -> {_shown(new)}" for name, old, new in form.changes()
        )
        form.save()
        what = _("limits changed: %(limits)s") % {"limits": changed}
        admin.log_change(request, row, str(BY_HAND) % {"what": what, "reason": reason})
        return
    kind = {"trip": Hold.TRIP, "park": Hold.PARK, "reset": Hold.RESET}[action.key]
    until = values.get("until")
    hold = decide(row, kind, by=who, reason=reason, now=timezone.now(), until=until)
    what = f"{line.state if line is not None else word('unknown')} -> {hold.kind}"
    if until is not None:
        what = _("%(change)s until %(moment)s") % {
            "change": what,
            "moment": f"{until:%Y-%m-%d %H:%M %Z}",
        }
    admin.log_change(request, row, str(BY_HAND) % {"what": what, "reason": reason})


def _shown(value: object) -> str:
    return word("-") if value is None else f"{value:,}"
