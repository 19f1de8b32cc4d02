"""Pages beside a rule set: start a draft, publish it, roll back to an earlier set, take a scheduled one out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import ModelAdmin, page_action
from routing.admin_rule_parts import NoteForm, PublishForm
from routing.differences import difference
from routing.models import RuleSet
from routing.publishing import (
    NotPublishable,
    Terms,
    is_scheduled,
    problems_of,
    publish,
    roll_back,
    start_draft,
    withdraw,
)
from routing.rule_sets import rule_set_in_force

LIST = "admin:routing_ruleset_changelist"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page with a note says and what its button does."""

    title: str
    intro: str
    button: str
    done: str


class RuleSetPages(ModelAdmin[RuleSet]):
    """The pages; each checks the right that it needs itself."""

    def has_publish_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Publishing has a permission of its own, and only drafts can be published."""
        return self._may_publish(request) and _rows(object_id, RuleSet.DRAFT)

    def has_roll_back_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Who may publish may roll back, to what was published."""
        return self._may_publish(request) and _rows(object_id, RuleSet.PUBLISHED)

    def has_withdraw_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Who may publish may take a scheduled set out."""
        row = RuleSet.objects.filter(pk=str(object_id)).first()
        scheduled = row is not None and is_scheduled(row, now=timezone.now())
        return self._may_publish(request) and scheduled

    @page_action(
        gettext_lazy("Start a draft from the published set"),
        path="start-draft",
        permission="add",
        icon="edit_note",
    )
    def start_draft(self, request: HttpRequest) -> HttpResponse:
        """Ask, then copy the set in force into a new draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            draft = start_draft(now=timezone.now())
            self.log_addition(request, draft, _("Started a draft."))
            return HttpResponseRedirect(reverse("admin:routing_ruleset_change", args=[draft.pk]))
        context = {
            "title": _("Start a draft"),
            "source": rule_set_in_force(timezone.now()),
            "drafts": list(RuleSet.objects.filter(state=RuleSet.DRAFT)),
        }
        return self._page(request, "admin/routing/start_draft.html", context)

    @page_action(gettext_lazy("Publish"), path="publish", permission="publish", icon="publish")
    def publish_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what changes, ask for a note and a window, publish."""
        if not self.has_publish_permission(request, object_id):
            raise PermissionDenied
        draft = get_object_or_404(RuleSet, pk=object_id)
        form = PublishForm(request.POST or None, initial={"note": draft.note})

        def act() -> RuleSet:
            return publish(draft.pk, terms=_terms(request, form))

        done = _("Version {version} is published.")
        if self._acted(request, form, act, done=done):
            return HttpResponseRedirect(reverse(LIST))
        now = timezone.now()
        base = rule_set_in_force(now)
        context = {
            "title": _("Publish version {version}").format(version=draft.version),
            "draft": draft,
            "base": base,
            "problems": problems_of(draft, now=now),
            "difference": difference(draft, base=base),
            "scheduled": [
                row
                for row in RuleSet.objects.filter(state=RuleSet.PUBLISHED)
                if is_scheduled(row, now=now)
            ],
            "form": form,
        }
        return self._page(request, "admin/routing/publish.html", context)

    @page_action(
        gettext_lazy("Roll back to this version"),
        path="roll-back",
        permission="roll_back",
        icon="undo",
    )
    def roll_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a note, then publish a copy."""
        if not self.has_roll_back_permission(request, object_id):
            raise PermissionDenied
        row = get_object_or_404(RuleSet, pk=object_id)
        form = NoteForm(request.POST or None)
        words = Words(
            title=_("Roll back to version {version}").format(version=row.version),
            intro=_(
                "A copy of version {version} is published as the newest version. It decides at once, "
                "also in place of a scheduled set that is in force now."
            ).format(version=row.version),
            button=_("Roll back"),
            done=_("Version {version} is in force."),
        )

        def act() -> RuleSet:
            return roll_back(row.version, terms=_terms(request, form))

        return self._with_note(request, row, form, act, words)

    @page_action(
        gettext_lazy("Take out before its end"),
        path="withdraw",
        permission="withdraw",
        icon="event_busy",
    )
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a note, then close the set's window."""
        if not self.has_withdraw_permission(request, object_id):
            raise PermissionDenied
        row = get_object_or_404(RuleSet, pk=object_id)
        form = NoteForm(request.POST or None)
        words = Words(
            title=_("Take version {version} out").format(version=row.version),
            intro=_("Its window is closed now and for good. The set before it decides again."),
            button=_("Take it out"),
            done=_("Version {version} is taken out."),
        )

        def act() -> RuleSet:
            withdraw(row.version, by=request.user.get_username(), now=timezone.now())
            return row

        return self._with_note(request, row, form, act, words)

    def _with_note(
        self,
        request: HttpRequest,
        row: RuleSet,
        form: NoteForm,
        act: Callable[[], RuleSet],
        words: Words,
    ) -> HttpResponse:
        if self._acted(request, form, act, done=words.done):
            return HttpResponseRedirect(reverse(LIST))
        context = {
            "title": words.title,
            "words": words,
            "form": form,
            "back": reverse("admin:routing_ruleset_change", args=[row.pk]),
        }
        return self._page(request, "admin/routing/note.html", context)

    def _acted(
        self, request: HttpRequest, form: forms.Form, act: Callable[[], RuleSet], *, done: str
    ) -> bool:
        """Do what a posted and valid form asks for, log it, and say so."""
        if request.method != "POST" or not form.is_valid():
            return False
        try:
            row = act()
        except NotPublishable as error:
            form.add_error(None, list(error.problems))
            return False
        said = done.format(version=row.version)
        self.log_change(request, row, f"{said} {form.cleaned_data['note']}")
        self.message_user(request, said, messages.SUCCESS)
        return True

    def _may_publish(self, request: HttpRequest) -> bool:
        return request.user.has_perm("routing.publish_ruleset")

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )


def _rows(object_id: object, state: str) -> bool:
    return RuleSet.objects.filter(pk=str(object_id), state=state).exists()


def _terms(request: HttpRequest, form: forms.Form) -> Terms:
    values = form.cleaned_data
    return Terms(
        note=values["note"],
        by=request.user.get_username(),
        now=timezone.now(),
        starts_at=values.get("starts_at"),
        ends_at=values.get("ends_at"),
    )
