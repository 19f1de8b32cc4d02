"""Forms and inlines of a rule set's page: editable for a draft, read-only for a published set."""

from __future__ import annotations

from dataclasses import fields as fields_of_dataclass

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import (
    LinesField,
    ReadOnly,
    StackedInline,
    TabularInline,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    column,
)
from routing.classifier import Parameters
from routing.differences import RULE_FIELDS
from routing.models import Example, Rule, RuleSet
from routing.publishing import problems_of_rules
from routing.rule_sets import rule_spec

LANGUAGES = [("", _("every language")), ("en", _("English")), ("zh-hans", _("Chinese"))]
DAYS = [
    ("mon", _("Mon")),
    ("tue", _("Tue")),
    ("wed", _("Wed")),
    ("thu", _("Thu")),
    ("fri", _("Fri")),
    ("sat", _("Sat")),
    ("sun", _("Sun")),
]
LABELS = {
    "position": _("Position"),
    "name": _("Name"),
    "enabled": _("Enabled"),
    "min_characters": _("At least so many characters"),
    "max_characters": _("At most so many characters"),
    "audience": _("Audience"),
    "near_text": _("Near this example"),
    "near_tier": _("Or near an example of"),
    "min_cosine": _("Cosine of at least"),
    "tier": _("Tier"),
    "chain": _("Models of another tier"),
    "prefer_quality": _("High-quality models first"),
    "cache": _("Stored answers"),
    "max_tokens": _("Longest answer in tokens"),
    "to_person": _("Hand to a person"),
    "article": _("Answer with this article"),
}
HELP = {
    "position": _("Rules are tried in this order; the first that matches decides."),
    "audience": _("Whom the answer to the question could serve. Empty: any."),
    "from_time": _("The shop's clock. A window may run past midnight."),
    "near_text": _("A question in your words; what is near enough in meaning matches."),
    "min_cosine": _("Between 0 and 1; bigger is nearer."),
    "tier": _("Empty: the nearest examples say the tier, the rule only what else is done."),
    "chain": _("Budgets and time limits stay those of the tier."),
    "prefer_quality": _("The models of HIGH are asked first, within the tier's budget."),
    "to_person": _("The shopper gets the shop's contact text."),
    "article": _("The key of an article. It is shown as it stands, without a model."),
}
CLOCK = UnfoldAdminTextInputWidget(attrs={"type": "time"})
MOMENT = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
PARAMETER_NAMES = tuple(field.name for field in fields_of_dataclass(Parameters))


class NoteForm(forms.Form):
    """Why something is published, rolled back or switched."""

    note = forms.CharField(
        max_length=300,
        label=_("Note"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("What changes, and why. Colleagues read it in the list of versions."),
    )


class PublishForm(NoteForm):
    """A note, and the window in which the set is in force; in the shop's time zone."""

    starts_at = forms.DateTimeField(required=False, label=_("From"), widget=MOMENT)
    ends_at = forms.DateTimeField(required=False, label=_("Until"), widget=MOMENT)


class RuleForm(forms.ModelForm[Rule]):
    """A rule: what it looks at, then what it does. Lists are written one per line."""

    any_of = LinesField(label=_("Any of these phrases"), help_text=_("One per line."))
    all_of = LinesField(label=_("And all of these"))
    none_of = LinesField(label=_("And none of these"))
    topics = LinesField(label=_("Topics of the best article"), help_text=_("One per line."))
    language = forms.ChoiceField(
        choices=LANGUAGES, required=False, label=_("Language"), widget=UnfoldAdminSelectWidget
    )
    weekdays = forms.MultipleChoiceField(
        choices=DAYS,
        required=False,
        label=_("Weekdays"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    from_time = forms.TimeField(
        required=False, label=_("From"), help_text=HELP["from_time"], widget=CLOCK
    )
    until_time = forms.TimeField(required=False, label=_("Until"), widget=CLOCK)

    class Meta:
        model = Rule
        fields = tuple(name for name in RULE_FIELDS)
        labels = LABELS
        help_texts = HELP


class RuleFormSet(forms.BaseInlineFormSet[Rule, RuleSet, forms.ModelForm[Rule]]):
    """Refuses rules that can never decide, or would decide everything, with the reason."""

    def clean(self) -> None:
        """All enabled rules are judged together: an earlier one may leave a later one nothing."""
        super().clean()
        if any(self.errors):
            return
        rows = [form.instance for form in self.forms if self._stays(form)]
        problems = problems_of_rules([rule_spec(row) for row in rows if row.enabled])
        if problems:
            raise forms.ValidationError(list(problems))

    def _stays(self, form: forms.ModelForm[Rule]) -> bool:
        written = form.has_changed() or form.instance.pk is not None
        return written and not self._should_delete_form(form)  # type: ignore[attr-defined]  # Django's own


class RuleInline(StackedInline[Rule, RuleSet]):
    """The rules of a draft, in order."""

    model = Rule
    form = RuleForm
    formset = RuleFormSet
    extra = 0
    collapsible = True
    fieldsets = (
        (None, {"fields": (("position", "name", "enabled"),)}),
        (_("When the text holds"), {"fields": (("any_of", "all_of", "none_of"),)}),
        (
            _("And"),
            {
                "fields": (
                    ("language", "audience", "min_characters", "max_characters"),
                    ("from_time", "until_time", "weekdays", "topics"),
                    ("near_text", "near_tier", "min_cosine"),
                )
            },
        ),
        (
            _("Then"),
            {
                "fields": (
                    ("tier", "chain", "prefer_quality"),
                    ("cache", "max_tokens"),
                    ("to_person", "article"),
                )
            },
        ),
    )


class ExampleInline(TabularInline[Example, RuleSet]):
    """The examples of a draft, a page at a time."""

    model = Example
    extra = 0
    hide_title = True
    per_page = 25
    fields = ("text", "language", "tier")


class PublishedRuleInline(ReadOnly, TabularInline[Rule, RuleSet]):
    """The rules of a published set."""

    model = Rule
    verbose_name_plural = _("rules, read-only")
    extra = 0
    fields = ("position", "name", "phrases", "surroundings", "then", "enabled")
    readonly_fields = fields
    hide_title = True

    @column(_("phrases"))
    def phrases(self, row: Rule) -> str:
        """All three lists in words."""
        parts = [", ".join(row.any_of)]
        if row.all_of:
            parts.append(gettext("and all of: %(phrases)s") % {"phrases": ", ".join(row.all_of)})
        if row.none_of:
            said = gettext("and none of: %(phrases)s")
            parts.append(said % {"phrases": ", ".join(row.none_of)})
        return "; ".join(part for part in parts if part) or "–"

    @column(_("and"))
    def surroundings(self, row: Rule) -> str:
        """The other predicates in words."""
        spec = rule_spec(row)
        near = ""
        if spec.near:
            values = {"text": row.near_text or row.near_tier, "cosine": f"{row.min_cosine:g}"}
            near = gettext("near “%(text)s” (%(cosine)s)") % values
        return "; ".join(part for part in (spec.surroundings, near) if part) or "–"

    @column(_("then"))
    def then(self, row: Rule) -> str:
        """Tier and actions in words."""
        return "; ".join(
            (row.tier or gettext("tier by examples"), *rule_spec(row).actions.in_words)
        )


class PublishedExampleInline(ReadOnly, ExampleInline):
    """The examples of a published set."""

    verbose_name_plural = _("examples, read-only")
    readonly_fields = ("text", "language", "tier")


class RuleSetForm(forms.ModelForm[RuleSet]):
    """Note and classifier parameters of a draft."""

    class Meta:
        model = RuleSet
        fields = ("note", "parameters")
        widgets = {"parameters": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        help_texts = {
            "parameters": format_lazy(
                _("Any of {names}; what is left out keeps its default."),
                names=", ".join(PARAMETER_NAMES),
            )
        }

    def clean_parameters(self) -> dict[str, float]:
        """Only known names with numbers."""
        values = self.cleaned_data["parameters"] or {}
        if not isinstance(values, dict) or set(values) - set(PARAMETER_NAMES):
            message = gettext("Give an object with any of: %(names)s.")
            raise forms.ValidationError(message % {"names": ", ".join(PARAMETER_NAMES)})
        try:
            Parameters.of(values)
        except (TypeError, ValueError) as error:
            message = gettext("Every parameter must be a number.")
            raise forms.ValidationError(message) from error
        return values
