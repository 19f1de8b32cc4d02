"""App registration of the chatbot package."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatbotConfig(AppConfig):
    name = "chatbot"
    verbose_name = _("Conversations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks, the signals that bump the configuration's revision, and what rules may name."""
        import_module("chatbot.checks")
        import_module("chatbot.signals").connect()
        import_module("routing.publishing").SURROUNDINGS.known = import_module(
            "chatbot.naming"
        ).ShopNames()
