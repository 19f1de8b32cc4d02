"""How well the classifier finds the tier of labelled questions, as JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from base.text import Language
from cache.embedding import Embedder
from chatbot.vectorising import MAX_UNKNOWN_SHARE
from routing.evaluating import Labelled, evaluate
from routing.rule_sets import built_in_specs
from routing.specs import Tier

FILES: dict[str, Language] = {"routing_en.csv": "en", "routing_zh.csv": "zh-hans"}
COLUMNS = {"text", "tier", "source", "intent"}


class Command(BaseCommand):
    help = "Judge rules and examples on labelled questions and print accuracy and macro-F1 as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--data", required=True, help="Folder with routing_en.csv and/or routing_zh.csv."
        )
        parser.add_argument("--held-out", help="Folder with files of the same names to be judged.")
        parser.add_argument("--seed", type=int, default=1, help="Of the drawing of examples.")

    def handle(self, *args: object, **options: Any) -> None:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self._embedder = Embedder(settings.EMBEDDING_MODEL, folder=settings.DATA_DIR)
        data, held_out = Path(options["data"]), options["held_out"]
        names = [name for name in FILES if (data / name).is_file()]
        if not names:
            message = f"{data} holds none of {', '.join(FILES)}"
            raise CommandError(message)
        rows = [
            row
            for name in names
            for row in evaluate(
                self._read(data / name),
                held_out=self._read(Path(held_out) / name) if held_out else [],
                rules=built_in_specs(),
                seed=options["seed"],
            )
        ]
        self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))

    def _read(self, path: Path) -> list[Labelled]:
        """The questions of a file with their vectors, which are kept nowhere."""
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows or set(rows[0]) < COLUMNS:
            message = f"{path} needs the columns {', '.join(sorted(COLUMNS))} and a row"
            raise CommandError(message)
        shares = self._embedder.unknown_shares([row["text"] for row in rows])
        known = [place for place, share in enumerate(shares) if share <= MAX_UNKNOWN_SHARE]
        embedded = self._embedder.embed_now([rows[place]["text"] for place in known])
        vectors = {
            place: item.vector for place, item in zip(known, embedded, strict=True) if item.fits
        }
        return [
            Labelled(
                text=row["text"],
                language=FILES[path.name],
                tier=Tier(row["tier"].upper()),
                source=row["source"],
                intent=row["intent"],
                vector=vectors.get(place),
            )
            for place, row in enumerate(rows)
        ]
