"""App registration of the base package."""

from __future__ import annotations

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "base"
    default_auto_field = "django.db.models.BigAutoField"
