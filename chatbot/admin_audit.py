"""The audit: who changed what and when, from old to new, over all that staff do in the admin.

Nobody reads here of rows that they may not see elsewhere: an entry names its row, and often in a shopper's words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import ManyRows, ModelAdmin, ReadOnly, column, page_action, row_link, wide
from base.admin_cells import moment
from base.audit import values_of
from chatbot.reports.export import as_csv

MOST_EXPORTED = 50_000
HEADS = (
    _("When"),
    _("Who"),
    _("Kind of row"),
    _("Did"),
    _("Row"),
    _("Row id"),
    _("What"),
)
KINDS = {
    ADDITION: ("added", _("added")),
    CHANGE: ("changed", _("changed")),
    DELETION: ("deleted", _("deleted")),
}


class KindOfRowFilter(admin.SimpleListFilter):
    """By the kind of row that was changed, among those that the user may see."""

    title = _("kind of row")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Kinds by name."""
        named = [(str(kind.pk), kind.name) for kind in visible_kinds(request.user)]
        return sorted(named, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """Entries about rows of the kind."""
        chosen = self.value()
        if chosen is None or not chosen.isdecimal():
            return queryset
        return queryset.filter(content_type_id=int(chosen))


@admin.register(LogEntry)
class AuditAdmin(ReadOnly, ManyRows, ModelAdmin[LogEntry]):
    """Every change by staff, newest first."""

    list_display = ("at", "who", "kind_of_row", "did", "row", "what")
    list_display_links = None
    list_filter = ("user", KindOfRowFilter, "action_flag", "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__username")
    search_help_text = _("A row's name, words of the change, or who did it")
    ordering = ("-action_time", "-id")
    fields = (("at", "who"), ("kind_of_row", "did"), "row", "what")
    readonly_fields = ("at", "who", "kind_of_row", "did", "row", "what")
    actions_list = ("export",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """Only what is about rows that the user may see."""
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        return rows.filter(content_type__in=visible_kinds(request.user))

    @page_action(_("Export"), path="export", permission="view", icon="download")
    def export(self, request: HttpRequest) -> HttpResponse:
        """The entries as CSV, newest first; filters of the list hold in this address too."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)[:MOST_EXPORTED]
        heads = [str(head) for head in HEADS]
        lines = [
            [
                timezone.localtime(row.action_time).isoformat(timespec="seconds"),
                row.user.get_username(),
                _kind(row),
                str(KINDS[row.action_flag][1]),
                row.object_repr,
                row.object_id or "",
                in_words(row),
            ]
            for row in rows
        ]
        response = HttpResponse(as_csv(heads, lines), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response

    @column(_("when"), order="action_time")
    def at(self, row: LogEntry) -> SafeString | str:
        """The moment."""
        return moment(row.action_time)

    @column(_("who"), order="user__username")
    def who(self, row: LogEntry) -> str:
        """The user's name."""
        return row.user.get_username()

    @column(_("kind of row"))
    def kind_of_row(self, row: LogEntry) -> str:
        """The model by name."""
        return _kind(row)

    @column(_("did"), label={"added": "success", "changed": "info", "deleted": "danger"})
    def did(self, row: LogEntry) -> tuple[str, str]:
        """Added, changed or deleted."""
        kind, words = KINDS[row.action_flag]
        return kind, str(words)

    @column(_("row"))
    def row(self, row: LogEntry) -> SafeString | str:
        """The row's name then; leads to it."""
        kind = row.content_type
        if kind is None or row.is_deletion():
            return row.object_repr
        try:
            return row_link(f"{kind.app_label}_{kind.model}", row.object_id, row.object_repr)
        except NoReverseMatch:
            return row.object_repr

    @column(_("what"))
    def what(self, row: LogEntry) -> SafeString:
        """Each field from its old value to its new one; else the words that were written."""
        values = values_of(row.change_message)
        if not values:
            return wide(row.get_change_message() or "–")
        lines = ((gettext(name), old, new) for name, old, new in values)
        return wide(format_html_join("", "<div><strong>{}</strong>: {} → {}</div>", lines))


def visible_kinds(user: Any) -> list[ContentType]:
    """The kinds of rows that a user may see, of those that the admin shows or that were changed in it."""
    shown = {(model._meta.app_label, model._meta.model_name) for model in admin.site._registry}
    return [
        kind
        for kind in ContentType.objects.all()
        if (kind.app_label, kind.model) in shown
        and user.has_perm(f"{kind.app_label}.view_{kind.model}")
    ]


def in_words(row: LogEntry) -> str:
    """The change on one line, as it is exported."""
    values = values_of(row.change_message)
    if not values:
        return row.get_change_message()
    return "; ".join(f"{gettext(name)}: {old} → {new}" for name, old, new in values)


def _kind(row: LogEntry) -> str:
    return str(row.content_type.name) if row.content_type is not None else "–"
