"""Deciding by hand about a model: trip, park, reset. A decision is a row that every process reads with the
configuration, so it reaches all of them within their poll and survives a restart.
"""

from __future__ import annotations

from datetime import datetime

from routing.models import Hold, Model


def decide(
    model: Model, kind: str, *, by: str, reason: str, now: datetime, until: datetime | None = None
) -> Hold:
    """Put a decision in the place of the one before. `until` None: until it is reset."""
    values = {"kind": kind, "until": until, "at": now, "by": by[:150], "reason": reason[:300]}
    return Hold.objects.update_or_create(model=model, defaults=values)[0]
