"""Taking answers back in the admin: who received them is shown first, then everyone is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    ManyRows,
    ModelAdmin,
    ReadOnly,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    column,
    list_url,
    page_action,
    row_link,
    shortened,
    wide,
)
from base.admin_cells import moment
from base.marked import plain
from cache.admin import AnswerAdmin
from cache.admin_parts import language_of
from cache.models import Answer, Recall
from chatbot.admin_files import download, upload_page
from chatbot.phrases import say
from chatbot.recalling import NotRecallable, Receipt, receipts_of, recipient_count, revoke

MOST_AT_ONCE = 20
RECEIPTS_SHOWN = 50


class RecallForm(forms.Form):
    """Why, and what recipients are told."""

    reason = forms.CharField(
        required=False,
        max_length=300,
        label=_("Reason"),
        help_text=_("For your colleagues; shoppers do not see it."),
        widget=UnfoldAdminTextInputWidget(),
    )
    text = forms.CharField(
        required=False,
        max_length=2_000,
        label=_("Correction"),
        help_text=_(
            "What shoppers read, in Markdown. Empty: the sentence below, in their language."
        ),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that is to be taken back, with who received it."""

    answer: Answer
    receipts: list[Receipt]
    recipients: int
    problem: str

    @property
    def hidden(self) -> bool:
        """Whether there are more receipts than are shown."""
        return len(self.receipts) == RECEIPTS_SHOWN


@admin.register(Answer)
class RecallableAnswerAdmin(AnswerAdmin):
    """Answers that can be taken back from everyone who received them."""

    actions = (*AnswerAdmin.actions, "revoke")
    actions_detail = ("revoke_answer",)
    actions_list = ("export_answers", "import_answers")

    @page_action(_("Export"), path="export", permission="view", icon="download")
    def export_answers(self, request: HttpRequest) -> HttpResponse:
        """All served answers as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return download(request)

    @page_action(_("Import"), path="import", permission="change", icon="upload")
    def import_answers(self, request: HttpRequest) -> HttpResponse:
        """Check a file of answers, and store what passes."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return upload_page(self, request)

    def get_urls(self) -> list[Any]:
        """The page that asks before it revokes."""
        page = self.admin_site.admin_view(self.recall_page)
        return [path("recall/", page, name="cache_answer_recall"), *super().get_urls()]

    @admin.action(
        description=_("Revoke: take back and tell who received it"), permissions=["change"]
    )
    def revoke(self, request: HttpRequest, queryset: QuerySet[Answer]) -> HttpResponse:
        """Show who received the chosen answers, then ask."""
        return HttpResponseRedirect(
            recall_url(queryset.values_list("id", flat=True)[:MOST_AT_ONCE])
        )

    @page_action(_("Revoke"), path="revoke", permission="change", icon="undo")
    def revoke_answer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same for one answer."""
        return HttpResponseRedirect(recall_url([object_id]))

    def recall_page(self, request: HttpRequest) -> HttpResponse:
        """Who received the answers, a reason, the words for the shoppers; a POST does it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        candidates = candidates_of(request.GET.get("ids", ""))
        open_ones = [item for item in candidates if not item.problem]
        form = RecallForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and open_ones:
            self._recall(request, open_ones, form)
            return HttpResponseRedirect(next_url(request, candidates))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": ngettext("Revoke an answer", "Revoke %(count)s answers", len(open_ones))
            % {"count": len(open_ones)},
            "candidates": candidates,
            "open": open_ones,
            "recipients": sum(item.recipients for item in open_ones),
            "form": form,
            "standing": [say("withdrawn", locale=locale) for locale in ("en", "zh-hans")],
            "back": next_url(request, candidates),
        }
        return TemplateResponse(request, "admin/chatbot/recall.html", context)

    def _recall(self, request: HttpRequest, candidates: list[Candidate], form: RecallForm) -> None:
        done = []
        for item in candidates:
            try:
                recall = revoke(
                    item.answer.id,
                    by=request.user.get_username(),
                    reason=form.cleaned_data["reason"],
                    text=form.cleaned_data["text"],
                    now=timezone.now(),
                )
            except NotRecallable as error:
                said = gettext("Answer %(number)s: %(problem)s")
                values = {"number": item.answer.id, "problem": error}
                self.message_user(request, said % values, messages.WARNING)
                continue
            reason = recall.reason or gettext("no reason given")
            said = gettext("Revoked: %(reason)s") % {"reason": reason}
            self.log_change(request, item.answer, said)
            done.append(item)
        if done:
            told = sum(item.recipients for item in done)
            said = gettext(
                "Answers revoked: %(count)s. Conversations that are being told: %(told)s."
            )
            values = {"count": len(done), "told": told}
            self.message_user(request, said % values, messages.SUCCESS)


def recall_url(ids: Any, *, back: str = "") -> str:
    """Address of the page that asks before these answers are revoked."""
    query = {"ids": ",".join(str(number) for number in ids)} | ({"next": back} if back else {})
    return f"{reverse('admin:cache_answer_recall')}?{urlencode(query)}"


def candidates_of(ids: str) -> list[Candidate]:
    """The answers that the address names, at most MOST_AT_ONCE; those that are gone are left out."""
    wanted = [int(part) for part in ids.split(",") if part.isdecimal()][:MOST_AT_ONCE]
    rows = Answer.objects.filter(id__in=wanted).order_by("id")
    return [
        Candidate(
            answer=row,
            receipts=receipts_of(row.id, at_most=RECEIPTS_SHOWN),
            recipients=recipient_count(row.id),
            problem=_problem(row),
        )
        for row in rows
    ]


def _problem(answer: Answer) -> str:
    if answer.status == Answer.OWN:
        return gettext("It serves one shopper alone and is shown to nobody else.")
    return gettext("It is revoked already.") if answer.status == Answer.REVOKED else ""


def next_url(request: HttpRequest, candidates: list[Candidate]) -> str:
    """Where staff came from, if that is a page of the admin; else the answer or the list of them."""
    wanted = request.GET.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    if inside and wanted.startswith(reverse("admin:index")):
        return wanted
    if len(candidates) == 1:
        return reverse("admin:cache_answer_change", args=[candidates[0].answer.id])
    return list_url("cache_answer")


@admin.register(Recall)
class RecallAdmin(ReadOnly, ManyRows, ModelAdmin[Recall]):
    """Which answers were taken back: by whom, why, and how many were told."""

    list_display = ("taken_back", "answer_text", "language", "by", "reason", "told")
    list_filter = ("at",)
    search_fields = ("answer__text", "reason", "by")
    search_help_text = _("Words of an answer or of a reason, or who did it")
    list_select_related = ("answer",)
    fields = (("taken_back", "by"), "reason", "answer_text", "correction", "told")
    readonly_fields = ("taken_back", "by", "reason", "answer_text", "correction", "told")

    @column(_("revoked"), order="at")
    def taken_back(self, row: Recall) -> SafeString | str:
        """When."""
        return moment(row.at)

    @column(_("answer"))
    def answer_text(self, row: Recall) -> SafeString:
        """The answer."""
        return row_link(
            "cache_answer", row.answer_id, wide(shortened(plain(row.answer.text), limit=80))
        )

    @column(_("language"))
    def language(self, row: Recall) -> str:
        """The answer's language."""
        return language_of(row.answer.partition)

    @column(_("conversations told"), order="recipients")
    def told(self, row: Recall) -> str:
        """How many corrections were sent so far."""
        return f"{row.recipients:,}"

    @column(_("what they were told"))
    def correction(self, row: Recall) -> str:
        """The staff's words, or the product's own."""
        return row.text or say("withdrawn", locale=language_of(row.answer.partition))
