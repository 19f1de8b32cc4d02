"""Insert the demo shop: articles, products, models, prices, chains, rules."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from chatbot.seeding import seed


class Command(BaseCommand):
    help = "Insert the demo shop's rows that are missing; rows that exist are left as they are."
    requires_system_checks = ()

    def handle(self, *args: object, **options: object) -> None:
        made = {name: count for name, count in seed().items() if count}
        summary = ", ".join(f"{count} {name}" for name, count in made.items())
        self.stdout.write(f"demo shop: {summary or 'everything is there already'}")
