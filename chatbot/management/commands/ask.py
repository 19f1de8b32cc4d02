"""One question through the running server: prints what came back and how it was decided."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from base import env
from chatbot.replaying import ask_for_frame


class Command(BaseCommand):
    help = "Ask the running server one question, as a new shopper."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--url", default=f"http://{env.text('HOST')}:{env.number('PORT')}")
        parser.add_argument(
            "--json", action="store_true", help="Print the answer frame as it came."
        )

    def handle(self, *args: object, **options: Any) -> None:
        _, frame, ms = asyncio.run(ask_for_frame(options["question"], url=options["url"]))
        if frame["type"] == "lost":
            message = f"no server answers at {options['url']}; start one with `make run`"
            raise CommandError(message)
        if options["json"]:
            self.stdout.write(json.dumps(frame, ensure_ascii=False))
            return
        self.stdout.write(str(frame.get("text") or frame.get("message")))
        shown = ("origin", "cache", "tier", "model", "cosine", "receipt", "code")
        facts = ", ".join(f"{name} {frame[name]}" for name in shown if frame.get(name) is not None)
        self.stdout.write(f"\n{facts}, {ms} ms in all")
