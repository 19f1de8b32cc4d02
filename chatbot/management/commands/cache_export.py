"""Write the served answers with their wordings to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.cache_export import stored_rows
from chatbot.cache_rows import BadFile, kind_of, written


class Command(BaseCommand):
    help = "Write every served answer with its wordings to a CSV or JSON Lines file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Its name ends with .csv or .jsonl.")
        parser.add_argument("--rows", choices=["live", "simulated", "all"], default="all")

    def handle(self, *args: object, **options: Any) -> None:
        path, wanted = options["file"], options["rows"]
        simulated = None if wanted == "all" else wanted == "simulated"
        try:
            kind = kind_of(path.name)
            rows = list(stored_rows(simulated=simulated))
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(written(rows, kind=kind))
        except (BadFile, OSError) as error:
            raise CommandError(str(error)) from error
        wordings = sum(len(row.wordings) for row in rows)
        self.stdout.write(f"{len(rows)} answers with {wordings} wordings written to {path}")
