"""The forms behind the live board's buttons: every one asks for the reason, which is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import UnfoldAdminTextInputWidget
from routing.models import Model

LIMITS = (
    "requests_per_minute",
    "requests_per_day",
    "tokens_per_minute",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "in_flight",
)
LONGEST_PARKING = timedelta(days=30)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget()
    )


class ParkForm(ReasonForm):
    """Until when, and why."""

    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("In the shop's time zone. It comes back by itself."),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    field_order = ("until", "reason")

    def clean_until(self) -> datetime:
        """A moment within the next days."""
        until: datetime = self.cleaned_data["until"]
        if not timezone.now() < until <= timezone.now() + LONGEST_PARKING:
            message = _("Give a moment within the next 30 days.")
            raise forms.ValidationError(message)
        return until


class LimitsForm(forms.ModelForm[Model]):
    """The limits that the vendor grants, and why they change."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, widget=UnfoldAdminTextInputWidget()
    )

    class Meta:
        model = Model
        fields = LIMITS
        widgets = {
            name: UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}) for name in LIMITS
        }

    def clean(self) -> dict[str, Any]:
        """Nothing is called with a limit of zero: that is what parking is for."""
        values = super().clean() or {}
        for name in LIMITS:
            if values.get(name) == 0:
                self.add_error(
                    name, _("Leave it empty for no limit; to stop calls, park the model.")
                )
        if not self.errors and not self.changes():
            self.add_error(None, _("Nothing is changed."))
        return values

    def changes(self) -> list[tuple[str, Any, Any]]:
        """(field's name in words, old, new) of what differs."""
        return [
            (str(self.fields[name].label), self.initial.get(name), self.cleaned_data.get(name))
            for name in LIMITS
            if self.initial.get(name) != self.cleaned_data.get(name)
        ]
