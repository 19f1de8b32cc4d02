"""Fill the cache before shoppers come: from the articles, or from a log of questions."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from base import env
from base.money import usd
from base.text import Language
from cache.embedding import Embedder
from chatbot.cache_checks import Checks
from chatbot.cache_import import NEW, Importer, embed_with
from chatbot.management.commands.serve import Demo
from chatbot.prewarming import Warmed, article_rows, article_wordings, ask_all, most_asked
from chatbot.runtime import Runtime

NANO = 1_000_000_000


class Command(BaseCommand):
    help = "Fill the cache from the articles (their own text, or --model), or from a --log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--model", action="store_true", help="Let the models answer the articles' wordings."
        )
        parser.add_argument("--log", type=Path, help="A CSV file with a column `text`.")
        parser.add_argument("--budget-usd", default="1.00", help="Ask no more when it is spent.")
        parser.add_argument("--limit", type=int, default=0, help="Only so many questions; 0: all.")

    def handle(self, *args: object, **options: Any) -> None:
        log, limit = options["log"], options["limit"] or None
        if log is None and not options["model"]:
            self._from_articles(limit)
            return
        questions = most_asked(_texts(log)) if log is not None else article_wordings()
        budget_nanousd = _nanousd(options["budget_usd"])
        with ExitStack() as stack:
            if not any(env.text(name) for name in env.KEY_NAMES):
                stack.enter_context(Demo(self))
            warmed = asyncio.run(_ask_all(questions[:limit], budget_nanousd))
        self._tell(warmed)

    def _from_articles(self, limit: int | None) -> None:
        checks, embedder = Checks.load(), Embedder(settings.EMBEDDING_MODEL)
        demo = not any(env.text(name) for name in env.KEY_NAMES)
        rows = article_rows(mode="simulated" if demo else "live", checks=checks)[:limit]
        importer = Importer(
            checks=checks,
            embed=embed_with(embedder),
            engine_id=embedder.engine_id,
            now=timezone.now(),
            dry_run=False,
        )
        results = importer.run(list(enumerate(rows, start=1)))
        for result in results:
            for reason in result.reasons:
                self.stdout.write(f"{rows[result.line - 1].sources[0][0]}: {reason}")
        counts = Counter(result.outcome for result in results)
        wordings = sum(len(rows[result.line - 1].wordings) for result in results)
        self.stdout.write(f"{counts[NEW]} articles answer {wordings} wordings themselves")

    def _tell(self, warmed: Warmed) -> None:
        for reason, count in warmed.not_stored.most_common():
            self.stdout.write(f"not stored, {count}: {reason}")
        self.stdout.write(
            f"{warmed.stored} stored, {warmed.known} known already, {warmed.refused} not for the shared "
            f"cache, {warmed.not_stored.total()} not stored, {warmed.left} left; spent {usd(warmed.spent_nanousd)}"
        )


async def _ask_all(questions: Sequence[tuple[str, Language]], budget_nanousd: int) -> Warmed:
    runtime = await asyncio.to_thread(Runtime)
    await runtime.start(take_up_open_questions=False)
    try:
        return await ask_all(runtime, questions, budget_nanousd=budget_nanousd)
    finally:
        await runtime.stop()


def _texts(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise CommandError(message) from error
    if not rows or "text" not in rows[0]:
        message = f"{path} has no column named text"
        raise CommandError(message)
    return [row["text"] or "" for row in rows]


def _nanousd(text: str) -> int:
    try:
        dollars = Decimal(text)
    except InvalidOperation as error:
        message = f"--budget-usd must be an amount like 2.50, not {text}"
        raise CommandError(message) from error
    if not dollars.is_finite() or dollars < 0:
        message = "--budget-usd must be 0 or more"
        raise CommandError(message)
    return int(dollars * NANO)
