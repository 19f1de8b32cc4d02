"""Insert the demo shop: articles, products, models, prices, chains, rules."""

from __future__ import annotations

from django.core.management.base import BaseCommand
from django.utils import timezone

from base import env
from chatbot.demo_history_rows import insert_history
from chatbot.seeding import seed


class Command(BaseCommand):
    help = "Insert the demo shop's rows that are missing; rows that exist are left as they are."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        made = {name: count for name, count in seed().items() if count}
        summary = ", ".join(f"{count} {name}" for name, count in made.items())
        self.stdout.write(f"demo shop: {summary or 'everything is there already'}")
        if not any(env.text(name) for name in env.KEY_NAMES):
            self._history()

    def _history(self) -> None:
        """Only without a key, where everything is simulated anyway."""
        questions = insert_history(now=timezone.now())
        if questions:
            self.stdout.write(f"demo history: {questions:,} questions of 14 days, marked simulated")
