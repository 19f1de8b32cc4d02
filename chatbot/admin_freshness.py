"""Parts of the shop's admin pages about how long stored answers live and what rests on an article."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.admin import UnfoldAdminTextareaWidget
from chatbot.lifetimes import DEFAULT_DAYS, EVERY_TOPIC, MOST_DAYS
from chatbot.staleness import TRAFFIC_DAYS, Dependents


class DaysField(forms.Field):
    """An object of topic -> days, one "topic: days" per line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text",
            format_lazy(
                _(
                    "One topic per line, like promo: 7. {every} is for all others; without it they live {days} days."
                ),
                every=EVERY_TOPIC,
                days=DEFAULT_DAYS,
            ),
        )
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(required=False, widget=widget, label=_("Days that answers live"), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The stored object as lines."""
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{topic}: {days}" for topic, days in value.items())

    def to_python(self, value: Any) -> dict[str, int]:
        """The lines as an object. Raises ValidationError on a line that is none."""
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        return dict(self._pair(line) for line in lines)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as texts without blanks at the ends."""
        return str(self.prepare_value(initial) or "").strip() != str(data or "").strip()

    def _pair(self, line: str) -> tuple[str, int]:
        topic, colon, days = (part.strip() for part in line.replace("：", ":").partition(":"))
        if not (topic and colon and days.isdecimal() and 1 <= int(days) <= MOST_DAYS):
            message = gettext(
                "“%(line)s” is no topic with days from 1 to %(most)s: write it like promo: 7."
            )
            raise forms.ValidationError(message % {"line": line, "most": MOST_DAYS})
        return topic, int(days)


def in_words(resting: Dependents) -> str:
    """The count as staff read it."""
    said = gettext("%(answers)s stored answers, served %(hits)s times in the last %(days)s days")
    return said % {"answers": resting.answers, "hits": resting.hits, "days": TRAFFIC_DAYS}
