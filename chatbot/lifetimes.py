"""Until when a stored answer may be served: by the topics of its articles, and by the dates that it states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chatbot.dated import ends

EVERY_TOPIC = "default"
DEFAULT_DAYS = 30
MOST_DAYS = 365


def life_of(topics: Iterable[str], *, days: Mapping[str, int]) -> timedelta:
    """The shortest life among the topics; `days` is by topic, `default` for those it does not name."""
    others = days.get(EVERY_TOPIC, DEFAULT_DAYS)
    return timedelta(days=min((days.get(topic, others) for topic in topics), default=others))


def next_end(text: str, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment from `now` on until which the text says that something holds (UTC)."""
    return next((end for end in ends(text, made_at=now, zone=zone) if end > now), None)


def is_over(text: str, *, now: datetime, zone: ZoneInfo) -> bool:
    """Whether everything that the text bounds in time was over at `now`."""
    stated = ends(text, made_at=now, zone=zone)
    return bool(stated) and stated[-1] <= now
