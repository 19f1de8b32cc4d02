"""The live board: how every model stands now, and the buttons that stop it, park it, or let it go on.

The page shows its figures without a script; `board.js` fetches the cards every two seconds. Decisions are rows
(`routing.holds`), so they reach every process and survive a restart; this process obeys at once.
"""

from __future__ import annotations

from functools import partial, reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from base.admin import ModelAdmin, ReadOnly, Rows, fields_of
from chatbot.admin_board_actions import action_page, marks, may
from chatbot.board_lines import Line
from chatbot.board_state import Board, board
from routing.models import Hold, Model

RECENT = 8


@admin.register(Hold)
class HoldAdmin(ReadOnly, Rows, ModelAdmin[Hold]):
    """The board in the place of a list; a row's page shows one decision."""

    readonly_fields = tuple(fields_of(Hold))

    def get_urls(self) -> list[URLPattern]:
        """The board, its cards as JSON, and one page per model and button."""
        guard = self.admin_site.admin_view
        return [
            path("cards/", guard(self.cards_view), name="routing_hold_cards"),
            path(
                "model/<int:model_id>/<slug:key>/",
                guard(partial(action_page, self)),
                name="routing_hold_action",
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The board as a whole."""
        _only_viewers(request)
        shown = board()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Live board"),
            "board": shown,
            "as_of": _as_of(shown),
            "actions": may(request),
            "recent": _recent(),
        }
        return TemplateResponse(request, "admin/routing/board.html", context)

    def cards_view(self, request: HttpRequest) -> HttpResponse:
        """The cards: figures for programs, and each as the page shows it."""
        _only_viewers(request)
        shown, actions = board(), may(request)
        models = [{**_figures(line), "html": _card(request, line, actions)} for line in shown.lines]
        response = JsonResponse(
            {
                "at": shown.now.isoformat(),
                "as_of": _as_of(shown),
                "problem": shown.problem,
                "models": models,
            }
        )
        response["Cache-Control"] = "no-store"
        return response


def _only_viewers(request: HttpRequest) -> None:
    if not request.user.has_perm("routing.view_hold"):
        raise PermissionDenied


def _as_of(shown: Board) -> str:
    """When this was so, in the shop's zone."""
    return _("As of %(moment)s.") % {"moment": f"{timezone.localtime(shown.now):%H:%M:%S}"}


def _card(request: HttpRequest, line: Line, actions: list[Any]) -> str:
    context = {"line": line, "actions": actions}
    return render_to_string("admin/routing/board_card.html", context, request=request)


def _figures(line: Line) -> dict[str, Any]:
    """What a program may want of a card."""
    lane = line.card.lane
    return {
        "id": line.card.model.id,
        "model": line.card.model.name,
        "endpoint": line.card.model.endpoint.key,
        "state": line.state,
        "in_flight": None if lane is None else lane.sight.in_flight,
        "waiting": None if lane is None else lane.state.waiting,
        "eta_s": None if lane is None else round(lane.eta_s, 3),
        "buckets": {}
        if lane is None
        else {one.name: [one.used, one.limit] for one in lane.sight.buckets},
    }


def _recent() -> QuerySet[LogEntry]:
    """What staff did here last."""
    by_hand = [Q(change_message__startswith=mark) for mark in marks()]
    of_models = LogEntry.objects.filter(
        reduce(or_, by_hand),
        content_type__app_label=Model._meta.app_label,
        content_type__model=Model._meta.model_name,
    )
    return of_models.select_related("user").order_by("-action_time")[:RECENT]
