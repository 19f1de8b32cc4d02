"""Read answers with their wordings from a file; every line is checked and every refusal explained."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cache.embedding import Embedder
from chatbot.cache_checks import Checks
from chatbot.cache_import import CHANGED, NEW, REFUSED, SAME, Importer, Result, embed_with
from chatbot.cache_rows import BadFile, kind_of, read


class Command(BaseCommand):
    help = "Read answers with their wordings from a CSV or JSON Lines file into the cache."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Its name ends with .csv or .jsonl.")
        parser.add_argument("--dry-run", action="store_true", help="Check only, store nothing.")

    def handle(self, *args: object, **options: Any) -> None:
        path = options["file"]
        try:
            lines = list(read(path.read_text(encoding="utf-8"), kind=kind_of(path.name)))
        except (BadFile, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        embedder = Embedder(settings.EMBEDDING_MODEL)
        importer = Importer(
            checks=Checks.load(),
            embed=embed_with(embedder),
            engine_id=embedder.engine_id,
            now=timezone.now(),
            dry_run=options["dry_run"],
        )
        self._tell(importer.run(lines), dry_run=options["dry_run"])

    def _tell(self, results: list[Result], *, dry_run: bool) -> None:
        for result in results:
            if result.outcome == REFUSED:
                self.stdout.write(f"line {result.line}: {'; '.join(result.reasons)}")
        counts = Counter(result.outcome for result in results)
        shown = ", ".join(f"{counts[name]} {name}" for name in (NEW, CHANGED, SAME, REFUSED))
        self.stdout.write(f"{shown}{' (dry run: nothing was stored)' if dry_run else ''}")
        if counts[REFUSED]:
            sys.exit(1)
