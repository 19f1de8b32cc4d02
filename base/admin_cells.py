"""Cells of the admin's lists that say much in little room."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from base.moments import written

MOST_CHARACTERS = 300


def brief(text: object, whole: object) -> SafeString:
    """A few words; the whole is said where the pointer rests, and to screen readers."""
    return format_html('<span title="{}">{}</span>', str(whole)[:MOST_CHARACTERS], text)


def cut(text: object) -> SafeString:
    """A text that ends with its column; the whole is said where the pointer rests."""
    return format_html('<span class="bw-cut" title="{}">{}</span>', text, text)


def without_vendor(label: str) -> SafeString | str:
    """A model's name without its endpoint's in brackets, which the pointer shows."""
    name, bracket, _ = label.partition(" (")
    return brief(name, label) if bracket else label or "–"


def moment(at: datetime | None) -> SafeString | str:
    """A moment in the admin's zone on one line: 23 Nov 13:58:07."""
    if at is None:
        return "–"
    local = timezone.localtime(at)
    return format_html(
        '<time class="bw-once" datetime="{}">{}</time>', at.isoformat(), written(local, "d M H:i:s")
    )
