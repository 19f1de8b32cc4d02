"""One row: the revision number that every configuration save bumps."""

from __future__ import annotations

from django.db import models


class Revision(models.Model):
    """The configuration's revision; processes re-read their snapshot when it changes."""

    number = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"revision {self.number}"


class Counter(models.Model):
    """A named number that only rises; its row lock orders the transactions that take from it."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.value}"
