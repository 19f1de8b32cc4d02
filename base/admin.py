"""What every list and page of the admin shares. Together with the other `admin` modules this is the
only place that knows the interface library (unfold); the rest of the product does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet, TextField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise
from unfold import admin as unfold_admin  # type: ignore[import-untyped]  # ships no types
from unfold.decorators import action as unfold_action  # type: ignore[import-untyped]  # ships no types
from unfold.forms import (  # type: ignore[import-untyped]  # ships no types
    AdminPasswordChangeForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.paginator import InfinitePaginator  # type: ignore[import-untyped]  # ships no types
from unfold.widgets import (  # type: ignore[import-untyped]  # ships no types
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from base.admin_texts import LongText
from base.audit import with_values
from base.words import Coloured, word

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django_stubs_ext import StrOrPromise

    UncountedPaginator = Paginator[Any]
else:

    class _Generic:
        """Lets a class be written with its row type, as the type checker wants it."""

        def __class_getitem__(cls, _):
            return cls

    class ModelAdmin(_Generic, unfold_admin.ModelAdmin):
        """An admin page in the library's look; what it changes is logged with old and new values."""

        formfield_overrides: ClassVar = {TextField: {"form_class": LongText}}

        def construct_change_message(self, request, form, formsets, add=False):  # noqa: FBT002  Django's own call
            """Django's message with the values beside the names of the fields."""
            message = super().construct_change_message(request, form, formsets, add)
            return with_values(message, form, formsets or (), add=add)

        def get_list_display(self, request):
            """The columns without those that the user has no right to; see `Rows`."""
            rights, may = getattr(self, "column_rights", {}), request.user.has_perm
            shown = super().get_list_display(request)
            return [one for one in shown if one not in rights or may(rights[one])]

        def lookup_allowed(self, lookup, value, request):
            """Nobody finds out by filters what the columns do not show."""
            right = getattr(self, "field_rights", {}).get(lookup.partition("__")[0])
            refused = right is not None and not request.user.has_perm(right)
            return not refused and super().lookup_allowed(lookup, value, request)

    class TabularInline(_Generic, unfold_admin.TabularInline):
        """Rows of another table as a table."""

    class StackedInline(_Generic, unfold_admin.StackedInline):
        """Rows of another table one below the other."""

    UncountedPaginator = InfinitePaginator

__all__ = [
    "AdminPasswordChangeForm",
    "ModelAdmin",
    "StackedInline",
    "TabularInline",
    "UncountedPaginator",
    "UnfoldAdminCheckboxSelectMultipleWidget",
    "UnfoldAdminDecimalFieldWidget",
    "UnfoldAdminSelectWidget",
    "UnfoldAdminTextInputWidget",
    "UnfoldAdminTextareaWidget",
    "UserChangeForm",
    "UserCreationForm",
]

F = TypeVar("F", bound=Callable[..., Any])
PAGE_ROWS = 50


class Rows:
    """How every list is shown: a full-width page of PAGE_ROWS rows, without a second count."""

    list_per_page: ClassVar[int] = PAGE_ROWS
    list_fullwidth = True
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_filter_sheet = True
    # What only some may see: column -> right, and field -> right for filters in the address.
    column_rights: ClassVar[Mapping[str, str]] = {}
    field_rights: ClassVar[Mapping[str, str]] = {}


class ManyRows(Rows):
    """A list of a table that grows without end: never counted, never acted on as a whole."""

    paginator: Any = UncountedPaginator
    list_disable_select_all = True


class ReadOnly:
    """Rows that the product writes and nobody edits."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False


def column(
    description: StrOrPromise,
    *,
    order: str | None = None,
    label: dict[str, str] | None = None,
    boolean: bool = False,
) -> Callable[[F], F]:
    """Mark a method as a column. `label`: value -> success, info, warning or danger."""

    def mark(method: F) -> F:
        if label is not None:
            method = _in_words(method)
        marked: Any = method  # Django reads these attributes of a plain function
        marked.short_description = description
        if order is not None:
            marked.admin_order_field = order
        if label is not None:
            marked.label = label
        if boolean:
            marked.boolean = True
        return method

    return mark


def _in_words(method: F) -> F:
    """The method's code with the word for it: the code chooses the colour."""

    @wraps(method)
    def shown(self: Any, row: Any) -> Any:
        value = method(self, row)
        return Coloured((value, word(value)) if isinstance(value, str) else value)

    return cast("F", shown)


def page_action(
    description: StrOrPromise, *, path: str, permission: str, icon: str
) -> Callable[[F], F]:
    """Mark a method as a page behind a button, for those with `has_<permission>_permission`."""
    marked: Callable[[F], F] = unfold_action(
        description=description, url_path=path, permissions=[permission], icon=icon
    )
    return marked


def link(text: object, url: str) -> SafeString:
    """An anchor in the admin's look."""
    return format_html('<a class="bw-link" href="{}">{}</a>', url, text)


def row_url(model: str, pk: object) -> str:
    """Address of a row's page; `model` is `app_model`."""
    return reverse(f"admin:{model}_change", args=[pk])


def row_link(model: str, pk: object, text: object) -> SafeString:
    """An anchor to a row's page; `model` is `app_model`."""
    return link(text, row_url(model, pk))


@cache
def _list_path(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def list_url(model: str, /, **filters: object) -> str:
    """Address of a list with filters set; `model` is `app_model`."""
    query = urlencode({name: str(value) for name, value in filters.items()})
    return _list_path(model) + (f"?{query}" if query else "")


def milliseconds(value: float | None) -> SafeString | str:
    """A duration on one line: 53 ms, 5,415 ms."""
    if value is None:
        return "–"
    return format_html('<span class="bw-once">{} ms</span>', f"{value:,.0f}")


def wide(text: object) -> SafeString:
    """A column that keeps room for a sentence."""
    return format_html('<span class="bw-wide">{}</span>', text)


def shortened(text: str, *, limit: int = 90) -> str:
    """A text in one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


class SimulatedMark:
    """A column that says whether a row belongs to the live shop or to the simulator."""

    @column(_("rows"), order="simulated", label={"simulated": "warning", "live": ""})
    def mode(self, row: Any) -> tuple[str, str]:
        """`live` or `simulated`, and its word: an answer that is live is something else."""
        return ("simulated", gettext("Simulated")) if row.simulated else ("live", gettext("Live"))


class ValueFilter(admin.SimpleListFilter):
    """A filter over fixed values of one text field, without reading the table for them."""

    values: Sequence[str] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The values as they are stored; `-` stands for empty."""
        return [(value, word(value)) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows with the chosen value."""
        chosen = self.value()
        if chosen is None:
            return queryset
        return queryset.filter(**{str(self.parameter_name): "" if chosen == "-" else chosen})


def value_filter(field: str, values: Iterable[str], *, title: StrOrPromise) -> type[ValueFilter]:
    """A ValueFilter class for `field`; its parameter in the address is the field's name."""
    attributes = {
        "title": title,
        "parameter_name": field,
        "values": tuple(values),
    }
    return type(f"{field.title()}Filter", (ValueFilter,), attributes)


class LinesField(forms.Field):
    """A list of texts, one per line."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The stored list as lines."""
        return "\n".join(str(item) for item in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The lines that hold something, without blanks around them."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as lists: blanks and empty lines change nothing."""
        return self.to_python(self.prepare_value(initial)) != self.to_python(data)


def fields_of(model: type[Model], *, without: Iterable[str] = ()) -> list[str]:
    """Names of all own columns, in order; for pages that show a row as it is."""
    left_out = set(without)
    return [field.name for field in model._meta.fields if field.name not in left_out]
