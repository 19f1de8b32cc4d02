"""The vendor's bill: one row per request seen, sums per (vendor, key, model served).

A completed request costs exactly its tokens by the catalog; an aborted one its prompt and what
was sent; a refused or failed one nothing. Sums are kept apart from rows, so they stay exact when
old rows are dropped.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import asdict, dataclass, field, fields
from typing import Any

COMPLETED, ABORTED, REFUSED, ERROR = "completed", "aborted", "refused_429", "error"
_KEPT_ROWS = 500_000


def key_id(key: str) -> str:
    """A stable short name for a key, so that no key is ever shown."""
    return hashlib.sha256(key.encode()).hexdigest()[:12] if key else "none"


@dataclass(slots=True)
class Row:
    """One request; `input_tokens` includes `cached_tokens`, `cost_nano` is in `currency`.

    `arrived_s` and `ended_s` are Unix times, `arrived_monotonic_s` is of this machine's monotonic
    clock; `reason` says why it was refused.
    """

    request_id: str
    client_request_id: str | None
    vendor: str
    currency: str
    key: str
    started_at: str
    model_asked: str | None = None
    model_served: str | None = None
    stream: bool = False
    status: str = ERROR
    http_status: int = 0
    error: str | None = None
    faults: list[str] = field(default_factory=list)
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int = 0
    reason: str | None = None
    arrived_s: float = 0.0
    arrived_monotonic_s: float = 0.0
    ended_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Every field."""
        return {name: getattr(self, name) for name in _COLUMNS}


_COLUMNS = tuple(item.name for item in fields(Row))


@dataclass(slots=True)
class Sums:
    """Counters over rows; requests = completed + aborted + refused_429 + errors."""

    requests: int = 0
    completed: int = 0
    aborted: int = 0
    refused_429: int = 0
    errors: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    def add(self, row: Row) -> None:
        """Count one closed row."""
        self.requests += 1
        self.completed += row.status == COMPLETED
        self.aborted += row.status == ABORTED
        self.refused_429 += row.status == REFUSED
        self.errors += row.status == ERROR
        self.input_tokens += row.input_tokens
        self.cached_tokens += row.cached_tokens
        self.output_tokens += row.output_tokens


@dataclass(slots=True)
class _Line:
    currency: str
    sums: Sums = field(default_factory=Sums)
    cost_nano: int = 0


class Bill:
    """Collects closed rows; not thread-safe, it lives in one event loop."""

    def __init__(self, *, kept_rows: int = _KEPT_ROWS) -> None:
        self._rows: deque[Row] = deque(maxlen=kept_rows)
        self._lines: dict[tuple[str, str, str], _Line] = {}
        self._spent_nano: dict[tuple[str, str], int] = {}
        self._total = Sums()

    def close(self, row: Row) -> None:
        """Book a row that will not change any more."""
        self._rows.append(row)
        self._total.add(row)
        name = (row.vendor, row.key, row.model_served or row.model_asked or "")
        line = self._lines.setdefault(name, _Line(row.currency))
        line.sums.add(row)
        line.cost_nano += row.cost_nano
        account = (row.vendor, row.key)
        self._spent_nano[account] = self._spent_nano.get(account, 0) + row.cost_nano

    def spent_nano(self, vendor: str, *, key: str) -> int:
        """What this key id has cost at this vendor, in nano-units of its currency."""
        return self._spent_nano.get((vendor, key), 0)

    def as_json(self, *, with_rows: bool = False) -> dict[str, Any]:
        """The whole bill; `totals.cost_nano` is per currency, `requests` lists every row."""
        costs_nano: dict[str, int] = {}
        rows = []
        for (vendor, key, model), line in sorted(self._lines.items()):
            costs_nano[line.currency] = costs_nano.get(line.currency, 0) + line.cost_nano
            head = {"vendor": vendor, "key": key, "model": model}
            tail = {"cost_nano": line.cost_nano, "currency": line.currency}
            rows.append(head | asdict(line.sums) | tail)
        bill: dict[str, Any] = {
            "totals": asdict(self._total) | {"cost_nano": costs_nano},
            "rows": rows,
        }
        if with_rows:
            bill["requests"] = [row.as_json() for row in self._rows]
            bill["requests_dropped"] = self._total.requests - len(self._rows)
        return bill
