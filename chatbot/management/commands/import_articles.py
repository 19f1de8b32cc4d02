"""Articles from a file or a folder: what would happen is shown first, then asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatbot.management.importing import run
from chatbot.models import ShopFile


class Command(BaseCommand):
    help = "Import articles from a CSV file, a Markdown file, or a zip or folder of Markdown files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--check", action="store_true", help="Show only, store nothing.")
        parser.add_argument("--yes", action="store_true", help="Store without asking.")

    def handle(self, *args: object, **options: Any) -> None:
        run(
            self,
            options["path"],
            kind=ShopFile.ARTICLES,
            check=options["check"],
            yes=options["yes"],
        )
