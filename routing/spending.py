"""What was spent and what is reserved, counted exactly in the transaction that opens a call.

`reserve` is one conditional UPDATE per budget or quota, so no two processes can both take the last
cent; `settle` turns the reservation into what was really used. A period's count starts from the ledger,
so a budget made at noon knows the morning. Calls under way at that moment count with their whole estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import F, Q, Sum

from base.models import Counter
from routing.models import Call, Spending
from routing.quota import Scope

_LOCK = "routing.spending"


@dataclass(frozen=True, slots=True)
class Demand:
    """What a call may use at most. `nanousd` is None when no price is known."""

    nanousd: int | None
    tokens: int


@dataclass(slots=True)
class Hold:
    """A reservation of one open call: which rows hold it, and how much."""

    demand: Demand
    scopes: tuple[Scope, ...] = ()
    spending_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Passed:
    """A mark that a scope has just reached, in per cent used."""

    scope: Scope
    percent: int
    spent_nanousd: int
    spent_tokens: int


def reserve(hold: Hold, *, simulated: bool, now: datetime) -> None:
    """Reserve the demand in every scope, or raise OverBudget or OverQuota.

    Call it inside a transaction that is rolled back when it raises.
    """
    if not hold.scopes:
        return
    for scope in hold.scopes:
        if scope.limit_nanousd is not None and hold.demand.nanousd is None:
            reason = "cannot be kept: no price is known for the model; add one under Prices"
            raise scope.refusal(reason, now=now)
    lock()
    hold.spending_ids = [
        _take(scope, demand=hold.demand, simulated=simulated, now=now) for scope in hold.scopes
    ]


def settle(hold: Hold, *, nanousd: int, tokens: int) -> list[Passed]:
    """Replace a reservation by what was used; returns the marks that were reached by it."""
    if not hold.spending_ids:
        return []
    settle_rows(
        hold.spending_ids,
        held_nanousd=hold.demand.nanousd or 0,
        held_tokens=hold.demand.tokens,
        nanousd=nanousd,
        tokens=tokens,
    )
    return _marks(hold)


def settle_rows(
    spending_ids: Sequence[int], *, held_nanousd: int, held_tokens: int, nanousd: int, tokens: int
) -> None:
    """The same by the rows' ids, for calls that nobody holds in memory any more."""
    lock()
    Spending.objects.filter(id__in=spending_ids).update(
        reserved_nanousd=F("reserved_nanousd") - held_nanousd,
        reserved_tokens=F("reserved_tokens") - held_tokens,
        spent_nanousd=F("spent_nanousd") + nanousd,
        spent_tokens=F("spent_tokens") + tokens,
    )


def lock() -> None:
    """Let one transaction at a time change spending or alerts, until it ends.

    So two batches, which touch several rows in any order, never wait for each other. SQLite has one
    writer anyway.
    """
    if not connection.features.has_select_for_update:
        return
    locked = Counter.objects.select_for_update()
    if not locked.filter(name=_LOCK).exists():
        Counter.objects.get_or_create(name=_LOCK)
    locked.get(name=_LOCK)


def _take(scope: Scope, *, demand: Demand, simulated: bool, now: datetime) -> int:
    spending = _row_of(scope, simulated=simulated)
    nanousd, tokens = demand.nanousd or 0, demand.tokens
    fits = Q(id=spending.id)
    if scope.limit_nanousd is not None:
        fits &= Q(spent_nanousd__lte=scope.limit_nanousd - nanousd - F("reserved_nanousd"))
    if scope.limit_tokens is not None:
        fits &= Q(spent_tokens__lte=scope.limit_tokens - tokens - F("reserved_tokens"))
    taken = Spending.objects.filter(fits).update(
        reserved_nanousd=F("reserved_nanousd") + nanousd,
        reserved_tokens=F("reserved_tokens") + tokens,
    )
    if not taken:
        used = scope.used_in_words(
            nanousd=spending.spent_nanousd + spending.reserved_nanousd,
            tokens=spending.spent_tokens + spending.reserved_tokens,
        )
        reason = f"is used up ({used})"
        raise scope.refusal(reason, now=now)
    return spending.id


def _row_of(scope: Scope, *, simulated: bool) -> Spending:
    """The count of this period; a new one starts with what the ledger holds."""
    natural = {
        "kind": scope.kind,
        "row_id": scope.row_id,
        "covers": scope.covers,
        "period_start": scope.span.start,
        "simulated": simulated,
    }
    found = Spending.objects.filter(**natural).first()
    if found is not None:
        return found
    spent_nanousd, spent_tokens = _in_ledger(scope, simulated=simulated)
    row = Spending(
        **natural,
        period_end=scope.span.end,
        spent_nanousd=spent_nanousd,
        spent_tokens=spent_tokens,
    )
    Spending.objects.bulk_create([row], ignore_conflicts=True)  # another process may be first
    return Spending.objects.get(**natural)


def _in_ledger(scope: Scope, *, simulated: bool) -> tuple[int, int]:
    """Nano-dollars and tokens of the period's calls; those under way with their estimate."""
    calls = Call.objects.filter(
        simulated=simulated,
        started_at__gte=scope.span.start,
        started_at__lt=scope.span.end,
        **scope.narrowed,
    )
    open_ones = Q(outcome=Call.STARTED)
    sums = calls.aggregate(
        nanousd=Sum("cost_nanousd"),
        tokens=Sum(F("input_tokens") + F("output_tokens")),
        held_nanousd=Sum("reserved_nanousd", filter=open_ones),
        held_tokens=Sum(F("reserved_input_tokens") + F("reserved_output_tokens"), filter=open_ones),
    )
    return (
        _total(sums["nanousd"], sums["held_nanousd"]),
        _total(sums["tokens"], sums["held_tokens"]),
    )


def _total(*sums: int | None) -> int:
    return sum(value for value in sums if value is not None)


def _marks(hold: Hold) -> list[Passed]:
    """Marks that were not reached before; each is reported once per period."""
    rows = Spending.objects.in_bulk(hold.spending_ids)
    found = []
    for scope, row_id in zip(hold.scopes, hold.spending_ids, strict=True):
        row = rows[row_id]
        percent = scope.mark(nanousd=row.spent_nanousd, tokens=row.spent_tokens)
        if percent > row.warned_percent:
            Spending.objects.filter(id=row_id).update(warned_percent=percent)
            found.append(Passed(scope, percent, row.spent_nanousd, row.spent_tokens))
    return found
