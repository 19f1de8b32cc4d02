"""Read dated prices from a CSV file; every line is checked and every refusal explained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing.price_import import REFUSED, BadFile, counts, run


class Command(BaseCommand):
    help = "Read dated prices from a CSV file into the price book."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="A CSV file with a line of column names.")
        parser.add_argument("--dry-run", action="store_true", help="Check only, store nothing.")

    def handle(self, *args: object, **options: Any) -> None:
        dry_run = options["dry_run"]
        try:
            text = options["path"].read_text(encoding="utf-8")
            results = run(text, today=timezone.now().date(), store=not dry_run)
        except (BadFile, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        for result in results:
            if result.outcome == REFUSED:
                self.stdout.write(f"line {result.line}: {result.reason}")
        found = counts(results)
        shown = ", ".join(f"{count} {name}" for name, count in found)
        self.stdout.write(f"{shown}{' (dry run: nothing was stored)' if dry_run else ''}")
        if dict(found)[REFUSED]:
            sys.exit(1)
