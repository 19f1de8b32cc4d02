"""Rows of what is said about answers: comparisons of two, judgements on pairs, supporters of one that waits."""

from __future__ import annotations

from django.db import models


class Comparison(models.Model):
    """Two answers that may say the same; a judge settles it when there is time and money.

    A judge errs, and two answers that are kept apart wrongly stay so: the pair is judged once more when a later
    answer links the two, by a stricter rule (`chatbot/judging.py`).
    """

    WAITING, SAME, DIFFERENT, GIVEN_UP = "waiting", "same", "different", "given up"
    STATES = [(value, value) for value in (WAITING, SAME, DIFFERENT, GIVEN_UP)]

    LAST_ROUND = 2

    new_answer = models.ForeignKey(
        "cache.Answer", on_delete=models.CASCADE, related_name="compared_as_new"
    )
    old_answer = models.ForeignKey(
        "cache.Answer", on_delete=models.CASCADE, related_name="compared_as_old"
    )
    state = models.CharField(max_length=10, choices=STATES, default=WAITING, db_index=True)
    round = models.PositiveSmallIntegerField(default=1)
    attempts = models.PositiveSmallIntegerField(default=0)
    judged_by = models.CharField(max_length=160, blank=True)
    cost_nanousd = models.BigIntegerField(default=0, help_text="What the judge's calls took.")
    at = models.DateTimeField()
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["new_answer", "old_answer"], name="cache_comparison_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.new_answer_id} / {self.old_answer_id}: {self.state}"

    @property
    def may_be_asked_again(self) -> bool:
        """Whether a later answer that links the two may have them judged once more."""
        return self.state == self.DIFFERENT and self.round < self.LAST_ROUND


class Label(models.Model):
    """One judgement whether an answer is right for a question, by the one who made it; newest counts.

    `question_key` is the digest of the question's normalised text, so that judgements of the same
    words by several shoppers can be counted; `features` are the figures of the look-up.
    """

    CONFIRM, NONE, THUMB, RETRY, STAFF, JUDGE = (
        "confirm",
        "none",
        "thumb",
        "retry",
        "staff",
        "judge",
    )
    KINDS = [(value, value) for value in (CONFIRM, NONE, THUMB, RETRY, STAFF, JUDGE)]

    question_id = models.BigIntegerField()
    question_key = models.CharField(max_length=64, blank=True)
    features = models.JSONField(default=dict, blank=True)
    wording_id = models.BigIntegerField(db_index=True)
    answer_id = models.BigIntegerField()
    shopper_id = models.BigIntegerField()
    partition = models.CharField(max_length=160)
    kind = models.CharField(max_length=7, choices=KINDS)
    right = models.BooleanField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["question_id", "wording_id", "kind", "shopper_id"], name="cache_label_once"
            )
        ]
        indexes = [models.Index(fields=["answer_id", "question_key"], name="cache_label_by_pair")]

    def __str__(self) -> str:
        return f"{self.kind} {'right' if self.right else 'wrong'}"


class Recalibration(models.Model):
    """A decision model fitted to live labels: its logit is stretched and shifted; the newest counts.

    `judgement` is the model's name with its digest: what was learned for one model is not laid on the next.
    """

    judgement = models.CharField(max_length=80, db_index=True)
    scale = models.FloatField()
    shift = models.FloatField()
    labels = models.PositiveIntegerField()
    held_back = models.PositiveIntegerField()
    loss_before = models.FloatField(help_text="Mean log loss on held-back labels, the old model.")
    loss_after = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.judgement}: {self.scale:.2f}, {self.shift:+.2f}"


class Supporter(models.Model):
    """A shopper who got the answer that waits; enough of them admit it."""

    answer = models.ForeignKey("cache.Answer", on_delete=models.CASCADE, related_name="supporters")
    shopper_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["answer", "shopper_id"], name="cache_supporter_once")
        ]

    def __str__(self) -> str:
        return f"{self.answer_id} {self.shopper_id}"
