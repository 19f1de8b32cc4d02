"""The capacity card: what the vendors' limits allow against what comes in, on the first page and on its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import UnfoldAdminTextInputWidget, row_url
from chatbot.admin_choice import default_simulated
from chatbot.reports.capacity import Capacity, Load, capacity
from chatbot.reports.configured import callable_today
from chatbot.reports.load import DAYS, recent_load
from chatbot.reports.spans import Span
from chatbot.runtime import system_clock
from routing.snapshot import load_routing
from routing.specs import RoutingSnapshot

VIEW = "chatbot.view_figures"
_CLOCK = system_clock()
_TONES = {"fits": "good", "unlimited": "good", "tight": "warn", "short": "bad", "impossible": "bad"}

BINDING_WORDS = {
    "": gettext_lazy("states no limit"),
    "requests per minute": gettext_lazy("requests per minute"),
    "tokens per minute": gettext_lazy("tokens per minute"),
    "input tokens per minute": gettext_lazy("input tokens per minute"),
    "output tokens per minute": gettext_lazy("output tokens per minute"),
    "requests per day": gettext_lazy("requests per day"),
    "calls in flight": gettext_lazy("calls in flight"),
}


def _number(label: Any, *, least: float, most: float, help_text: Any = "") -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=least,
        max_value=most,
        required=False,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )


class LoadForm(forms.Form):
    """What comes in; an empty field stands for what was measured."""

    questions = _number(
        gettext_lazy("Questions per second"),
        least=0,
        most=10_000_000,
        help_text=gettext_lazy(
            "At the peak you prepare for. Measured: the busiest hour's average."
        ),
    )
    input_tokens = _number(gettext_lazy("Input tokens per call"), least=1, most=2_000_000)
    output_tokens = _number(gettext_lazy("Output tokens per call"), least=1, most=1_000_000)
    seconds = _number(gettext_lazy("Seconds per call"), least=0.01, most=600)
    calls = _number(gettext_lazy("Calls per question that models answer"), least=0.01, most=20)
    without = _number(gettext_lazy("Answered without a model, %"), least=0, most=100)


@dataclass(frozen=True, slots=True)
class Card:
    """The verdict with its figures in words."""

    verdict: str
    tone: str
    offered: str
    allowed: str
    needed: str
    current: str
    calls_now: str


def capacity_urls(admin: Any) -> list[URLPattern]:
    """The page's address, for the tallies' admin."""
    page = admin.admin_site.admin_view(partial(capacity_page, admin))
    return [path("capacity/", page, name="chatbot_tally_capacity")]


def capacity_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, the verdict, and which limit of which model binds."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    now, rows = _CLOCK.now(), request.GET.get("rows", "")
    span = Span.last(DAYS, zone=ZoneInfo("UTC"), now=now)
    simulated = rows == "simulated" if rows else default_simulated(span)
    measured = recent_load(simulated=simulated, now=now)
    asked = {name: request.GET.get(name, "") for name in LoadForm.base_fields}
    form = LoadForm({**_as_fields(measured), **{k: v for k, v in asked.items() if v}})
    load = _load_of(form) if form.is_valid() else measured
    routing = load_routing()
    models = callable_today(routing, today=now.astimezone(UTC).date())
    found = capacity(models, load)
    addresses = {model.label: row_url("routing_model", model.id) for model in models}
    may_see = request.user.has_perm("routing.view_model")
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Capacity"),
        "form": form,
        "card": card_of(found, load),
        "models": [
            (
                row.label,
                f"{row.calls_per_s:,.2f}" if row.calls_per_s is not None else "–",
                str(BINDING_WORDS[row.binding]),
                addresses[row.label] if may_see else "",
            )
            for row in found.models
        ],
        "simulated": simulated,
        "days": DAYS,
    }
    return TemplateResponse(request, "admin/chatbot/capacity.html", context)


def capacity_line(routing: RoutingSnapshot, *, simulated: bool, now: datetime) -> Card:
    """The card of the first page: the last days' load against today's models."""
    load = recent_load(simulated=simulated, now=now)
    models = callable_today(routing, today=now.astimezone(UTC).date())
    return card_of(capacity(models, load), load)


def card_of(found: Capacity, load: Load) -> Card:
    """Figures and the verdict in words."""
    rate, needed = found.calls_per_s, 100 * found.needed_share
    return Card(
        verdict=_verdict(found, load),
        tone=_TONES[found.verdict],
        offered=f"{load.questions_per_s:,.2f}",
        allowed=_("no limit stated") if rate is None else f"{rate:,.2f}",
        needed=_share(needed),
        current="–" if load.current_share is None else f"{100 * load.current_share:.1f} %",
        calls_now=f"{found.calls_now_per_s:,.2f}",
    )


def _share(needed: float) -> str:
    """Rounded up in tenths, so that what is said suffices; beyond 99.9 % in more digits."""
    if 99.9 < needed < 100:
        return f"{needed:.3f} %"
    return f"{-(-needed * 10 // 1) / 10:.1f} %"


def _verdict(found: Capacity, load: Load) -> str:
    rate = found.calls_per_s
    said = {
        "allowed": "" if rate is None else f"{rate:,.1f}",
        "offered": f"{load.questions_per_s:,.1f}",
        "needed": _share(100 * found.needed_share),
        "now": f"{found.calls_now_per_s:,.1f}",
        "current": f"{100 * (load.current_share or 0):.1f} %",
    }
    if found.verdict == "unlimited":
        return _("At least one model states no limit, so the vendors' limits do not bind.")
    if found.verdict == "impossible":
        return _("No model may be called: every question has to be answered without one.")
    if found.verdict == "short":
        return (
            _(
                "Not enough: of %(offered)s questions/s at least %(needed)s must be answered without a model, and "
                "%(current)s are. The vendors allow %(allowed)s calls/s, the rest would take %(now)s."
            )
            % said
        )
    if found.verdict == "tight":
        return (
            _(
                "Just enough: the vendors allow %(allowed)s calls/s, and %(now)s are needed while %(current)s are "
                "answered without a model. It must not fall below %(needed)s."
            )
            % said
        )
    return (
        _(
            "Enough: the vendors allow %(allowed)s calls/s, and %(now)s are needed while %(current)s are answered "
            "without a model. At least %(needed)s must be answered so."
        )
        % said
    )


def _as_fields(load: Load) -> dict[str, str]:
    share = 0.0 if load.current_share is None else load.current_share
    return {
        "questions": f"{load.questions_per_s:.3g}",
        "input_tokens": str(load.input_tokens),
        "output_tokens": str(load.output_tokens),
        "seconds": f"{load.call_s:.2f}",
        "calls": f"{load.calls_per_question:.2f}",
        "without": f"{100 * share:.1f}",
    }


def _load_of(form: LoadForm) -> Load:
    given = form.cleaned_data
    return Load(
        questions_per_s=given["questions"],
        input_tokens=round(given["input_tokens"]),
        output_tokens=round(given["output_tokens"]),
        call_s=given["seconds"],
        calls_per_question=given["calls"],
        current_share=given["without"] / 100,
    )
