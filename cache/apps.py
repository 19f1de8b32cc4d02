"""App registration of the cache package."""

from __future__ import annotations

from django.apps import AppConfig


class CacheConfig(AppConfig):
    name = "cache"
    verbose_name = "Semantic cache"
    default_auto_field = "django.db.models.BigAutoField"
