"""The time zone that staff see times in."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Site


@cache
def known_zones() -> frozenset[str]:
    """The zones that this machine knows; looked up on disk once."""
    return frozenset(available_timezones())


def site_zone() -> ZoneInfo:
    """The default site's zone; UTC while there is no site or its zone is unknown."""
    names = Site.objects.filter(key=DEFAULT_SITE_KEY).values_list("time_zone", flat=True)
    name = names.first()
    return ZoneInfo(name if name is not None and name in known_zones() else "UTC")
