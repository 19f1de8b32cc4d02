"""The test console: what would become of any text in the running process, and what a model would say to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget
from base.money import usd
from base.sentences import sentence
from base.text import Language, language_of
from chatbot.explaining import Explained, explained, steps_of
from chatbot.frames import MAX_QUESTION_CHARACTERS
from chatbot.process import Process
from chatbot.reaching import in_loop
from chatbot.runtime import Runtime
from chatbot.trying import WITHIN_S as TRY_WITHIN_S
from chatbot.trying import Tried, try_with_model
from routing.models import Model

WITHIN_S = 10.0
AUTO = "auto"
LANGUAGES = (
    (AUTO, gettext_lazy("by its script")),
    ("en", "English"),
    ("zh-hans", "简体中文"),
)
VERDICTS = {
    "exact": (gettext_lazy("Served: the same words are stored"), "good"),
    "semantic": (gettext_lazy("Served: a near wording's answer"), "good"),
    "options": (gettext_lazy("Not served: near, but not sure enough"), "warn"),
    "miss": (gettext_lazy("Not served: a model would answer"), "plain"),
    "refused": (gettext_lazy("Not for the shared cache"), "bad"),
}
STEPS = {
    "language": gettext_lazy("Language"),
    "guard": gettext_lazy("Guard"),
    "exact": gettext_lazy("Exact tier"),
    "embed": gettext_lazy("Embedding"),
    "lookup": gettext_lazy("By meaning"),
    "did you mean": gettext_lazy("Did you mean"),
    "rule set": gettext_lazy("Rule set"),
    "classify": gettext_lazy("Tier"),
    "actions": gettext_lazy("Actions"),
    "told": gettext_lazy("Said instead"),
    "chain": gettext_lazy("Chain"),
    "stands": gettext_lazy("Breaker and limits"),
    "left out": gettext_lazy("Left out"),
    "prompt": gettext_lazy("Prompt"),
}
# What shoppers write and read, which is nobody's to translate.
TEXTS = ("did you mean", "told")


class ConsoleForm(forms.Form):
    """A text and its language; looked at by GET, so that a look can be linked to."""

    q = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=MAX_QUESTION_CHARACTERS,
        widget=UnfoldAdminTextInputWidget(),
    )
    language = forms.ChoiceField(
        choices=LANGUAGES, required=False, widget=UnfoldAdminSelectWidget(choices=LANGUAGES)
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What the process said; `problem` in place of it."""

    found: Explained | None = None
    tried: Tried | None = None
    problem: str = ""


def console_urls(admin: Any) -> list[URLPattern]:
    """The page's address, for the questions' admin."""
    page = admin.admin_site.admin_view(partial(console_page, admin))
    return [path("console/", page, name="chatbot_question_console")]


def console_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form and every step; a POST lets a model answer, with a right of its own."""
    if not request.user.has_perm("chatbot.test_question"):
        raise PermissionDenied
    may_call = request.user.has_perm("chatbot.run_test_question")
    if request.method == "POST" and not may_call:
        raise PermissionDenied
    form = ConsoleForm(request.POST or request.GET or None, initial={"language": AUTO})
    seen = Seen()
    if form.is_bound and form.is_valid():
        staff_id = int(request.user.pk or 0) if request.method == "POST" else None
        seen = _look(form.cleaned_data["q"], form.cleaned_data["language"], staff_id=staff_id)
    if seen.tried is not None:
        _log(admin, request, seen.tried)
    found = seen.found
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Test console"),
        "form": form,
        "found": found,
        "steps": _shown(found) if found else [],
        "verdict": VERDICTS[found.match.verdict] if found else None,
        "tried": seen.tried,
        "tried_cost": usd(seen.tried.cost_nanousd) if seen.tried else "",
        "problem": seen.problem,
        "may_call": may_call and found is not None and found.prompt is not None,
    }
    return TemplateResponse(request, "admin/chatbot/console.html", context)


def _look(text: str, chosen: str, *, staff_id: int | None) -> Seen:
    """Ask the serving process; the page says so when there is none or when it is too busy."""
    runtime = Process.current().running
    if runtime is None:
        return Seen(problem=_("The site does not run in this process: nothing can be tried here."))
    language: Language = language_of(text, default="en")
    if chosen in ("en", "zh-hans"):
        language = "zh-hans" if chosen == "zh-hans" else "en"
    work = _steps(text, language, runtime, staff_id=staff_id)
    within_s = WITHIN_S + (0 if staff_id is None else TRY_WITHIN_S)
    try:
        return in_loop(work, runtime=runtime, within_s=within_s)
    except TimeoutError:
        words = _("No answer within %(seconds)s s: the process is busy. Try again.")
        return Seen(problem=words % {"seconds": f"{within_s:g}"})


async def _steps(text: str, language: Language, runtime: Runtime, *, staff_id: int | None) -> Seen:
    found = await explained(text, language=language, runtime=runtime)
    if staff_id is None:
        return Seen(found)
    return Seen(found, await try_with_model(found, staff_id=staff_id, runtime=runtime))


def _shown(found: Explained) -> list[tuple[str, str, bool]]:
    """The steps that are no table of their own, in the reader's language; texts are as they are, some in Markdown."""
    return [
        (str(STEPS[step]), words if step in TEXTS else sentence(words), step == "told")
        for step, words in steps_of(found)
        if step in STEPS
    ]


def _log(admin: Any, request: HttpRequest, tried: Tried) -> None:
    """Who spent what."""
    model = None if tried.model_id is None else Model.objects.filter(pk=tried.model_id).first()
    if model is not None:
        cost = usd(tried.cost_nanousd)
        said = _("Asked a test question in the console: %(cost)s.") % {"cost": cost}
        admin.log_change(request, model, said)
