"""The forms in which a fault can tell a wait, whatever the vendor's own form is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from simulator.durations import go_duration, http_date, rfc3339, whole_seconds
from simulator.exchange import Headers
from simulator.windows import TOKENS

_SHOWN_LIMIT = 60


def _rate_limit(wait_s: float, now: datetime, unit: str) -> Headers:
    return [
        (f"x-ratelimit-limit-{unit}", str(_SHOWN_LIMIT)),
        (f"x-ratelimit-remaining-{unit}", "0"),
        (f"x-ratelimit-reset-{unit}", go_duration(wait_s)),
    ]


def _anthropic_rate_limit(wait_s: float, now: datetime, unit: str) -> Headers:
    reset = rfc3339(now + timedelta(seconds=wait_s))
    return [
        (f"anthropic-ratelimit-{unit}-limit", str(_SHOWN_LIMIT)),
        (f"anthropic-ratelimit-{unit}-remaining", "0"),
        (f"anthropic-ratelimit-{unit}-reset", reset),
    ]


_FORMS: dict[str, Callable[[float, datetime, str], Headers]] = {
    "seconds": lambda wait_s, now, unit: [("retry-after", whole_seconds(wait_s))],
    "float": lambda wait_s, now, unit: [("retry-after", f"{wait_s:.3f}")],
    "ms": lambda wait_s, now, unit: [("retry-after-ms", f"{wait_s * 1000:.0f}")],
    "date": lambda wait_s, now, unit: [("retry-after", http_date(now + timedelta(seconds=wait_s)))],
    "duration": lambda wait_s, now, unit: [("retry-after", go_duration(wait_s))],
    "rate_limit": _rate_limit,
    "anthropic_rate_limit": _anthropic_rate_limit,
    "prefixed": lambda wait_s, now, unit: [("llm_provider-retry-after", whole_seconds(wait_s))],
}


def wait_form_headers(form: str, *, wait_s: float, now: datetime, dimension: str) -> Headers:
    """Headers that tell a wait in a form; none for forms that tell it elsewhere or not at all."""
    write = _FORMS.get(form)
    if write is None:
        return []
    return write(wait_s, now, "tokens" if dimension == TOKENS else "requests")
