"""App registration of the cache package."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CacheConfig(AppConfig):
    name = "cache"
    verbose_name = _("Semantic cache")
    default_auto_field = "django.db.models.BigAutoField"
