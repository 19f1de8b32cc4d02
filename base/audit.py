"""What is written about a change: who, when, which row, which fields, and each field's old and new value.

Everything stands in Django's `LogEntry`; the values are an addition to its message that Django itself ignores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db.models import Model
from django.utils.text import Truncator
from django.utils.translation import override

MOST_CHARACTERS = 300
SECRET = ("password", "password1", "password2", "usable_password")


def note(rows: Iterable[Model], message: str, *, user: Any) -> None:
    """Write that `user` changed each of the rows, in one statement."""
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type=get_content_type_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row)[:200],
            action_flag=CHANGE,
            change_message=message,
        )
        for row in rows
    )


def with_values(message: list[Any], form: Any, formsets: Iterable[Any], *, add: bool) -> list[Any]:
    """Django's change message with `values` in each of its `changed` parts: [field, old, new].

    Secrets are named, never shown; long texts are cut at MOST_CHARACTERS.
    """
    forms = [form] if form is not None and not add and form.changed_data else []
    forms += [one for formset in formsets for one in _changed_forms(formset)]
    # Labels are kept as they are written in the code, and translated for whoever reads them.
    with override(None):
        return _filled(message, forms)


def _filled(message: list[Any], forms: list[Any]) -> list[Any]:
    parts = [part["changed"] for part in message if isinstance(part, dict) and "changed" in part]
    for part, one in zip(parts, forms, strict=False):
        part["values"] = [_values(one, name) for name in one.changed_data]
    return message


def values_of(message: str) -> list[tuple[str, str, str]]:
    """(field, old, new) of a stored message; empty where none were kept."""
    try:
        parts = json.loads(message) if message.startswith("[") else []
    except ValueError:
        return []
    return [
        (str(name), str(old), str(new))
        for part in parts
        if isinstance(part, dict)
        for name, old, new in (part.get("changed") or {}).get("values", ())
    ]


def _changed_forms(formset: Any) -> list[Any]:
    """In the order in which Django tells of changed rows."""
    changed = {id(row) for row, _ in formset.changed_objects}
    return [one for one in formset.forms if id(one.instance) in changed]


def _values(form: Any, name: str) -> list[str]:
    field = form.fields.get(name)
    label = str(field.label or name) if field is not None else name
    if name in SECRET:
        return [label, "…", "…"]
    old = form.get_initial_for_field(field, name) if field is not None else None
    return [label, shown(old, field), shown(form.cleaned_data.get(name), field)]


def shown(value: Any, field: Any = None) -> str:
    """A value as staff read it, on at most MOST_CHARACTERS."""
    queryset = getattr(field, "queryset", None)
    if queryset is not None and value is not None and not isinstance(value, Model):
        value = _named(value, queryset)
    elif field is not None and value is not None:
        # As it stood in the form: dollars, not nano-dollars.
        value = field.prepare_value(value)
    if value is None or value == "":
        return "–"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return Truncator(" ".join(str(value).split())).chars(MOST_CHARACTERS)


def _named(value: Any, queryset: Any) -> Any:
    """Rows by name in place of their keys."""
    if isinstance(value, list | tuple | set) or hasattr(value, "all"):
        rows = list(value.all() if hasattr(value, "all") else value)
        keys = [getattr(row, "pk", row) for row in rows]
        return ", ".join(sorted(str(row) for row in queryset.filter(pk__in=keys)))
    return queryset.filter(pk=value).first() or value
