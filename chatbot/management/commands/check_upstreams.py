"""Whether every configured model can be called, and what to do about those that cannot."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from base.clock import SystemClock
from base.writer import Writer
from routing.checking import Check, Checker, Status
from routing.client import Client
from routing.ledger import Ledger
from routing.snapshot import access_of, load_routing
from routing.specs import RoutingSnapshot


class Command(BaseCommand):
    help = "Make one tiny call to every model of the chains, and say what to fix."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON list instead of lines")

    def handle(self, *args: object, **options: Any) -> None:
        checks = asyncio.run(_check(load_routing()))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
        else:
            self._tell(checks)
        if any(check.status is Status.FAILED for check in checks):
            sys.exit(1)

    def _tell(self, checks: list[Check]) -> None:
        for check in checks:
            self.stdout.write(check.line())
        if not checks:
            self.stdout.write("no chain holds a model: add some in the admin, under Chains")
        elif all(check.status is Status.SKIPPED for check in checks):
            self.stdout.write("no model can be called: set one vendor's key (docs/settings.md)")


async def _check(snapshot: RoutingSnapshot) -> list[Check]:
    clock, writer = SystemClock(), Writer()
    client = Client(allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK)
    writer.start()
    try:
        checker = Checker(
            client=client,
            ledger=Ledger(writer=writer, routing=lambda: snapshot, clock=clock),
            keys=access_of,
            clock=clock,
            allowed_hosts=frozenset(settings.UPSTREAM_ALLOWED_HOSTS),
            allow_loopback=settings.UPSTREAM_ALLOW_LOOPBACK,
        )
        return await checker.check_all(snapshot)
    finally:
        await client.close()
        await asyncio.to_thread(writer.stop)
