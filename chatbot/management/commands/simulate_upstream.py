"""The local model vendor: three wire protocols, limits, faults and its own bill."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from simulator.__main__ import main


class Command(BaseCommand):
    help = "Run the local model vendor; all options of `python -m simulator` apply (for instance --port 9100)."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand every option on: the vendor is a program of its own and parses them itself."""
        sys.exit(main(argv[2:]))

    def handle(self, *args: object, **options: object) -> None:
        main([])
