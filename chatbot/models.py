"""Rows of the conversation: shoppers, questions, the frames as sent; the shop's own are in `shop_models.py`.

A question ends exactly once: the terminal state is ONE conditional UPDATE, and who loses it writes
nothing. A frame's `seq` is given out under the conversation's row lock inside the writing transaction, so
commit order equals number order and a reader that resumes after `seq` misses nothing.
"""

from __future__ import annotations

from django.db import models

from base.words import word
from chatbot.dry_run_models import DryRun
from chatbot.recall_models import Correction
from chatbot.report_models import Aggregate
from chatbot.shop_models import (
    Article,
    ArticleVersion,
    Product,
    ShopFile,
    Site,
    default_locales,
)

__all__ = [
    "Aggregate",
    "Article",
    "ArticleVersion",
    "Confirmation",
    "Conversation",
    "Correction",
    "DryRun",
    "Feedback",
    "Frame",
    "Handoff",
    "Outbox",
    "Product",
    "Question",
    "ShopFile",
    "Shopper",
    "Site",
    "Tally",
    "default_locales",
]


class Shopper(models.Model):
    """Someone who chats, known only by a random public id in a signed cookie."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="shoppers")
    public_id = models.CharField(max_length=32, unique=True)
    external_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.public_id


class Conversation(models.Model):
    """One shopper's chat; `last_seq` is the newest durable frame's number."""

    shopper = models.ForeignKey(Shopper, on_delete=models.CASCADE, related_name="conversations")
    public_id = models.CharField(max_length=36, unique=True)
    locale = models.CharField(max_length=10, default="en")
    last_seq = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True, db_index=True)
    last_at = models.DateTimeField(auto_now=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.public_id


class Question(models.Model):
    """A shopper's question from acceptance to its one terminal state."""

    ACCEPTED, WORKING, WAITING, CONFIRMING = "accepted", "working", "waiting", "confirming"
    ANSWERED, HANDED_OVER, FAILED, STOPPED = "answered", "handed_over", "failed", "stopped"
    OPEN = (ACCEPTED, WORKING, WAITING, CONFIRMING)
    TERMINAL = (ANSWERED, HANDED_OVER, FAILED, STOPPED)
    STATES = [(value, value) for value in (*OPEN, *TERMINAL)]

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="questions"
    )
    client_id = models.CharField(max_length=64)
    text = models.TextField()
    locale = models.CharField(max_length=10)
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=12, choices=STATES, default=ACCEPTED, db_index=True)
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    accepted_at = models.DateTimeField(db_index=True)
    deadline_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    origin = models.CharField(max_length=10, blank=True)
    cache = models.CharField(max_length=10, blank=True)
    tier = models.CharField(max_length=8, blank=True)
    tier_reason = models.CharField(max_length=300, blank=True)
    decided_tier = models.CharField(max_length=8, blank=True)
    matched_rule = models.CharField(max_length=100, blank=True)
    matched_example = models.CharField(max_length=500, blank=True)
    decision_score = models.FloatField(null=True, blank=True)
    abstained = models.BooleanField(default=False)
    start_state = models.JSONField(default=dict, blank=True)
    model = models.CharField(max_length=160, blank=True)
    error_code = models.CharField(max_length=20, blank=True)
    guards = models.JSONField(default=list, blank=True)
    first_content_ms = models.PositiveIntegerField(null=True, blank=True)
    total_ms = models.PositiveIntegerField(null=True, blank=True)
    cost_nanousd = models.BigIntegerField(default=0)
    revision = models.PositiveBigIntegerField(default=0)
    rule_set_version = models.PositiveIntegerField(default=0)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "client_id"], name="chatbot_question_once"
            )
        ]
        indexes = [
            models.Index(fields=["simulated", "accepted_at"], name="chatbot_question_by_time")
        ]
        permissions = [
            ("test_question", "Can use the test console"),
            ("run_test_question", "Can let a model answer in the test console"),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Confirmation(models.Model):
    """Wordings that a shopper was offered ("did you mean"), and what became of it; one per question.

    `options` are objects of option, question, key, wording_id, answer_id and cosine. `chosen` is an
    option, or None for "none of these" once `settled_at` is set.
    """

    TAP, TIME, ASK, LOST = "tap", "time", "ask", "lost"

    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="confirmation")
    options = models.JSONField(default=list)
    offered_at = models.DateTimeField()
    chosen = models.PositiveSmallIntegerField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(
        max_length=4, blank=True, choices=[(value, value) for value in (TAP, TIME, ASK, LOST)]
    )

    def __str__(self) -> str:
        return f"{len(self.options)} options, {self.settled_by or 'open'}"


class Frame(models.Model):
    """A durable frame exactly as it was sent; the shopper's page is rebuilt from these."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="frames")
    seq = models.PositiveBigIntegerField()
    question = models.ForeignKey(Question, null=True, blank=True, on_delete=models.CASCADE)
    body = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("conversation", "seq")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="chatbot_frame_seq_once")
        ]

    def __str__(self) -> str:
        return f"{self.seq} {word(self.body.get('type', ''))}"


class Outbox(models.Model):
    """Work for later that must survive a restart: written in the transaction that causes it."""

    kind = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    available_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "outbox"
        indexes = [models.Index(fields=["done_at", "available_at"], name="chatbot_outbox_due")]

    def __str__(self) -> str:
        return word(self.kind)


class Feedback(models.Model):
    """A shopper's thumb on an answer; the newest one counts."""

    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="feedback")
    value = models.CharField(max_length=4, choices=[("up", "up"), ("down", "down")])
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return word(self.value)


class Handoff(models.Model):
    """A question that waits for a person."""

    question = models.OneToOneField(Question, on_delete=models.CASCADE, related_name="handoff")
    state = models.CharField(max_length=12, default="waiting")
    created_at = models.DateTimeField(auto_now_add=True)
    taken_by = models.CharField(max_length=150, blank=True)

    def __str__(self) -> str:
        return self.state


class Tally(models.Model):
    """Counts and sums per 15 UTC minutes, kept after the rows they were counted from are pruned."""

    starts_at = models.DateTimeField()
    site_id = models.BigIntegerField()
    simulated = models.BooleanField(default=False)
    metric = models.CharField(max_length=40)
    label = models.CharField(max_length=160, blank=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        ordering = ("-starts_at", "metric", "label")
        constraints = [
            models.UniqueConstraint(
                fields=["starts_at", "site_id", "simulated", "metric", "label"],
                name="chatbot_tally_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"
