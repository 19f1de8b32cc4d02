"""How one question would be decided, without calling a model."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatbot.explaining import explain
from chatbot.runtime import Runtime


class Command(BaseCommand):
    help = "Show each step of a question's way, with its decision and reason; calls no model."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question")

    def handle(self, *args: object, **options: Any) -> None:
        for step, words in asyncio.run(_explain(options["question"])):
            self.stdout.write(f"{step:<9} {words}")


async def _explain(question: str) -> list[tuple[str, str]]:
    runtime = await asyncio.to_thread(Runtime)
    await runtime.start(take_up_open_questions=False)
    try:
        return await explain(question, runtime=runtime)
    finally:
        await runtime.stop()
