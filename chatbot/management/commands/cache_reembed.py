"""Prepare a change of the embedding model, show what it would do, and make it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cache.embedding import Embedder
from cache.embedding_switch import active_model, switch
from chatbot.engines import open_embedder
from chatbot.reembedding import Comparison, Played, build_vectors, compare, last_questions

SHOWN = 10


class Command(BaseCommand):
    help = "Build the vectors of another embedding model beside the old ones, compare, and switch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", help="Name or folder. Default: the packaged one.")
        parser.add_argument(
            "--questions", type=int, default=300, help="So many of the last questions are compared."
        )
        parser.add_argument("--switch", action="store_true", help="Make it the active model.")

    def handle(self, *args: object, **options: Any) -> None:
        model = options["model"] or ""
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        try:
            new = open_embedder(model)
        except (OSError, ValueError, RuntimeError) as error:
            message = f"the model {model!r} cannot be loaded: {error}"
            raise CommandError(message) from error
        new.start()  # one core: questions may be answered beside this
        try:
            self._change(new, model, options)
        finally:
            new.stop()

    def _change(self, new: Embedder, model: str, options: dict[str, Any]) -> None:
        self.stdout.write(f"{new.engine_id} on {new.runs_on}")
        active = active_model(settings.EMBEDDING_MODEL)
        self._build(new, active=active == model)
        if active == model:
            self.stdout.write("this model is active; its missing vectors are built")
            return
        if options["questions"] > 0:
            self._compare(new, active, options["questions"])
        if options["switch"]:
            switch(model, configured=settings.EMBEDDING_MODEL, now=timezone.now())
            self._build(new, active=True)  # what was stored meanwhile
            self.stdout.write(
                "switched: running processes follow within the time it takes to load the model. Run this "
                "command once more in a minute, for what they stored until then."
            )

    def _build(self, new: Embedder, *, active: bool) -> None:
        built = build_vectors(new, active=active, say=self._progress)
        self.stdout.write(
            f"vectors built: {built.written}; left out because the model does not know the words or cannot "
            f"see the end: {built.unknown}"
        )

    def _progress(self, done: int, of: int) -> None:
        if done % 2_000 == 0:
            self.stdout.write(f"  {done} of {of}")

    def _compare(self, new: Embedder, active: str, count: int) -> None:
        questions = last_questions(count)
        old = open_embedder(active)
        old.start()
        try:
            found = asyncio.run(compare(questions, old=old, new=new))
        finally:
            old.stop()
        self._report(found)

    def _report(self, found: Comparison) -> None:
        before, after = found.hits()
        total = len(found.played)
        self.stdout.write(f"of the last {total} questions: {before} hits before, {after} after")
        for name, items in (
            ("gained", found.gained()),
            ("lost", found.lost()),
            ("changed", found.changed()),
        ):
            self.stdout.write(f"{name}: {len(items)}")
            self._examples(items)

    def _examples(self, items: Sequence[Played]) -> None:
        for item in items[:SHOWN]:
            before, after = (
                f"{hit.text} ({hit.cosine:.3f})" if hit else "nothing"
                for hit in (item.before, item.after)
            )
            self.stdout.write(f"  {item.text}\n    before: {before}\n    after:  {after}")
