"""When a stored answer's time is over. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta


def expiry(now: datetime, *, life: timedelta | None, until: datetime | None) -> datetime | None:
    """The earlier of `now + life` and `until`; None = neither ends it."""
    ends = [end for end in (None if life is None else now + life, until) if end is not None]
    return min(ends, default=None)
