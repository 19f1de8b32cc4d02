"""Calls whose process died: booked as unknown, with their whole estimate, once their time is long over.

Nobody knows whether the vendor billed them, so the estimate stays in budgets and quotas as if it had.
A process that is still alive completes its row within the deadline, far earlier.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from routing.models import Call
from routing.pricing import cost_on, price_on
from routing.snapshot import load_routing
from routing.specs import RoutingSnapshot, Usage
from routing.spending import lock, settle_rows

LOST = "lost"
GRACE = timedelta(minutes=2)
WITHOUT_DEADLINE = timedelta(hours=1)
BATCH = 500


def book_lost(*, now: datetime) -> int:
    """Close what was lost; returns how many rows. Running it twice at once books nothing twice."""
    overdue = Q(deadline_at__lt=now - GRACE) | Q(
        deadline_at__isnull=True, started_at__lt=now - WITHOUT_DEADLINE
    )
    ids = list(
        Call.objects.filter(overdue, outcome=Call.STARTED).values_list("id", flat=True)[:BATCH]
    )
    routing = load_routing() if ids else None
    return sum(_book(call_id, routing=routing, now=now) for call_id in ids if routing is not None)


@transaction.atomic
def _book(call_id: int, *, routing: RoutingSnapshot, now: datetime) -> int:
    lock()
    row = Call.objects.get(id=call_id)
    usage = Usage(row.reserved_input_tokens, row.reserved_output_tokens)
    found = price_on(
        routing,
        endpoint_key=row.endpoint_key,
        names=(row.model_asked,),
        day=row.started_at.date(),
    )
    cost = cost_on(found, usage)
    booked = Call.objects.filter(id=call_id, outcome=Call.STARTED).update(
        outcome=Call.UNKNOWN,
        failure=LOST,
        ended_at=now,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        tokens_estimated=True,
        currency=cost.currency,
        amount_nano=cost.amount_nano,
        usd_per_unit=cost.usd_per_unit,
        cost_nanousd=cost.cost_nanousd,
        priced=cost.certain,
    )
    if booked and row.held_in:
        settle_rows(
            row.held_in,
            held_nanousd=row.reserved_nanousd,
            held_tokens=usage.input_tokens + usage.output_tokens,
            nanousd=cost.cost_nanousd,
            tokens=usage.input_tokens + usage.output_tokens,
        )
    return booked
