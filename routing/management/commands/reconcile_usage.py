"""What vendors say about our accounts, now, beside our own ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand

from base.money import NANO
from routing.accounts import DRIFT_SHARE, drift_share
from routing.models import Statement
from routing.reconcile import reconcile_due
from routing.tasks import asker


class Command(BaseCommand):
    help = "Ask vendors what each key has used or has left, and compare it with the ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per account; the rows are in the admin under Statements."""
        statements = reconcile_due(asker(), every=timedelta(0))
        for statement in statements:
            self.stdout.write(f"{statement.endpoint.name}: {_in_words(statement)}")
        if not statements:
            self.stdout.write("No endpoint with a key has an account page.")


def _in_words(row: Statement) -> str:
    figures = (("used", row.used_nano), ("limit", row.limit_nano), ("left", row.remaining_nano))
    parts = [f"{name} {_amount(nano, row)}" for name, nano in figures if nano is not None]
    share = drift_share(vendor_nano=row.vendor_nano, ledger_nano=row.ledger_nano)
    if share is not None:
        vendor, ledger = _amount(row.vendor_nano, row), _amount(row.ledger_nano, row)
        mark = "DRIFT" if share > DRIFT_SHARE else "drift"
        parts.append(
            f"since the last reading {vendor}, by our ledger {ledger} ({mark} {share:.1%})"
        )
    return "; ".join([*parts, *([row.problem] if row.problem else [])])


def _amount(nano: int | None, row: Statement) -> str:
    return f"{(nano or 0) * NANO:,.4f} {row.currency}"
