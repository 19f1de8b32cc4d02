"""Alerts in the admin: a list, and the button on every page that acknowledges them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from base.admin import ModelAdmin, ReadOnly, Rows, column, fields_of, link, wide
from base.admin_cells import moment
from base.sentences import sentence
from base.words import word
from routing.alerts import acknowledge
from routing.models import Alert

SEVERITY_COLOURS = {Alert.WARNING: "warning", Alert.DANGER: "danger"}


class OpenFilter(admin.SimpleListFilter):
    """Alerts that still stand, or those that somebody has acknowledged."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two states."""
        return [(value, word(value)) for value in ("open", "acknowledged")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """By the moment of acknowledging."""
        if self.value() is None:
            return queryset
        return queryset.filter(acknowledged_at__isnull=self.value() == "open")


@admin.register(Alert)
class AlertAdmin(ReadOnly, Rows, ModelAdmin[Alert]):
    """What people must know. Written by the product; people only acknowledge."""

    list_display = ("last", "level", "said", "count", "state", "by", "webhook", "email")
    list_filter = (OpenFilter, "severity", "last_at")
    readonly_fields = tuple(fields_of(Alert))
    ordering = ("-last_at", "-id")

    def get_urls(self) -> list[URLPattern]:
        """The list's addresses, and the one that the button posts to."""
        own = path(
            "<int:alert_id>/acknowledge/",
            self.admin_site.admin_view(self.acknowledge_view),
            name="routing_alert_acknowledge",
        )
        return [own, *super().get_urls()]

    @method_decorator(require_POST)
    def acknowledge_view(self, request: HttpRequest, alert_id: int) -> HttpResponse:
        """Take one alert off the pages, in the user's name, and go back."""
        if not request.user.has_perm("routing.change_alert"):
            raise PermissionDenied
        row = get_object_or_404(Alert, pk=alert_id)
        if acknowledge([row.pk], by=request.user.get_username(), now=timezone.now()):
            self.log_change(request, row, gettext("Acknowledged."))
        back = request.POST.get("next", "")
        safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
        return HttpResponseRedirect(back if safe else reverse("admin:routing_alert_changelist"))

    @column(_("last"), order="last_at")
    def last(self, row: Alert) -> SafeString | str:
        """When it happened last."""
        return moment(row.last_at)

    @column(_("severity"), label=SEVERITY_COLOURS)
    def level(self, row: Alert) -> str:
        """Warning or danger."""
        return row.severity

    @column(_("what"))
    def said(self, row: Alert) -> SafeString:
        """The text, leading to the page that puts it right."""
        return link(wide(sentence(row.text)), row.path)

    @column(_("state"), label={"open": "warning", "acknowledged": "success"})
    def state(self, row: Alert) -> str:
        """Open until somebody acknowledges."""
        return "open" if row.acknowledged_at is None else "acknowledged"

    @column(_("by"))
    def by(self, row: Alert) -> str:
        """Who acknowledged."""
        return row.acknowledged_by or "–"

    @column(_("webhook"))
    def webhook(self, row: Alert) -> SafeString | str:
        """When it was sent there."""
        return moment(row.webhook_sent_at)

    @column(_("e-mail"))
    def email(self, row: Alert) -> SafeString | str:
        """When it was sent there."""
        return moment(row.email_sent_at)
