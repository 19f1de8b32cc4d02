"""Budgets, quotas and vendors' statements in the admin: limits in dollars, beside what is used of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import ModelAdmin, ReadOnly, Rows, UnfoldAdminDecimalFieldWidget, column
from base.admin_cells import moment
from base.money import NANO, usd
from routing.models import Budget, Quota, Spending, Statement
from routing.reconcile import DRIFT_SHARE, drift_share

_NANO_PER_DOLLAR = Decimal(1_000_000_000)
_WARN_PERCENT = 80
STATE_COLOURS = {"used up": "danger", "low": "warning", "fine": "success"}


class DollarField(forms.DecimalField):
    """US dollars for people, nano-dollars for rows; converts exactly."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01", "min": "0"})
        super().__init__(min_value=0, max_digits=12, decimal_places=4, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A stored integer in dollars; what was typed stays as typed."""
        return f"{value * NANO:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Nano-dollars."""
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * _NANO_PER_DOLLAR)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as numbers, so that 5 and 5.00 are the same."""
        return super().has_changed(initial * NANO if isinstance(initial, int) else initial, data)


def _known_zone(name: str) -> str:
    """A zone's name, or a ValidationError that says what it looks like."""
    if name not in available_timezones():
        message = _("Give a time zone by its name, for instance UTC or Asia/Shanghai.")
        raise forms.ValidationError(message)
    return name


class BudgetForm(forms.ModelForm[Budget]):
    """A budget in dollars."""

    limit_nanousd = DollarField(label=_("Limit, in US dollars"))

    class Meta:
        model = Budget
        fields = ("period", "time_zone", "site_id", "tier", "model", "limit_nanousd")

    def clean_time_zone(self) -> str:
        """A zone that exists."""
        return _known_zone(str(self.cleaned_data["time_zone"]))


class QuotaForm(forms.ModelForm[Quota]):
    """A quota in tokens, dollars or both."""

    limit_nanousd = DollarField(label=_("Limit, in US dollars"), required=False)

    class Meta:
        model = Quota
        fields = ("endpoint", "period", "reset_zone", "limit_tokens", "limit_nanousd")

    def clean_reset_zone(self) -> str:
        """A zone that exists."""
        return _known_zone(str(self.cleaned_data["reset_zone"]))

    def clean(self) -> dict[str, Any]:
        """One of the two limits must be given."""
        values = super().clean() or {}
        if values.get("limit_tokens") is None and values.get("limit_nanousd") is None:
            message = _("Give a limit in tokens, in dollars, or both.")
            raise forms.ValidationError(message)
        return values


class WithSpending:
    """Columns about the current period; live calls, or the simulator's where there are no others.

    `kind` is that of the counts, `zone_field` the column with the zone in which a period begins, and
    `belongs_to` the field with what is limited.
    """

    kind = ""
    zone_field = ""
    belongs_to = ""

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """What is limited, how much is gone, and when it begins anew."""
        return ("__str__", "used", "state", "begins_anew", self.zone_field)

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """What is limited is chosen by its name."""
        return (self.belongs_to,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what is spent and reserved in the period of now."""
        now = timezone.now()
        current = Spending.objects.filter(
            kind=self.kind,
            row_id=OuterRef("pk"),
            period_start__lte=now,
            period_end__gt=now,
        ).order_by("simulated", "-id")
        used = current.annotate(
            nanousd=F("spent_nanousd") + F("reserved_nanousd"),
            tokens=F("spent_tokens") + F("reserved_tokens"),
        )
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # mixed in
        with_use: QuerySet[Any] = rows.annotate(
            used_nanousd=Subquery(used.values("nanousd")[:1], output_field=BigIntegerField()),
            used_tokens=Subquery(used.values("tokens")[:1], output_field=BigIntegerField()),
            ends_at=Subquery(current.values("period_end")[:1]),
        )
        return with_use

    @column(_("used or reserved"))
    def used(self, row: Any) -> str:
        """Of the limits there are."""
        parts = []
        if row.limit_nanousd is not None:
            used, limit = usd(row.used_nanousd or 0), usd(row.limit_nanousd)
            parts.append(gettext("%(used)s of %(limit)s") % {"used": used, "limit": limit})
        if getattr(row, "limit_tokens", None) is not None:
            used, limit = f"{row.used_tokens or 0:,}", f"{row.limit_tokens:,}"
            said = gettext("%(used)s of %(limit)s tokens")
            parts.append(said % {"used": used, "limit": limit})
        return ", ".join(parts)

    @column(_("state"), label=STATE_COLOURS)
    def state(self, row: Any) -> str:
        """Fine, low from 80 % on, or used up."""
        pairs = (
            (row.used_nanousd or 0, row.limit_nanousd),
            (row.used_tokens or 0, getattr(row, "limit_tokens", None)),
        )
        limited = [(used, limit) for used, limit in pairs if limit is not None]
        if any(used >= limit for used, limit in limited):
            return "used up"
        low = any(used * 100 >= limit * _WARN_PERCENT for used, limit in limited)
        return "low" if low else "fine"

    @column(_("begins anew"))
    def begins_anew(self, row: Any) -> SafeString | str:
        """The end of the current period, once a call fell under it."""
        return moment(row.ends_at)


@admin.register(Budget)
class BudgetAdmin(WithSpending, Rows, ModelAdmin[Budget]):
    """What the shop is willing to spend. Hard: a call that might exceed it is not made."""

    kind = Spending.BUDGET
    form = BudgetForm
    zone_field, belongs_to = "time_zone", "model"
    list_filter = ("period", "tier")
    list_select_related = ("model__endpoint",)
    fieldsets = (
        (None, {"fields": (("limit_nanousd", "period", "time_zone"),)}),
        (
            _("What counts"),
            {
                "description": _(
                    "Empty: everything. A budget for the tier FAQ and one model also "
                    "lets that model answer simple questions though it is the dearest."
                ),
                "fields": (("site_id", "tier", "model"),),
            },
        ),
    )


@admin.register(Quota)
class QuotaAdmin(WithSpending, Rows, ModelAdmin[Quota]):
    """What a key may use, as agreed with the vendor."""

    kind = Spending.QUOTA
    form = QuotaForm
    zone_field, belongs_to = "reset_zone", "endpoint"
    list_filter = ("endpoint", "period")
    list_select_related = ("endpoint",)
    fields = (("endpoint", "period", "reset_zone"), ("limit_tokens", "limit_nanousd"))


@admin.register(Statement)
class StatementAdmin(ReadOnly, Rows, ModelAdmin[Statement]):
    """What vendors say about their accounts, beside our own ledger."""

    list_display = ("read", "endpoint", "left", "by_vendor", "by_ledger", "drift", "problem")
    list_filter = ("endpoint", "read_at")
    list_select_related = ("endpoint",)

    @column(_("read"), order="read_at")
    def read(self, row: Statement) -> SafeString | str:
        """When the vendor was asked."""
        return moment(row.read_at)

    @column(_("left"))
    def left(self, row: Statement) -> str:
        """What the vendor says is left."""
        return _amount(row.remaining_nano, row.currency)

    @column(_("spent since, by the vendor"))
    def by_vendor(self, row: Statement) -> str:
        """Since the reading before."""
        return _amount(row.vendor_nano, row.currency)

    @column(_("spent since, by our ledger"))
    def by_ledger(self, row: Statement) -> str:
        """Since the reading before."""
        return _amount(row.ledger_nano, row.currency)

    @column(_("drift"), label={"drift": "danger"})
    def drift(self, row: Statement) -> tuple[str, str] | str:
        """How far the two are apart, marked where it is too far."""
        share = drift_share(vendor_nano=row.vendor_nano, ledger_nano=row.ledger_nano)
        if share is None:
            return "–"
        return ("drift" if share > DRIFT_SHARE else "fine", f"{share:.1%}")


def _amount(nano: int | None, currency: str) -> str:
    return "–" if nano is None else f"{nano * NANO:,.4f} {currency}"
