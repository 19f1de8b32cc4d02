"""Play a file of questions through a running site over websockets, and say how each ended."""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatbot.replaying import CHOOSE, Ended, play


class Command(BaseCommand):
    help = (
        "Play the column `text` of a CSV file through a running site, a new shopper per question."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--url", default="http://127.0.0.1:8000")
        parser.add_argument("--sessions", type=int, default=1, help="Questions under way at once.")
        parser.add_argument(
            "--rate", type=float, default=0.0, help="Questions per second; 0: no limit."
        )
        parser.add_argument("--confirm", choices=list(CHOOSE), default="none")
        parser.add_argument("--limit", type=int, default=0, help="Only the first N rows; 0: all.")
        parser.add_argument(
            "--json", action="store_true", help="One JSON line per question, then a summary."
        )

    def handle(self, *args: object, **options: Any) -> None:
        texts = _texts(options["file"])[: options["limit"] or None]
        if urlsplit(options["url"]).scheme not in ("http", "https"):
            message = "--url must begin with http:// or https://"
            raise CommandError(message)
        ended = asyncio.run(
            play(
                texts,
                url=options["url"],
                sessions=max(1, options["sessions"]),
                rate_per_s=options["rate"],
                choose=CHOOSE[options["confirm"]],
            )
        )
        if options["json"]:
            for item in ended:
                self.stdout.write(json.dumps(item.as_row(), ensure_ascii=False))
        self.stdout.write(json.dumps(summary(ended)) if options["json"] else _sentence(ended))


def summary(ended: list[Ended]) -> dict[str, Any]:
    """Counts of how the questions ended, and the median and 95th percentile of the time they took."""
    times = sorted(item.ms for item in ended)
    return {
        "questions": len(ended),
        "accepted": sum(item.accepted for item in ended),
        "terminal": sum(item.outcome != "lost" for item in ended),
        "outcomes": dict(Counter(item.outcome for item in ended)),
        "origins": dict(Counter(item.origin for item in ended)),
        "p50_ms": times[len(times) // 2] if times else None,
        "p95_ms": times[int(len(times) * 0.95)] if times else None,
    }


def _sentence(ended: list[Ended]) -> str:
    counts = summary(ended)
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(counts["outcomes"].items()))
    return (
        f"{counts['questions']} questions, {counts['accepted']} accepted, {counts['terminal']} ended: {outcomes}. "
        f"Median {counts['p50_ms']} ms, 95 % within {counts['p95_ms']} ms."
    )


def _texts(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise CommandError(message) from error
    if not rows or "text" not in rows[0]:
        message = f"{path} has no column named text"
        raise CommandError(message)
    return [row["text"] for row in rows]
