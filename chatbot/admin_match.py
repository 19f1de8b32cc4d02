"""Search by meaning in the admin: what a text would meet in the cache of the running process."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget
from base.text import Language, language_of
from chatbot.frames import MAX_QUESTION_CHARACTERS
from chatbot.matching import Match, match
from chatbot.process import Process
from chatbot.reaching import in_loop

WITHIN_S = 10.0
AUTO = "auto"
LANGUAGES = ((AUTO, _("by its script")), ("en", _("English")), ("zh-hans", "简体中文"))
VERDICTS = {
    "exact": (_("Served: the same words are stored"), "good"),
    "semantic": (_("Served: a near wording's answer"), "good"),
    "options": (_("Not served: near, but not sure enough"), "warn"),
    "miss": (_("Not served: a model would answer"), "plain"),
    "refused": (_("Not for the shared cache"), "bad"),
}


class MatchForm(forms.Form):
    """A text and its language; sent by GET, so that a search can be linked to."""

    q = forms.CharField(
        label=_("Text"), max_length=MAX_QUESTION_CHARACTERS, widget=UnfoldAdminTextInputWidget()
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=LANGUAGES,
        required=False,
        widget=UnfoldAdminSelectWidget(choices=LANGUAGES),
    )


def match_urls(admin: Any) -> list[URLPattern]:
    """The page's address, for the receipts' admin."""
    page = admin.admin_site.admin_view(partial(match_page, admin))
    return [path("match/", page, name="cache_lookup_match")]


def match_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, and what the text would meet."""
    if not request.user.has_perm("cache.view_lookup"):
        raise PermissionDenied
    form = MatchForm(request.GET or None, initial={"language": AUTO})
    found, problem = None, ""
    if request.GET and form.is_valid():
        found, problem = _match(form.cleaned_data["q"], form.cleaned_data["language"])
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": gettext("What would match?"),
        "form": form,
        "found": found,
        "problem": problem,
        "verdict": VERDICTS[found.verdict] if found else None,
    }
    return TemplateResponse(request, "admin/chatbot/match.html", context)


def _match(text: str, chosen: str) -> tuple[Match | None, str]:
    """Ask the serving process; the page says so when there is none or when it is too busy."""
    runtime = Process.current().running
    if runtime is None:
        return None, gettext(
            "The site does not run in this process, so there is nothing to search in."
        )
    language: Language = language_of(text, default="en")
    if chosen in ("en", "zh-hans"):
        language = "zh-hans" if chosen == "zh-hans" else "en"
    work = match(text, language=language, runtime=runtime)
    try:
        return in_loop(work, runtime=runtime, within_s=WITHIN_S), ""
    except TimeoutError:
        said = gettext("No answer within %(seconds)s s: the process is busy. Try again.")
        return None, said % {"seconds": f"{WITHIN_S:g}"}
