"""What `import_articles` and `import_products` share: the preview, the question, and storing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from chatbot.cache_rows import BadFile
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Site
from chatbot.shop_files import documents_at
from chatbot.shop_import import PROBLEM, SAME, Planned, counted, plan, store


def run(command: BaseCommand, path: Path, *, kind: str, check: bool, yes: bool) -> None:
    """Show what the file would do; store it when told to. Ends with 1 when a line has a problem."""
    try:
        site = Site.objects.get(key=DEFAULT_SITE_KEY)
        planned = plan(kind, documents_at(path), site=site, now=timezone.now())
    except Site.DoesNotExist as error:
        message = "there is no site yet: run `manage.py prepare` first"
        raise CommandError(message) from error
    except (BadFile, OSError) as error:
        raise CommandError(str(error)) from error
    _show(command, planned)
    if any(item.row is not None for item in planned) and not check:
        if yes or _confirmed(command):
            stored = store(planned, by=None, source=path.name)
            command.stdout.write(f"stored: {stored}")
        else:
            command.stdout.write("nothing was stored (--yes stores without asking)")
    if any(item.outcome == PROBLEM for item in planned):
        sys.exit(1)


def _show(command: BaseCommand, planned: list[Planned]) -> None:
    for item in planned:
        if item.outcome != SAME:
            details = "; ".join(item.details)
            command.stdout.write(f"{item.place}  {item.outcome}  {item.label}  {details}")
    command.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in counted(planned)))


def _confirmed(command: BaseCommand) -> bool:
    """Asked on a terminal only."""
    if not sys.stdin.isatty():
        return False
    command.stdout.write("Store this? [y/N] ", ending="")
    command.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


class ImportCommand(BaseCommand):
    """A command that imports one kind of file; a subclass says which `kind` of `ShopFile`."""

    kind: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--check", action="store_true", help="Show only, store nothing.")
        parser.add_argument("--yes", action="store_true", help="Store without asking.")

    def handle(self, *args: object, **options: Any) -> None:
        run(self, options["path"], kind=self.kind, check=options["check"], yes=options["yes"])
