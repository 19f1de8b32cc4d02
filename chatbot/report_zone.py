"""The time zone that staff see times in."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Site


def site_zone() -> ZoneInfo:
    """The default site's zone; UTC while there is no site or its zone is unknown."""
    names = Site.objects.filter(key=DEFAULT_SITE_KEY).values_list("time_zone", flat=True)
    name = names.first()
    return ZoneInfo(name if name is not None and name in available_timezones() else "UTC")
