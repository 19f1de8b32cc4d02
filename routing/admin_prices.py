"""Prices and exchange rates in the admin; prices are per million tokens, as vendors quote them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import ModelAdmin, Rows, UnfoldAdminDecimalFieldWidget, column, page_action
from routing.admin_price_pages import book_page, import_page
from routing.models import ExchangeRate, Price
from routing.price_book import is_booked, problem_with, rate_is_booked
from routing.price_words import NANO_PER_TOKEN, per_million, shown_per_million

MAX_DECIMALS = 3


class PerMillionField(forms.DecimalField):
    """Units per million tokens for people, nano-units per token for rows; converts exactly."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "0.001", "min": "0"})
        super().__init__(
            min_value=0, max_digits=12, decimal_places=MAX_DECIMALS, widget=widget, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        """A stored integer as a price; what was typed stays as typed."""
        return shown_per_million(value).replace(",", "") if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Nano-units per token. More than three decimals cannot be stored and are refused."""
        price = super().clean(value)
        return None if price is None else int(price * NANO_PER_TOKEN)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as numbers, so that 0.3 and 0.30 are the same."""
        return super().has_changed(
            per_million(initial) if isinstance(initial, int) else initial, data
        )


class PriceForm(forms.ModelForm[Price]):
    """A dated price."""

    input_nano_per_token = PerMillionField(label=gettext_lazy("Input, per million tokens"))
    cached_input_nano_per_token = PerMillionField(
        label=gettext_lazy("Cached input, per million tokens")
    )
    output_nano_per_token = PerMillionField(label=gettext_lazy("Output, per million tokens"))

    class Meta:
        model = Price
        fields = (
            "endpoint",
            "model_name",
            "valid_from",
            "currency",
            "input_nano_per_token",
            "cached_input_nano_per_token",
            "output_nano_per_token",
            "source",
        )

    def clean(self) -> dict[str, Any]:
        """What calls were booked with does not change, not even by a price slipped in before today."""
        values = super().clean() or {}
        if not self.errors:
            price = Price(pk=self.instance.pk, **{name: values[name] for name in self.Meta.fields})
            problem = problem_with(price, today=timezone.now().date())
            if problem:
                raise forms.ValidationError(problem)
        return values


class RateForm(forms.ModelForm[ExchangeRate]):
    """A dated rate."""

    class Meta:
        model = ExchangeRate
        fields = ("currency", "valid_from", "usd_per_unit", "source")

    def clean(self) -> dict[str, Any]:
        """A rate that calls were booked with keeps its figure and its day."""
        values = super().clean() or {}
        fixed = {"currency", "valid_from", "usd_per_unit"}
        touched = self.instance.pk and fixed & set(self.changed_data)
        if touched and rate_is_booked(ExchangeRate.objects.get(pk=self.instance.pk)):
            message = _("Calls were booked with this rate, so it cannot change. Add a new one.")
            raise forms.ValidationError(message)
        return values


@admin.register(Price)
class PriceAdmin(Rows, ModelAdmin[Price]):
    """Dated list prices. Calls keep the price they were charged at; a new price is a new row."""

    form = PriceForm
    actions_list = ("price_book", "import_prices")
    list_display = (
        "model_name",
        "endpoint",
        "valid_from",
        "input_price",
        "cached_price",
        "output_price",
        "currency",
        "source",
    )
    list_filter = ("endpoint", "currency", "valid_from")
    list_select_related = ("endpoint",)
    search_fields = ("model_name", "endpoint__name")
    autocomplete_fields = ("endpoint",)
    fieldsets = (
        (None, {"fields": (("endpoint", "model_name"), ("valid_from", "currency"))}),
        (
            gettext_lazy("Price per million tokens"),
            {
                "fields": (
                    (
                        "input_nano_per_token",
                        "cached_input_nano_per_token",
                        "output_nano_per_token",
                    ),
                )
            },
        ),
        (gettext_lazy("Where this is known from"), {"fields": ("source",)}),
    )

    @page_action(gettext_lazy("Price book"), path="book", permission="view", icon="menu_book")
    def price_book(self, request: HttpRequest) -> HttpResponse:
        """Every price by model: current, future and past, with the rates."""
        return book_page(self, request)

    @page_action(gettext_lazy("Import"), path="import", permission="import", icon="upload")
    def import_prices(self, request: HttpRequest) -> HttpResponse:
        """Check a file of prices, show what it would change, and store it when told."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        return import_page(self, request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Importing has a right of its own."""
        return request.user.has_perm("routing.import_price")

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        """A price that calls were booked with stays."""
        return super().has_delete_permission(request, obj) and (obj is None or not is_booked(obj))

    @column(gettext_lazy("input / million"), order="input_nano_per_token")
    def input_price(self, row: Price) -> str:
        """Per million input tokens."""
        return shown_per_million(row.input_nano_per_token)

    @column(gettext_lazy("cached input / million"), order="cached_input_nano_per_token")
    def cached_price(self, row: Price) -> str:
        """Per million input tokens that the vendor had cached."""
        return shown_per_million(row.cached_input_nano_per_token)

    @column(gettext_lazy("output / million"), order="output_nano_per_token")
    def output_price(self, row: Price) -> str:
        """Per million output tokens."""
        return shown_per_million(row.output_nano_per_token)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(Rows, ModelAdmin[ExchangeRate]):
    """US dollars per unit of a currency, dated."""

    form = RateForm
    list_display = ("currency", "valid_from", "usd_per_unit", "source")
    list_filter = ("currency",)
    fields = (("currency", "valid_from", "usd_per_unit"), "source")

    def has_delete_permission(self, request: HttpRequest, obj: ExchangeRate | None = None) -> bool:
        """A rate that calls were booked with stays."""
        return super().has_delete_permission(request, obj) and (
            obj is None or not rate_is_booked(obj)
        )
