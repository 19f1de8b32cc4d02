"""Rows that the reports read instead of questions, look-ups and calls."""

from __future__ import annotations

from django.db import models


class Aggregate(models.Model):
    """Everything the reports need from 15 UTC minutes, an hour, or a day of the shop, packed for reading.

    `facts` and `tops` are what `chatbot.reports.facts` packs. They hold no text: most asked wordings
    are named by a digest and by the newest question with them.
    """

    QUARTER, HOUR = 15, 60

    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(
        help_text="15, 60, or the length of the shop's day: 1,440, or an hour less or more."
    )
    simulated = models.BooleanField(default=False)
    open = models.BooleanField(
        default=False, help_text="Some question or call had not ended: it is counted again."
    )
    facts = models.JSONField(default=dict)
    tops = models.JSONField(default=dict)

    class Meta:
        ordering = ("-starts_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["simulated", "minutes", "starts_at"], name="chatbot_aggregate_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                condition=models.Q(open=True),
                name="chatbot_aggregate_open",
            )
        ]
        default_permissions = ()
        permissions = [("view_figures", "Can see the figures of the first page, without texts")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} ({self.minutes} min)"
