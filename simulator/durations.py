"""Spans and moments as vendors write them in headers and bodies. Moments are rounded up, so that
whoever waits for one never comes early."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


def go_duration(seconds_s: float) -> str:
    """A span as Go prints it: `12ms`, `1.5s`, `6m0s`, `1h2m3s`."""
    total_ms = round(seconds_s * 1000)
    if total_ms < 1000:
        return f"{total_ms}ms" if total_ms else "0s"
    minutes, rest_ms = divmod(total_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest_ms / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def proto_duration(seconds_s: float) -> str:
    """A span as JSON of protobuf's Duration: `46s`, `1.5s`."""
    return f"{seconds_s:.3f}".rstrip("0").rstrip(".") + "s"


def _whole_second(moment: datetime) -> datetime:
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    return moment.astimezone(UTC)


def http_date(moment: datetime) -> str:
    """`Mon, 23 Nov 2026 12:01:00 GMT`."""
    return format_datetime(_whole_second(moment), usegmt=True)


def rfc3339(moment: datetime) -> str:
    """`2026-11-23T12:01:00Z`."""
    return _whole_second(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_seconds(seconds_s: float) -> str:
    """Seconds rounded up, at least 1."""
    return str(max(1, math.ceil(seconds_s)))
