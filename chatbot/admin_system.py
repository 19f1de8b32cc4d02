"""What runs underneath in the admin: the outbox, the tallies, the staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import F
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from base.admin import (
    AdminPasswordChangeForm,
    ModelAdmin,
    ReadOnly,
    Rows,
    SimulatedMark,
    UncountedPaginator,
    UserChangeForm,
    UserCreationForm,
    column,
)
from base.money import usd
from base.words import word
from chatbot.admin_reports import report_urls
from chatbot.models import Outbox, Tally

if TYPE_CHECKING:
    UserPage = DjangoUserAdmin[User]
    GroupPage = DjangoGroupAdmin
else:

    class UserPage(DjangoUserAdmin, ModelAdmin):
        """Users in the library's look."""

    class GroupPage(DjangoGroupAdmin, ModelAdmin):
        """Groups in the library's look."""


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(UserPage):
    """Staff accounts; the permission to publish rule sets is among theirs."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(GroupPage):
    """Groups of staff with the same permissions."""


class DoneFilter(admin.SimpleListFilter):
    """Work that is done, waiting, or failing."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        """Three states."""
        return [(value, word(value)) for value in ("waiting", "failing", "done")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        """By done_at and the last error."""
        conditions: dict[str, dict[str, Any]] = {
            "waiting": {"done_at__isnull": True},
            "failing": {"done_at__isnull": True, "attempts__gt": 0},
            "done": {"done_at__isnull": False},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(Outbox)
class OutboxAdmin(ReadOnly, Rows, ModelAdmin[Outbox]):
    """Work for later that survives a restart."""

    list_display = (
        "created_at",
        "work",
        "state",
        "attempts",
        "available_at",
        "done_at",
        "last_error",
    )
    list_filter = (DoneFilter, "kind")
    ordering = ("-id",)

    @column(_("kind"), order="kind")
    def work(self, row: Outbox) -> str:
        """What is to be done."""
        return word(row.kind)

    @column(_("state"), label={"done": "success", "failing": "danger", "waiting": "info"})
    def state(self, row: Outbox) -> str:
        """Done, failing after an attempt, or waiting for its first."""
        if row.done_at is not None:
            return "done"
        return "failing" if row.attempts else "waiting"


@admin.register(Tally)
class TallyAdmin(SimulatedMark, ReadOnly, Rows, ModelAdmin[Tally]):
    """Counts per quarter hour, kept after their rows are pruned."""

    paginator = UncountedPaginator
    list_display = ("starts_at", "metric", "label", "shown", "site_id", "mode")
    list_filter = ("simulated", "metric", "starts_at")
    ordering = (F("starts_at").desc(), "metric", "label", "id")

    def get_urls(self) -> list[URLPattern]:
        """With the pages beside the first page: capacity, exports, pinning."""
        return [*report_urls(self), *super().get_urls()]

    @column(_("value"), order="value")
    def shown(self, row: Tally) -> str:
        """The count, or dollars where it is money."""
        return usd(row.value) if row.metric.endswith("_nanousd") else f"{row.value:,}"
