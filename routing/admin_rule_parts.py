"""Forms and inlines of a rule set's page: editable for a draft, read-only for a published set."""

from __future__ import annotations

from dataclasses import fields as fields_of_dataclass

from django import forms

from base.admin import LinesField, ReadOnly, TabularInline, UnfoldAdminTextareaWidget, column
from routing.classifier import Parameters
from routing.models import Example, Rule, RuleSet

PARAMETER_NAMES = tuple(field.name for field in fields_of_dataclass(Parameters))


class NoteForm(forms.Form):
    """Why a set is published."""

    note = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="What changes, and why. Colleagues read it in the list of versions.",
    )


class RuleForm(forms.ModelForm[Rule]):
    """A rule with its phrases one per line."""

    any_of = LinesField(label="Any of (one per line)")
    all_of = LinesField(label="And all of")
    none_of = LinesField(label="And none of")

    class Meta:
        model = Rule
        fields = (
            "position",
            "name",
            "tier",
            "any_of",
            "all_of",
            "none_of",
            "min_characters",
            "language",
            "enabled",
        )


class RuleInline(TabularInline[Rule, RuleSet]):
    """The rules of a draft, in order."""

    model = Rule
    form = RuleForm
    extra = 0
    hide_title = True
    fields = RuleForm.Meta.fields


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
    verbose_name_plural = "rules, read-only"
    extra = 0
    fields = ("position", "name", "language", "phrases", "min_characters", "tier", "enabled")
    readonly_fields = fields
    hide_title = True

    @column("phrases")
    def phrases(self, row: Rule) -> str:
        """All three lists in words."""
        parts = [", ".join(row.any_of)]
        if row.all_of:
            parts.append(f"and all of: {', '.join(row.all_of)}")
        if row.none_of:
            parts.append(f"and none of: {', '.join(row.none_of)}")
        return "; ".join(part for part in parts if part) or "–"


class PublishedExampleInline(ReadOnly, ExampleInline):
    """The examples of a published set."""

    verbose_name_plural = "examples, read-only"
    readonly_fields = ("text", "language", "tier")


class RuleSetForm(forms.ModelForm[RuleSet]):
    """Note and classifier parameters of a draft."""

    class Meta:
        model = RuleSet
        fields = ("note", "parameters")
        widgets = {"parameters": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        help_texts = {
            "parameters": f"Any of {', '.join(PARAMETER_NAMES)}; what is left out keeps its default."
        }

    def clean_parameters(self) -> dict[str, float]:
        """Only known names with numbers."""
        values = self.cleaned_data["parameters"] or {}
        if not isinstance(values, dict) or set(values) - set(PARAMETER_NAMES):
            message = f"Give an object with any of: {', '.join(PARAMETER_NAMES)}."
            raise forms.ValidationError(message)
        try:
            Parameters.of(values)
        except (TypeError, ValueError) as error:
            message = "Every parameter must be a number."
            raise forms.ValidationError(message) from error
        return values
