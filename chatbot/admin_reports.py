"""Pages beside the first page: a table as CSV, and pinning the answer of one question."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cache.models import Answer, Lookup, Review, Wording
from chatbot.admin_capacity import VIEW, capacity_urls
from chatbot.admin_choice import choice_of
from chatbot.admin_foremost import PIN, READ_TEXTS
from chatbot.admin_summary import table_of
from chatbot.models import Question
from chatbot.report_zone import site_zone
from chatbot.reports.export import as_csv
from chatbot.review_decisions import Judged, NotPossible, decide
from chatbot.runtime import system_clock

_CLOCK = system_clock()


def report_urls(admin: Any) -> list[URLPattern]:
    """The pages' addresses, for the tallies' admin."""
    wrap = admin.admin_site.admin_view
    return [
        *capacity_urls(admin),
        path("export/<slug:key>/", wrap(export), name="chatbot_tally_export"),
        path(
            "pin/<int:question_id>/",
            wrap(partial(pin_page, admin)),
            name="chatbot_tally_pin",
        ),
    ]


def export(request: HttpRequest, key: str) -> HttpResponse:
    """One table of the first page, as it stands there for this user, as CSV."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    now = _CLOCK.now()
    choice = choice_of(request.GET, site_zone=site_zone(), now=now)
    table = table_of(key, choice, may=request.user.has_perm, now=now)
    if table is None:
        raise Http404
    lines = [[cell.exported for cell in line.cells if not cell.action] for line in table.lines]
    width = max((len(line) for line in lines), default=len(table.heads))
    heads = [head or table.title for head in table.heads[:width]]
    response = HttpResponse(as_csv(heads, lines), content_type="text/csv; charset=utf-8")
    span = choice.span
    name = f"{key}-{span.first_day.isoformat()}-{span.last_day.isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def pin_page(admin: Any, request: HttpRequest, question_id: int) -> HttpResponse:
    """Show a question with the stored answer that its asker got; pin it when sent."""
    if not all(request.user.has_perm(right) for right in (READ_TEXTS, PIN)):
        raise PermissionDenied
    question = get_object_or_404(Question, id=question_id)
    judged = _judged(question_id)
    if request.method == "POST" and judged is not None:
        return _pin(admin, request, judged)
    answer = Answer.objects.filter(id=judged.answer_id or 0).first() if judged else None
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Pin its answer"),
        "question": question,
        "answer": answer,
        "may_pin": answer is not None and answer.status not in (Answer.OWN, Answer.REVOKED),
        "may_write": request.user.has_perm("chatbot.add_article"),
    }
    return TemplateResponse(request, "admin/chatbot/pin.html", context)


def _judged(question_id: int) -> Judged | None:
    """The question's receipt with the stored answer and a wording that leads to it; None without one."""
    receipt = Lookup.objects.filter(question_id=question_id).order_by("-id").first()
    answer_id = (receipt.answer_id or receipt.stored_id) if receipt else None
    if receipt is None or answer_id is None:
        return None
    wordings = Wording.objects.filter(answer_id=answer_id).values_list("id", flat=True)
    mine = wordings.filter(id=receipt.wording_id).first() if receipt.wording_id else None
    wording_id = mine or wordings.order_by("id").first()
    if wording_id is None:
        return None
    return Judged(receipt=receipt, wording_id=wording_id, answer_id=answer_id)


def _pin(admin: Any, request: HttpRequest, judged: Judged) -> HttpResponse:
    by = request.user.get_username()
    try:
        happened = decide(judged, decision=Review.PIN, text="", by=by, now=timezone.now())
    except NotPossible as error:
        admin.message_user(request, str(error), messages.ERROR)
    else:
        answer = Answer.objects.get(id=judged.answer_id or 0)
        number = judged.receipt.question_id
        said = _("Pinned, for question %(number)s") % {"number": number}
        admin.log_change(request, answer, said)
        admin.message_user(request, happened, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:index"))
