"""App registration of the chatbot package."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ChatbotConfig(AppConfig):
    name = "chatbot"
    verbose_name = "Conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register system checks and the signals that bump the configuration's revision."""
        import_module("chatbot.checks")
        import_module("chatbot.signals").connect()
