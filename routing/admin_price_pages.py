"""Two pages beside the list of prices: the price book, and the import with its preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.words import word
from routing.models import Price
from routing.price_book import Entry, book, rates
from routing.price_import import CHANGED, NEW, REFUSED, BadFile, Result, counts, run
from routing.price_words import shown_per_million
from routing.retirement import Retirement, in_words, retirements
from routing.snapshot import load_routing

MOST_BYTES = 1_000_000
SHOWN = 200
STATES = {
    "current": (gettext_lazy("current"), "good"),
    "future": (gettext_lazy("future"), "warn"),
    "past": (gettext_lazy("past"), "plain"),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One price in words."""

    input: str
    cached_input: str
    output: str

    @classmethod
    def of(cls, price: Price) -> Figures:
        """Per million tokens."""
        return cls(
            shown_per_million(price.input_nano_per_token),
            shown_per_million(price.cached_input_nano_per_token),
            shown_per_million(price.output_nano_per_token),
        )


class PricesForm(forms.Form):
    """A file, or the text of one that was looked at before."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    def clean(self) -> dict[str, Any]:
        """Leaves the text of the file in `text`."""
        values = super().clean() or {}
        file = values.get("file")
        if file is not None:
            if file.size > MOST_BYTES:
                raise forms.ValidationError(
                    _("The file is larger than a megabyte: use the command.")
                )
            try:
                values["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise forms.ValidationError(_("The file is not UTF-8.")) from error
        if not values.get("text"):
            raise forms.ValidationError(_("Choose a file."))
        return values


def book_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Current, future and past prices per model, warnings, and the rates."""
    if not request.user.has_perm("routing.view_price"):
        raise PermissionDenied
    now = timezone.now()
    warnings = _warnings(now)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Price book"),
        "entries": [_entry(entry, warnings) for entry in book(today=now.date())],
        "rates": [
            (name, [(one, *STATES[one.state]) for one in rows])
            for name, rows in rates(today=now.date()).items()
        ],
        "may_add": admin.has_add_permission(request),
        "may_import": admin.has_import_permission(request),
        "may_add_rate": request.user.has_perm("routing.add_exchangerate"),
    }
    return TemplateResponse(request, "admin/routing/price_book.html", context)


def import_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """The form; then what each line would do; then, confirmed, it is done and written down."""
    form = PricesForm(request.POST or None, request.FILES or None)
    results: list[Result] = []
    text = ""
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        confirmed = "confirmed" in request.POST
        try:
            results = run(text, today=timezone.now().date(), store=confirmed)
        except BadFile as error:
            form.add_error(None, str(error))
        else:
            if confirmed:
                return _done(admin, request, results)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Import prices"),
        "form": form,
        "text": text,
        "counts": [(word(name), count) for name, count in counts(results)],
        "will_change": any(result.outcome in (NEW, CHANGED) for result in results),
        "results": [
            (result, Figures.of(result.price) if result.price else None)
            for result in sorted(results, key=lambda one: one.outcome != REFUSED)[:SHOWN]
        ],
        "more": max(0, len(results) - SHOWN),
    }
    return TemplateResponse(request, "admin/routing/price_import.html", context)


def _done(admin: Any, request: HttpRequest, results: list[Result]) -> HttpResponse:
    for result in results:
        if result.price is not None and result.outcome == NEW:
            admin.log_addition(request, result.price, _("Imported from a file."))
        elif result.price is not None and result.outcome == CHANGED:
            admin.log_change(request, result.price, _("Changed by an imported file."))
    shown = ", ".join(f"{count} {word(name)}" for name, count in counts(results))
    messages.success(request, _("Imported: %(counts)s.") % {"counts": shown})
    return HttpResponseRedirect(reverse("admin:routing_price_price_book"))


def _entry(entry: Entry, warnings: dict[tuple[str, str], Retirement]) -> dict[str, Any]:
    query = urlencode(
        {
            "endpoint": entry.endpoint_id,
            "model_name": entry.model_name,
            "currency": entry.currency,
        }
    )
    return {
        "entry": entry,
        "warning_words": in_words(warnings.get((entry.endpoint_key, entry.model_name))),
        "add_url": f"{reverse('admin:routing_price_add')}?{query}",
        "prices": [
            (one, *STATES[one.state], Figures.of(one.row))
            for one in entry.prices
            if isinstance(one.row, Price)
        ],
    }


def _warnings(now: Any) -> dict[tuple[str, str], Retirement]:
    """By endpoint key and model name, for the models of the chains."""
    models = {model.id: model for chain in load_routing().chains.values() for model in chain}
    found = retirements(models.values(), now=now).values()
    return {(one.model.endpoint.key, one.model.name): one for one in found}
