"""The form of a site: its texts per language, its zone, currency and origins, each with what it is for."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from base.admin import LinesField
from chatbot.admin_freshness import DaysField
from chatbot.admin_locales import PerLocaleField
from chatbot.models import Site


class SiteForm(forms.ModelForm[Site]):
    """A site's texts per language."""

    name = PerLocaleField(
        label=_("Name"),
        required=True,
        help_text=_("At the top of the chat, and in every prompt to a model."),
    )
    greeting = PerLocaleField(
        label=_("Greeting"),
        rows=2,
        help_text=_("The first words on the chat page. Empty: a greeting of the product."),
    )
    suggestions = PerLocaleField(
        label=_("Suggestions"),
        lines=True,
        rows=4,
        help_text=_(
            "Buttons under the greeting, one question per line. Empty: typical questions of your articles."
        ),
    )
    contact = PerLocaleField(
        label=_("Contact"),
        rows=2,
        help_text=_(
            "A sentence that says how to reach a person. It is shown beside the chat and whenever "
            "the assistant cannot help."
        ),
    )
    hours = PerLocaleField(
        label=_("Hours"),
        help_text=_("When people answer, like Mon-Fri 9:00-17:00 (CET). Under the contact."),
    )
    tone = PerLocaleField(
        label=_("Tone"),
        rows=2,
        help_text=_("How answers should sound, in a sentence; part of every prompt."),
    )
    locales = LinesField(
        label=_("Locales"),
        rows=2,
        required=True,
        help_text=_("en and zh-hans, one per line, the main one first."),
    )
    answer_days = DaysField()
    allowed_origins = LinesField(
        label=_("Allowed origins"),
        help_text=_(
            "Pages that open the chat's connection by themselves: one origin per line, like https://shop.example."
        ),
    )

    class Meta:
        model = Site
        fields = (
            "key",
            "name",
            "greeting",
            "suggestions",
            "contact",
            "hours",
            "tone",
            "answer_days",
            "allowed_origins",
            "locales",
            "time_zone",
            "currency",
            "max_wrong_percent_en",
            "max_wrong_percent_zh",
        )
        help_texts: ClassVar = {
            "time_zone": _("A zone of the IANA database, such as Europe/Berlin. Days begin in it."),
            "currency": _("Three letters, such as EUR: the currency that your articles speak of."),
        }

    def clean_currency(self) -> str:
        """A code of three letters."""
        code = str(self.cleaned_data["currency"]).strip().upper()
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            message = _("Give the three letters of a currency, such as EUR.")
            raise forms.ValidationError(message)
        return code

    def clean_locales(self) -> list[str]:
        """Languages that the product speaks."""
        locales: list[str] = self.cleaned_data["locales"]
        unknown = [locale for locale in locales if locale not in ("en", "zh-hans")]
        if unknown:
            message = _("The chat speaks en and zh-hans, not %(names)s.")
            raise forms.ValidationError(message, params={"names": ", ".join(unknown)})
        return list(dict.fromkeys(locales))

    def clean_time_zone(self) -> str:
        """A zone of the IANA database."""
        name = str(self.cleaned_data["time_zone"])
        if name not in available_timezones():
            message = _("Give a zone of the IANA database, such as Asia/Shanghai.")
            raise forms.ValidationError(message)
        return name

    def clean_allowed_origins(self) -> list[str]:
        """Origins: scheme and host, nothing after it."""
        origins: list[str] = self.cleaned_data["allowed_origins"]
        for origin in origins:
            parts = urlsplit(origin)
            if (
                parts.scheme not in ("http", "https")
                or not parts.netloc
                or parts.path
                or parts.query
            ):
                message = _(
                    "%(origin)s is no origin: give scheme and host, like https://shop.example."
                )
                raise forms.ValidationError(message, params={"origin": origin})
        return origins
