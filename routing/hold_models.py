"""What staff decided by hand about a model: one row per model, read by every process with the configuration.

`routing.models` has the rows that it belongs to and takes it in, so that Django finds it.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from base.words import word


class Hold(models.Model):
    """The newest decision about one model. A reset stays as a row, so that every process hears of it."""

    TRIP, PARK, RESET = "trip", "park", "reset"

    model = models.OneToOneField("routing.Model", on_delete=models.CASCADE, related_name="hold")
    kind = models.CharField(max_length=5, choices=[(kind, kind) for kind in (TRIP, PARK, RESET)])
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is reset.")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)

    class Meta:
        verbose_name = _("decision by hand")
        verbose_name_plural = _("live board")
        default_permissions = ("view",)
        permissions = [
            ("trip_hold", _("Can open a model's breaker by hand")),
            ("reset_hold", _("Can close a model's breaker by hand")),
            ("park_hold", _("Can park a model until a time")),
            ("limit_hold", _("Can change a model's limits on the live board")),
        ]

    def __str__(self) -> str:
        return f"{word(self.kind)} {self.model}"
