"""How long a vendor asks us to wait, from headers and error bodies, as seconds.

A wait that cannot be read, is negative or lies in the past is None: the caller uses its own
backoff. Longer waits than a day are cut to a day.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 86_400.0
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:us|ms|h|m|s))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|h|m|s)", re.ASCII)
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE]\+?\d{1,3})?", re.ASCII)
_PREFIXES = ("", "llm_provider-")


def duration_s(value: str) -> float | None:
    """Seconds of a duration as Go or protobuf writes it (`1h2m3s`, `12ms`, `1.5s`), else None."""
    value = value.strip()
    if not _DURATION.fullmatch(value):
        return None
    return _kept(sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(value)))


def header_wait_s(value: str, *, now: datetime) -> float | None:
    """Seconds of a Retry-After value: a number, an HTTP date, or a duration."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        return _kept(float(value))
    if _DURATION.fullmatch(value):
        return duration_s(value)
    return _date_wait_s(value, now=now)


def retry_after_s(
    headers: Mapping[str, str], *, now: datetime, body_delay: str = ""
) -> float | None:
    """The wait that an answer asks for; header names in lower case.

    Milliseconds win over seconds, the plain header over the copy that a gateway prefixes, headers
    over the delay in the body.
    """
    for prefix in _PREFIXES:
        in_ms = headers.get(f"{prefix}retry-after-ms", "").strip()
        if _NUMBER.fullmatch(in_ms):
            return _kept(float(in_ms) / 1000)
        wait_s = header_wait_s(headers.get(f"{prefix}retry-after", ""), now=now)
        if wait_s is not None:
            return wait_s
    return duration_s(body_delay)


def _date_wait_s(value: str, *, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    wait_s = (moment - now).total_seconds()
    return _kept(wait_s) if wait_s > 0 else None


def _kept(wait_s: float) -> float | None:
    return min(wait_s, LONGEST_S) if math.isfinite(wait_s) else None
