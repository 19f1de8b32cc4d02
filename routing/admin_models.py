"""Endpoints, models and chains in the admin: what may be called, how often, in which order."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from base import env
from base.admin import ModelAdmin, Rows, column, link, list_url
from routing.errors import ConfigurationError
from routing.hosts import check_host
from routing.models import Chain, Endpoint, Model, Price
from routing.retirement import RETIREMENT_NOTICE

KEY_NAME = re.compile(r"[A-Z][A-Z0-9_]*_API_KEY")
ADDRESS_NAME = re.compile(r"[A-Z][A-Z0-9_]*_BASE_URL")
VALIDITY_COLOURS = {
    "answers": "success",
    "ends": "warning",
    "retired": "danger",
    "not yet": "info",
    "disabled": "",
}


def has_key(endpoint: Endpoint) -> bool:
    """Whether the environment holds the endpoint's key; an unreadable key file counts as none."""
    try:
        return bool(env.text(endpoint.key_env))
    except ImproperlyConfigured:
        return False


def address_override(endpoint: Endpoint) -> str:
    """The environment's address, if any; no variable but an address is ever read for this."""
    name = endpoint.base_url_env
    return env.text(name) if ADDRESS_NAME.fullmatch(name) else ""


def validity(model: Model, *, today: date) -> tuple[str, str]:
    """A kind (see VALIDITY_COLOURS) and the words for whether a model answers on `today`."""
    if not (model.enabled and model.endpoint.enabled):
        return "disabled", gettext("disabled")
    if model.valid_from is not None and today < model.valid_from:
        return "not yet", gettext("from %(day)s") % {"day": model.valid_from}
    if model.valid_until is None:
        return "answers", gettext("answers")
    if model.valid_until < today:
        return "retired", gettext("retired on %(day)s") % {"day": model.valid_until}
    if model.valid_until - today <= RETIREMENT_NOTICE:
        days = (model.valid_until - today).days
        said = ngettext("ends in %(days)s day", "ends in %(days)s days", days)
        return "ends", said % {"days": days}
    return "answers", gettext("until %(day)s") % {"day": model.valid_until}


class EndpointForm(forms.ModelForm[Endpoint]):
    """Only variables named like keys may be sent, and only to allowed hosts."""

    class Meta:
        model = Endpoint
        fields = (
            "name",
            "key",
            "kind",
            "currency",
            "enabled",
            "base_url",
            "base_url_env",
            "key_env",
            "account",
            "source",
        )
        error_messages = {
            "base_url": {"invalid": _("Give a plain address: https://host/path, nothing else.")}
        }

    def clean_key_env(self) -> str:
        """The name of a variable, never its value, and never another secret of the site."""
        name = str(self.cleaned_data["key_env"])
        if not KEY_NAME.fullmatch(name):
            message = _("Give the NAME of an environment variable that ends in _API_KEY.")
            raise forms.ValidationError(message)
        return name

    def clean_base_url_env(self) -> str:
        """The name of a variable that holds an address, since its value is shown."""
        name = str(self.cleaned_data["base_url_env"])
        if not ADDRESS_NAME.fullmatch(name):
            message = _("Give the NAME of an environment variable that ends in _BASE_URL.")
            raise forms.ValidationError(message)
        return name

    def clean_base_url(self) -> str:
        """An address that a key may be sent to."""
        address = str(self.cleaned_data["base_url"]).rstrip("/")
        try:
            check_host(
                address,
                settings.UPSTREAM_ALLOWED_HOSTS,
                allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK,
            )
        except ConfigurationError as error:
            raise forms.ValidationError(str(error)) from error
        return address


@admin.register(Endpoint)
class EndpointAdmin(Rows, ModelAdmin[Endpoint]):
    """Addresses that answer. Keys stay in the environment: they are neither shown nor stored."""

    form = EndpointForm
    list_display = (
        "name",
        "kind",
        "key_env",
        "key_set",
        "address",
        "currency",
        "models_link",
        "enabled",
    )
    list_filter = ("kind", "enabled")
    search_fields = ("name", "key")
    fieldsets = (
        (None, {"fields": (("name", "key"), ("kind", "currency"), "enabled")}),
        (_("Address"), {"fields": ("base_url", "base_url_env", "address")}),
        (_("Key"), {"fields": (("key_env", "key_set"), "account")}),
        (_("Where this is known from"), {"fields": ("source",)}),
    )
    readonly_fields = ("key_set", "address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """With their models, for the count."""
        return super().get_queryset(request).prefetch_related("models")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Endpoint | None = None
    ) -> tuple[str, ...]:
        """The key is what calls and prices go by; an address may be the environment's."""
        if obj is None:
            return self.readonly_fields
        fixed = ("key", "base_url") if address_override(obj) else ("key",)
        return (*self.readonly_fields, *fixed)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Endpoint | None = None
    ) -> dict[str, Any]:
        """Only a new endpoint gets its key from its name."""
        return {} if obj is not None else {"key": ("name",)}

    @column(_("key in the environment"), boolean=True)
    def key_set(self, row: Endpoint) -> bool:
        """Yes or no, never the key."""
        return has_key(row)

    @column(_("address in use"))
    def address(self, row: Endpoint) -> str:
        """The environment's address where it is set, else the row's."""
        if not row.pk:
            return "–"
        override = address_override(row)
        if not override:
            return row.base_url
        said = gettext("%(address)s (from %(variable)s)")
        return said % {"address": override, "variable": row.base_url_env}

    @column(_("models"))
    def models_link(self, row: Endpoint) -> SafeString:
        """How many models it serves."""
        return link(len(row.models.all()), list_url("routing_model", endpoint__id__exact=row.pk))


@admin.register(Model)
class ModelAdminPage(Rows, ModelAdmin[Model]):
    """Models with limits, validity and their places in the chains."""

    list_display = (
        "name",
        "endpoint",
        "answers",
        "tiers",
        "requests_per_minute",
        "tokens_per_minute",
        "in_flight",
        "context_tokens",
        "priced",
        "enabled",
    )
    list_filter = ("endpoint", "enabled", "places__tier")
    list_select_related = ("endpoint",)
    search_fields = ("name", "endpoint__name")
    autocomplete_fields = ("endpoint",)
    fieldsets = (
        (None, {"fields": (("endpoint", "name"), ("api_version", "enabled"))}),
        (
            _("Limits that the vendor grants"),
            {
                "description": _("Empty: the vendor states no such limit."),
                "fields": (
                    ("requests_per_minute", "requests_per_day", "in_flight"),
                    (
                        "tokens_per_minute",
                        "input_tokens_per_minute",
                        "output_tokens_per_minute",
                    ),
                ),
            },
        ),
        (
            _("Requests"),
            {
                "fields": (
                    ("context_tokens", "max_output_tokens", "temperature"),
                    "extra_parameters",
                )
            },
        ),
        (_("Validity"), {"fields": (("valid_from", "valid_until"),)}),
        (_("Where this is known from"), {"fields": ("source",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """With chain places and the endpoint's prices."""
        return super().get_queryset(request).prefetch_related("places", "endpoint__prices")

    @column(_("today"), label=VALIDITY_COLOURS)
    def answers(self, row: Model) -> tuple[str, str]:
        """Whether it answers today, with a warning before it retires."""
        return validity(row, today=timezone.now().date())

    @column(_("chains"))
    def tiers(self, row: Model) -> str:
        """The tiers whose chains hold it."""
        return ", ".join(sorted(place.tier for place in row.places.all())) or "–"

    @column(_("price known"), boolean=True)
    def priced(self, row: Model) -> bool:
        """Whether a price of its name is in force at its endpoint."""
        today = timezone.now().date()
        prices: list[Price] = list(row.endpoint.prices.all())
        return any(price.model_name == row.name and price.valid_from <= today for price in prices)


@admin.register(Chain)
class ChainAdmin(Rows, ModelAdmin[Chain]):
    """The order of models per tier; positions are edited in the list."""

    list_display = ("tier", "position", "model", "answers", "key_set", "enabled")
    list_editable = ("position", "enabled")
    list_filter = ("tier", "enabled", "model__endpoint")
    list_select_related = ("model__endpoint",)
    list_per_page = 100
    search_fields = ("model__name",)
    ordering = ("tier", "position", "id")
    autocomplete_fields = ("model",)

    @column(_("today"), label=VALIDITY_COLOURS)
    def answers(self, row: Chain) -> tuple[str, str]:
        """Whether the model answers today."""
        return validity(row.model, today=timezone.now().date())

    @column(_("key in the environment"), boolean=True)
    def key_set(self, row: Chain) -> bool:
        """Whether the endpoint can be called at all."""
        return has_key(row.model.endpoint)
