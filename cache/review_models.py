"""Rows of what people said about served answers: shoppers' objections, staff's decisions, recalls."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext


class Objection(models.Model):
    """A shopper said that what was served through a wording was not the answer: a thumb or a retry.

    One row per wording, answer and shopper: who says it again counts once. `settled_at` is set when
    staff have decided; from then on the row no longer counts.
    """

    THUMB, RETRY = "thumb", "retry"

    wording = models.ForeignKey(
        "cache.Wording", on_delete=models.CASCADE, related_name="objections"
    )
    answer = models.ForeignKey("cache.Answer", on_delete=models.CASCADE, related_name="objections")
    shopper_id = models.BigIntegerField()
    question_id = models.BigIntegerField(db_index=True)
    kind = models.CharField(max_length=5, choices=[(THUMB, THUMB), (RETRY, RETRY)])
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wording", "answer", "shopper_id"], name="cache_objection_once_per_shopper"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.shopper_id}"


class Review(models.Model):
    """One decision of staff on a receipt; wording and answer are those of that moment.

    It holds no text of a shopper: those are in the receipt and go when it goes.
    """

    RIGHT, WRONG, EDIT, PIN, REVOKE = "right", "wrong", "edit", "pin", "revoke"
    DECISIONS = [(value, value) for value in (RIGHT, WRONG, EDIT, PIN, REVOKE)]

    lookup = models.ForeignKey(
        "cache.Lookup", null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    wording = models.ForeignKey(
        "cache.Wording", null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    answer = models.ForeignKey(
        "cache.Answer", null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews"
    )
    decision = models.CharField(max_length=6, choices=DECISIONS)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.decision} by {self.by}"


class Recall(models.Model):
    """An answer was taken back: by whom, why, and how many conversations were told."""

    answer = models.ForeignKey("cache.Answer", on_delete=models.CASCADE, related_name="recalls")
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=300, blank=True)
    text = models.TextField(
        blank=True, help_text="Empty: the product's own sentence, in the shopper's language."
    )
    recipients = models.PositiveIntegerField(default=0, help_text="Conversations told so far.")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        said = gettext("answer %(number)s, %(user)s")
        return said % {"number": self.answer_id, "user": self.by}
