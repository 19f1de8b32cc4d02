"""What a rule set would have done to past questions: tried without touching anything that shoppers see."""

from __future__ import annotations

import json
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cache.embedding_switch import active_model
from chatbot.dry_launch import AlreadyRunning, only_one
from chatbot.dry_rows import MOST_QUESTIONS
from chatbot.dry_run import Parts, run
from chatbot.engines import open_embedder
from chatbot.models import DryRun
from chatbot.runtime import system_clock
from routing.models import RuleSet
from routing.snapshot import access_of

PRIORITY = 5  # lower (a higher number) and a busy machine never lets it end


class Command(BaseCommand):
    help = "Play the newest questions again under a rule set and print what would change, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", nargs="?", type=int, help="Of the rule set, mostly a draft.")
        parser.add_argument("--last", type=int, default=5_000, help="How many questions.")
        parser.add_argument("--simulated", action="store_true", help="The demo's questions.")
        parser.add_argument(
            "--waiting", action="store_true", help="Run what staff have started in the admin."
        )

    def handle(self, *args: object, **options: Any) -> None:
        os.nice(PRIORITY)
        if options["waiting"]:
            self._work_off()
            return
        row = self._started(options)
        run(row, self._parts())
        row.refresh_from_db()
        if row.state != DryRun.DONE:
            raise CommandError(row.problem)
        self.stdout.write(json.dumps(row.result, ensure_ascii=False, indent=1))

    def _work_off(self) -> None:
        try:
            with only_one():
                parts = self._parts()
                while row := DryRun.objects.filter(state=DryRun.WAITING).order_by("id").first():
                    run(row, parts)
                    parts = parts.anew()
        except AlreadyRunning:
            return

    def _started(self, options: dict[str, Any]) -> DryRun:
        """The row of a run that this process takes up itself."""
        rule_set = RuleSet.objects.filter(version=options["version"]).first()
        if rule_set is None:
            message = f"there is no rule set of version {options['version']}"
            raise CommandError(message)
        count = min(max(1, options["last"]), MOST_QUESTIONS)
        return DryRun.objects.create(
            rule_set=rule_set,
            version=rule_set.version,
            parameters={"count": count, "simulated": options["simulated"]},
            created_at=system_clock().now(),
            created_by="manage.py",
        )

    def _parts(self) -> Parts:
        embedder = open_embedder(active_model(settings.EMBEDDING_MODEL))
        embedder.start()  # from now on it encodes on one core: the other is the shoppers'
        return Parts.load(
            embedder, clock=system_clock(), has_key=lambda endpoint: access_of(endpoint) is not None
        )
