"""The demo shop: is it there, take it away, bring it back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chatbot import demo_shop
from chatbot.demo_shop import Removal
from chatbot.models import Site


class Command(BaseCommand):
    help = "Take the demo shop away or bring it back; without an option, say what would go."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--remove", action="store_true", help="Take it away, for good.")
        way.add_argument("--add", action="store_true", help="Bring it back.")

    def handle(self, *args: object, **options: Any) -> None:
        try:
            self._run(remove=options["remove"], add=options["add"])
        except Site.DoesNotExist as error:
            message = "there is no site yet: run `manage.py prepare` first"
            raise CommandError(message) from error

    def _run(self, *, remove: bool, add: bool) -> None:
        if add:
            made = {name: count for name, count in demo_shop.add().items() if count}
            summary = ", ".join(f"{count} {name}" for name, count in made.items())
            self.stdout.write(f"added: {summary or 'everything is there already'}")
        elif remove:
            self._tell("removed", demo_shop.remove(now=timezone.now(), by=None))
        else:
            self._tell("would go with --remove", demo_shop.removal())

    def _tell(self, what: str, found: Removal) -> None:
        counts = [f"{count:,} {name}" for name, count in found.counts.items() if count]
        self.stdout.write(f"{what}: {', '.join(counts) or 'nothing, the demo shop is not here'}")
        for kept in found.kept:
            self.stdout.write(f"kept, because staff changed it: {kept}")
