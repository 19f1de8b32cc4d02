"""Check the rows of the cache against what serving relies on."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cache.embedding import Embedder
from chatbot.cache_checks import Checks
from chatbot.cache_verify import Finding, Verifier

IDS_SHOWN = 10


class Command(BaseCommand):
    help = "Check the cache's rows against its rules; exit 1 when something is found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="Put right what is safe to.")

    def handle(self, *args: object, **options: Any) -> None:
        verifier = Verifier(
            checks=Checks.load(), embedder=Embedder(settings.EMBEDDING_MODEL), now=timezone.now()
        )
        findings = verifier.findings()
        if options["fix"]:
            verifier.fix(findings)
        for finding in findings:
            self.stdout.write(_line(finding, fixing=options["fix"]))
        if any(finding.left for finding in findings):
            sys.exit(1)


def _line(finding: Finding, *, fixing: bool) -> str:
    count = f"{len(finding.ids):>6}  {finding.name}"
    if not finding.ids:
        return count
    shown = ", ".join(map(str, finding.ids[:IDS_SHOWN]))
    more = ", …" if len(finding.ids) > IDS_SHOWN else ""
    fixed = f"; put right: {finding.fixed}" if fixing else ""
    able = "" if finding.fix is not None else "; for staff to decide"
    return f"{count} (ids {shown}{more}){fixed}{able}"
