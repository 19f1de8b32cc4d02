"""What an answer's headers say about the limits of the key that made the call.

Vendors and gateways send these with answers and refusals alike. Figures come from one source per
kind of limit, so that a gateway's own limit is never paired with what remains of its vendor's. A
figure that cannot be true is None, as if it had not been sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from routing.specs import RateState
from routing.vendors.waits import LONGEST_S, duration_s

MOST = 1_000_000_000_000
_COUNT = re.compile(r"[0-9]{1,13}(?:\.0+)?")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+)?")
_KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
# Own headers before the copies that a gateway passes on; each with the place of the kind in a name.
_FORMS = (
    "x-ratelimit-{figure}-{kind}",
    "anthropic-ratelimit-{kind}-{figure}",
    "llm_provider-x-ratelimit-{figure}-{kind}",
    "llm_provider-anthropic-ratelimit-{kind}-{figure}",
)


def rate_state(headers: Mapping[str, str], *, now: datetime) -> RateState | None:
    """What the headers (names in lower case) say, None when they say nothing that can be true.

    `now` is the wall clock in UTC: one vendor states its resets as moments.
    """
    found: dict[str, Any] = {}
    for kind in _KINDS:
        found |= _figures(headers, kind, now=now)
    return RateState(**found) if found else None


def _figures(headers: Mapping[str, str], kind: str, *, now: datetime) -> dict[str, Any]:
    """The figures of one kind of limit, all from the first source that states any."""
    for form in _FORMS:
        limit = _count(headers.get(form.format(figure="limit", kind=kind), ""), least=1)
        remaining = _count(headers.get(form.format(figure="remaining", kind=kind), ""), least=0)
        reset_s = _reset_s(headers.get(form.format(figure="reset", kind=kind), ""), now=now)
        if limit is not None and remaining is not None and remaining > limit:
            remaining = None
        stated = {"limit_{}": limit, "remaining_{}": remaining, "reset_{}_s": reset_s}
        known = {name: value for name, value in stated.items() if value is not None}
        if known:
            return {name.format(kind.replace("-", "_")): value for name, value in known.items()}
    return {}


def _count(value: str, *, least: int) -> int | None:
    value = value.strip()
    if not _COUNT.fullmatch(value):
        return None
    count = int(value.partition(".")[0])
    return count if least <= count <= MOST else None


def _reset_s(value: str, *, now: datetime) -> float | None:
    """Seconds of a reset: a duration, plain seconds up to a day, or a moment in RFC 3339."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        seconds_s = float(value)
        return seconds_s if seconds_s <= LONGEST_S else None
    if not _MOMENT.fullmatch(value):
        return duration_s(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_S)
