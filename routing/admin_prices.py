"""Prices and exchange rates in the admin; prices are per million tokens, as vendors quote them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin

from base.admin import ModelAdmin, Rows, UnfoldAdminDecimalFieldWidget, column
from routing.models import ExchangeRate, Price

# 1.00 per million tokens is 1e-6 per token, which is 1,000 nano-units.
NANO_PER_TOKEN = Decimal(1_000)
MAX_DECIMALS = 3


def per_million(nano_per_token: int) -> Decimal:
    """Nano-units per token as units per million tokens, exact: 300 -> 0.30."""
    return (Decimal(nano_per_token) / NANO_PER_TOKEN).quantize(Decimal("0.001"))


def shown_per_million(nano_per_token: int) -> str:
    """The price per million with two or three decimals."""
    text = f"{per_million(nano_per_token):,f}"
    return text.removesuffix("0")


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

    input_nano_per_token = PerMillionField(label="Input, per million tokens")
    cached_input_nano_per_token = PerMillionField(label="Cached input, per million tokens")
    output_nano_per_token = PerMillionField(label="Output, per million tokens")

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


@admin.register(Price)
class PriceAdmin(Rows, ModelAdmin[Price]):
    """Dated list prices. Calls keep the price they were charged at; a new price is a new row."""

    form = PriceForm
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
            "Price per million tokens",
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
        ("Where this is known from", {"fields": ("source",)}),
    )

    @column("input / million", order="input_nano_per_token")
    def input_price(self, row: Price) -> str:
        """Per million input tokens."""
        return shown_per_million(row.input_nano_per_token)

    @column("cached input / million", order="cached_input_nano_per_token")
    def cached_price(self, row: Price) -> str:
        """Per million input tokens that the vendor had cached."""
        return shown_per_million(row.cached_input_nano_per_token)

    @column("output / million", order="output_nano_per_token")
    def output_price(self, row: Price) -> str:
        """Per million output tokens."""
        return shown_per_million(row.output_nano_per_token)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(Rows, ModelAdmin[ExchangeRate]):
    """US dollars per unit of a currency, dated."""

    list_display = ("currency", "valid_from", "usd_per_unit", "source")
    list_filter = ("currency",)
    fields = (("currency", "valid_from", "usd_per_unit"), "source")
