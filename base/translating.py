"""Names of models and fields in the reader's language.

Their English names come from the code, often by Django's own rule (`engine_id` is "engine id"). They are made
translatable in place after all models are loaded, so that no migration has to repeat them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_lazy

from base.words import WORDS

OURS = ("base", "cache", "routing", "chatbot")


def translate_models() -> None:
    """Make names, help texts and choices of every model of ours lazy translations of what they are."""
    for model in _models():
        meta: Any = model._meta
        meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        meta.verbose_name = gettext_lazy(str(meta.verbose_name))
        for field in _fields(model):
            field.verbose_name = gettext_lazy(str(field.verbose_name))
            if field.help_text:
                field.help_text = gettext_lazy(str(field.help_text))
            if field.choices:
                field.choices = [(value, _name(value, name)) for value, name in field.choices]


def _name(value: Any, name: Any) -> Any:
    """A code's word; a name that is more than its code is translated itself."""
    named = WORDS.get(value)
    # Another English word would ask for a migration.
    return named if named is not None and str(named) == name else gettext_lazy(str(name))


def _models() -> Iterable[type[Model]]:
    return (model for model in apps.get_models() if model._meta.app_label in OURS)


def _fields(model: type[Model]) -> list[Any]:
    return list(model._meta.local_fields)
