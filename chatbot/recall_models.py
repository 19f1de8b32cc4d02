"""Rows of what was sent after a recall."""

from __future__ import annotations

from django.db import models


class Correction(models.Model):
    """The one correction that a conversation got for a recall; written together with its frame.

    `number` rises by one over all corrections in commit order; every process follows it and shows
    new ones to whoever is looking at the conversation.
    """

    number = models.PositiveBigIntegerField(unique=True)
    recall = models.ForeignKey("cache.Recall", on_delete=models.CASCADE, related_name="corrections")
    conversation = models.ForeignKey(
        "chatbot.Conversation", on_delete=models.CASCADE, related_name="corrections"
    )
    question = models.ForeignKey(
        "chatbot.Question", on_delete=models.CASCADE, related_name="corrections"
    )
    seq = models.PositiveBigIntegerField(help_text="Of the frame in its conversation.")
    at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(
                fields=["recall", "conversation"], name="chatbot_correction_once"
            )
        ]

    def __str__(self) -> str:
        return f"recall {self.recall_id} in conversation {self.conversation_id}"
