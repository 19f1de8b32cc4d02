"""The form that starts a dry run, and the variants that it offers with one click."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from base.admin import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget
from base.words import word
from chatbot.dry_rows import MOST_QUESTIONS, MOST_UPLOAD_BYTES
from chatbot.models import Question
from routing.models import RuleSet
from routing.pricing import typical_nanousd
from routing.specs import ModelSpec, RoutingSnapshot, Tier

USUAL_COUNT = 5_000
MOST_VARIANTS_PER_TIER = 3


@dataclass(frozen=True, slots=True)
class Variant:
    """A tier that asks other models; `value` is what its button sends."""

    value: str
    words: str


class DryRunForm(forms.Form):
    """Which set, which questions, and a variant of the chains."""

    rule_set = forms.TypedChoiceField(
        label=gettext_lazy("Rule set"), coerce=int, widget=UnfoldAdminSelectWidget()
    )
    count = forms.IntegerField(
        label=gettext_lazy("The newest questions"),
        min_value=1,
        max_value=MOST_QUESTIONS,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    rows = forms.ChoiceField(
        label=gettext_lazy("Of the rows"),
        choices=(("live", gettext_lazy("live")), ("simulated", gettext_lazy("simulated"))),
        widget=UnfoldAdminSelectWidget(),
    )
    upload = forms.FileField(label=gettext_lazy("Or a file of questions"), required=False)
    tier = forms.ChoiceField(
        label=gettext_lazy("Try another choice for tier"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    instead = forms.ChoiceField(
        label=gettext_lazy("Models to ask instead"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, *args: Any, routing: RoutingSnapshot, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sets = RuleSet.objects.order_by("state", "-version")[:30]
        none = ("", _("as the chains stand"))
        fields = {
            "rule_set": [(row.pk, _set_words(row)) for row in sets],
            "tier": [none, *((tier.value, tier.value) for tier in Tier)],
            "instead": [none, *_instead(routing)],
        }
        for name, choices in fields.items():
            field: Any = self.fields[name]
            field.choices = choices
            field.widget.choices = choices
        self.fields["upload"].widget.attrs["accept"] = ".csv"

    def clean_upload(self) -> Any:
        """At most MOST_UPLOAD_BYTES."""
        upload = self.cleaned_data["upload"]
        if upload is not None and upload.size > MOST_UPLOAD_BYTES:
            most = {"most": MOST_UPLOAD_BYTES // 1_000_000}
            raise forms.ValidationError(_("That is more than %(most)s MB.") % most)
        return upload

    def clean(self) -> dict[str, Any]:
        """A variant needs both halves."""
        values = super().clean() or {}
        if bool(values.get("tier")) != bool(values.get("instead")):
            self.add_error("instead", _("Choose the tier and what it would ask, or neither."))
        return values


def initial(rule_set_id: str, *, simulated_site: bool) -> dict[str, Any]:
    """What the form begins with: the live rows if there are any."""
    live = Question.objects.filter(simulated=False).exists() or not simulated_site
    rows = "live" if live else "simulated"
    return {"rule_set": rule_set_id, "count": USUAL_COUNT, "rows": rows}


def variants(routing: RoutingSnapshot, *, today: Any) -> list[Variant]:
    """Per tier: the cheapest model for a typical call, then the first models of the other tiers."""
    models = {model.id: model for chain in routing.chains.values() for model in chain}
    today_models = [model for model in models.values() if model.valid_on(today)]
    costs = {
        model.id: cost
        for model in today_models
        if (cost := typical_nanousd(routing, model, day=today)) is not None
    }
    cheapest = min(
        (model for model in today_models if model.id in costs),
        key=lambda model: (costs[model.id], model.label),
        default=None,
    )
    found = []
    for tier in Tier:
        firsts = [_first(routing.chains[other], today) for other in Tier]
        own = _first(routing.chains[tier], today)
        wanted = {model.id: model for model in (cheapest, *firsts) if model is not None}
        names = [model for model in wanted.values() if own is not None and model.id != own.id]
        found += [
            Variant(f"{tier.value}|model:{model.id}", f"{tier.value} → {model.label}")
            for model in names[:MOST_VARIANTS_PER_TIER]
        ]
    return found


def _first(chain: tuple[ModelSpec, ...], today: Any) -> ModelSpec | None:
    return next((model for model in chain if model.valid_on(today)), None)


def _instead(routing: RoutingSnapshot) -> list[tuple[str, str]]:
    models = {model.id: model for chain in routing.chains.values() for model in chain}
    tiers = [(f"tier:{tier.value}", _("the models of %(tier)s") % {"tier": tier}) for tier in Tier]
    ordered = sorted(models.values(), key=lambda model: model.label)
    return [*tiers, *((f"model:{model.id}", model.label) for model in ordered)]


def _set_words(row: RuleSet) -> str:
    words = _("Version %(version)s (%(state)s)") % {
        "version": row.version,
        "state": word(row.state),
    }
    return f"{words} {row.note[:60]}".strip()
