"""App registration of the base package."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "base"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the models' names translatable, before the admin builds forms of them."""
        import_module("base.translating").translate_models()
