"""What the vendor saw: every call with its time of arrival, and counts per second and model.

Unlike the bill it lists calls from the moment they arrive, so a call that is still open is seen.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.bill import Row

OPEN = "open"
_KEPT_CALLS = 500_000
_KEPT_SECONDS = 100_000
_COLUMNS = (
    "arrived_s",
    "arrived_monotonic_s",
    "ended_s",
    "vendor",
    "reason",
    "http_status",
    "faults",
    "request_id",
    "client_request_id",
    "key",
    "stream",
)


@dataclass(slots=True)
class _Second:
    arrived: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls are asked for; None = all. Times are Unix seconds, `until_s` not included."""

    vendor: str | None = None
    model: str | None = None
    since_s: float | None = None
    until_s: float | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filter:
        """Read a query string's fields; raises ValueError if a time is no number."""
        times = {k: float(query[k]) for k in ("since_s", "until_s") if query.get(k)}
        return cls(query.get("vendor") or None, query.get("model") or None, **times)

    def takes(self, vendor: str, *, model: str) -> bool:
        """Whether vendor and model are asked for."""
        return self.vendor in (None, vendor) and self.model in (None, model)

    def within(self, at_s: float) -> bool:
        """Whether a moment is asked for."""
        return (self.since_s is None or at_s >= self.since_s) and (
            self.until_s is None or at_s < self.until_s
        )


@dataclass(slots=True)
class Connections:
    """Connections to the vendor's port: accepted ones, and those of them that were reset at once."""

    accepted: int = 0
    reset: int = 0


class Arrivals:
    """Collects calls; not thread-safe, it lives in one event loop."""

    def __init__(self, *, kept_calls: int = _KEPT_CALLS) -> None:
        self._calls: deque[Row] = deque(maxlen=kept_calls)
        self._seconds: OrderedDict[tuple[int, str, str], _Second] = OrderedDict()
        self.total = 0
        self.redirects_followed = 0

    def add(self, row: Row) -> None:
        """Note a call that has just arrived; the row goes on to change until it is closed."""
        self._calls.append(row)
        self.total += 1

    def count(self, row: Row, *, reason: str | None = None) -> None:
        """Count a call as accepted, or as refused for a reason, in the second it arrived."""
        name = (int(row.arrived_s), row.vendor, row.model_asked or "")
        second = self._seconds.get(name)
        if second is None:
            second = self._seconds[name] = _Second()
            if len(self._seconds) > _KEPT_SECONDS:
                self._seconds.popitem(last=False)
        second.arrived += 1
        if reason is None:
            second.accepted += 1
        else:
            second.refused[reason] += 1

    def calls(self, wanted: Filter) -> dict[str, Any]:
        """The calls asked for in the order they came; `dropped` counts those no longer kept."""
        calls = [
            {name: getattr(row, name) for name in _COLUMNS}
            | {"model": row.model_asked, "outcome": OPEN if row.ended_s is None else row.status}
            for row in self._calls
            if wanted.within(row.arrived_s)
            and wanted.takes(row.vendor, model=row.model_asked or "")
        ]
        return {"calls": calls, "dropped": self.total - len(self._calls)}

    def seconds(self, wanted: Filter) -> dict[str, Any]:
        """Counts per second and model asked for."""
        rows = [
            {
                "second": at,
                "vendor": vendor,
                "model": model,
                "arrived": second.arrived,
                "accepted": second.accepted,
                "refused": dict(second.refused),
            }
            for (at, vendor, model), second in self._seconds.items()
            if wanted.takes(vendor, model=model) and wanted.within(at)
        ]
        return {"seconds": rows}
