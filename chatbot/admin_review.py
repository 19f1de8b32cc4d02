"""The review queue: one stored answer after the other, decided with one key each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from base.admin_texts import LongText
from cache.models import Answer, Lookup, Objection, Wording
from chatbot.admin_recalls import recall_url
from chatbot.models import Question
from chatbot.review_decisions import DECISIONS, Judged, NotPossible, decide
from chatbot.reviewing import Item, queue

QUEUE_SHOWN = 12
TEXTS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Line:
    """An item of the queue with its words."""

    item: Item
    wording: Wording
    answer: Answer


@dataclass(frozen=True, slots=True)
class Asked:
    """How one shopper put it, and what they said about the answer."""

    receipt: Any
    objection: str


def review_urls(admin: Any) -> list[URLPattern]:
    """The queue's addresses, for the receipts' admin."""
    wrap = admin.admin_site.admin_view
    return [
        path("review/", wrap(partial(review_page, admin)), name="cache_lookup_review"),
        path(
            "review/<int:receipt_id>/",
            wrap(partial(decide_page, admin)),
            name="cache_lookup_decide",
        ),
    ]


def review_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The item most worth a look, with the next ones below."""
    _check(request, "cache.view_lookup")
    simulated = _simulated(request)
    skipped = {part for part in request.GET.get("skip", "").split(",") if part}
    lines = [
        line
        for line in lines_of(queue(simulated=simulated, at_most=200))
        if _key(line) not in skipped
    ]
    current = lines[0] if lines else None
    asked = asked_of(current.item) if current else []
    here = _address(simulated=simulated, skip=skipped)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": gettext("Review"),
        "current": current,
        "asked": asked,
        "receipt": asked[0].receipt if asked else None,
        "pair": _key(current) if current else "",
        "coming": lines[1 : 1 + QUEUE_SHOWN],
        "waiting": len(lines),
        "simulated": simulated,
        "live_url": _address(simulated=False),
        "simulated_url": _address(simulated=True),
        "here": here,
        "skip_url": _address(
            simulated=simulated, skip={*skipped, _key(current)} if current else ()
        ),
        "revoke_url": recall_url([current.answer.id], back=here) if current else "",
        "may_decide": request.user.has_perm("cache.change_answer"),
    }
    return TemplateResponse(request, "admin/chatbot/review.html", context)


def decide_page(admin: Any, request: HttpRequest, receipt_id: int) -> HttpResponse:
    """Carry one decision out, then the next item."""
    _check(request, "cache.view_lookup", "cache.change_answer")
    back = HttpResponseRedirect(_address(simulated=request.POST.get("rows") == "simulated"))
    decision = request.POST.get("decision", "")
    if request.method != "POST" or decision not in DECISIONS:
        return back
    judged = _judged(get_object_or_404(Lookup, id=receipt_id), request.POST.get("pair", ""))
    try:
        happened = decide(
            judged,
            decision=decision,
            text=LongText(required=False).clean(request.POST.get("text", "")),
            by=request.user.get_username(),
            now=timezone.now(),
        )
    except NotPossible as error:
        admin.message_user(request, str(error), messages.ERROR)
        return back
    admin.log_change(
        request, judged.receipt, gettext("Review: %(decision)s") % {"decision": decision}
    )
    admin.message_user(request, happened, messages.SUCCESS)
    return back


def _judged(receipt: Lookup, pair: str) -> Judged:
    """The pair that the page showed, as far as the receipt has to do with it."""
    wording, _, answer = pair.partition("-")
    if not (wording.isdecimal() and answer.isdecimal()):
        raise Http404
    wording_id, answer_id = int(wording), int(answer) or None
    served = answer_id in (receipt.answer_id, receipt.stored_id) and answer_id is not None
    near = answer_id is None and receipt.nearest_id == wording_id
    rows = Wording.objects.filter(id=wording_id)
    if not (near or (served and rows.filter(answer_id=answer_id or 0).exists())):
        raise Http404
    return Judged(receipt=receipt, wording_id=wording_id, answer_id=answer_id)


def lines_of(items: list[Item]) -> list[Line]:
    """The items with their rows; one whose wording is gone is left out."""
    rows = Wording.objects.defer("vector").select_related("answer")
    wordings = rows.in_bulk({item.wording_id for item in items})
    return [
        Line(item, wordings[item.wording_id], wordings[item.wording_id].answer)
        for item in items
        if item.wording_id in wordings
    ]


def asked_of(item: Item) -> list[Asked]:
    """How shoppers put it, the most doubtful first: those who objected, then the least near."""
    said = Objection.objects.filter(
        wording_id=item.wording_id, answer_id=item.answer_id or 0, settled_at=None
    )
    kinds = dict(said.values_list("question_id", "kind"))
    receipts = _receipts(item, objected=list(kinds))
    objected = list(receipts.filter(question_id__in=kinds)[:TEXTS_SHOWN])
    rest = list(receipts.exclude(question_id__in=kinds)[: TEXTS_SHOWN - len(objected)])
    return [Asked(row, kinds.get(row.question_id, "")) for row in (*objected, *rest)]


def _receipts(item: Item, *, objected: list[int]) -> QuerySet[Lookup]:
    text = Question.objects.filter(pk=OuterRef("question_id")).values("text")[:1]
    rows = Lookup.objects.annotate(question_text=Subquery(text))
    if item.near_miss:
        near = rows.filter(outcome="miss", nearest_id=item.wording_id)
        return near.order_by(F("nearest_cosine").desc(nulls_last=True), "-id")
    served = Q(wording_id=item.wording_id, answer_id=item.answer_id or 0)
    first_asker = Q(stored_id=item.answer_id, question_id__in=objected)
    return rows.filter(served | first_asker).order_by(F("cosine").asc(nulls_last=True), "-id")


def _check(request: HttpRequest, *permissions: str) -> None:
    if not all(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied


def _simulated(request: HttpRequest) -> bool:
    chosen = request.GET.get("rows", "")
    return chosen == "simulated" if chosen else not Lookup.objects.filter(simulated=False).exists()


def _key(line: Line) -> str:
    return f"{line.item.wording_id}-{line.item.answer_id or 0}"


def _address(*, simulated: bool, skip: Any = ()) -> str:
    rows = "simulated" if simulated else "live"
    query = {"rows": rows} | ({"skip": ",".join(sorted(skip))} if skip else {})
    return f"{reverse('admin:cache_lookup_review')}?{urlencode(query)}"
