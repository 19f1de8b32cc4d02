"""Rows of the cache: answers, the wordings that lead to them, and the receipt of every decision.

MANY wordings point to ONE answer. A partition (site, language, audience, prompt version, live or
simulated) is compared exactly and never by distance. Ids of sites, shoppers and questions are plain
columns: no foreign key leads upwards.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from base.words import word
from cache.label_models import Comparison, Label, Recalibration, Supporter
from cache.review_models import Objection, Recall, Review

__all__ = [
    "Answer",
    "Change",
    "Comparison",
    "Label",
    "Lookup",
    "ModelSwitch",
    "Objection",
    "Recalibration",
    "Recall",
    "Review",
    "Source",
    "Supporter",
    "Wording",
    "WordingVector",
]


class Answer(models.Model):
    """A canonical answer that may be served to every shopper of its partition."""

    LIVE, OWN, PINNED, STALE, REVOKED = "live", "own", "pinned", "stale", "revoked"
    WAITING = "waiting"  # for more askers, a judge or staff; served to nobody
    MERGED = "merged"  # it said what another says, which its wordings lead to now
    STATUSES = [(value, value) for value in (LIVE, OWN, PINNED, STALE, REVOKED, WAITING, MERGED)]
    SERVED = (LIVE, PINNED)
    MODEL, ARTICLE, STAFF = "model", "article", "staff"
    ORIGINS = [(value, value) for value in (MODEL, ARTICLE, STAFF)]

    partition = models.CharField(max_length=160, db_index=True)
    text = models.TextField()
    status = models.CharField(max_length=8, choices=STATUSES, default=LIVE)
    origin = models.CharField(max_length=8, choices=ORIGINS, default=MODEL)
    model = models.CharField(max_length=160, blank=True)
    prompt_version = models.CharField(max_length=40, blank=True)
    tier = models.CharField(max_length=8, blank=True)
    owner_shopper_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)
    checked_at = models.DateTimeField(help_text="When it was last made from the shop's articles.")
    expires_at = models.DateTimeField(null=True, blank=True)
    cost_nanousd = models.BigIntegerField(default=0, help_text="What the model call took.")
    served_count = models.PositiveIntegerField(default=0)
    last_served_at = models.DateTimeField(null=True, blank=True)
    simulated = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="merged",
        help_text="It said the same as this one, which its wordings lead to now.",
    )

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(status="own", owner_shopper_id__isnull=False)
                | (~Q(status="own") & Q(owner_shopper_id__isnull=True)),
                name="cache_shared_answer_has_no_owner",
            )
        ]
        indexes = [
            models.Index(
                fields=["partition"], condition=Q(status="waiting"), name="cache_answer_waiting"
            )
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def is_served(self, now: datetime) -> bool:
        """Whether shoppers may get it at `now`: its status says so and it has not expired."""
        return self.status in self.SERVED and (self.expires_at is None or self.expires_at > now)


class Wording(models.Model):
    """One way shoppers put the question that an answer answers."""

    ASKED, CONFIRMED, STAFF = "asked", "confirmed", "staff"
    KINDS = [(value, value) for value in (ASKED, CONFIRMED, STAFF)]

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="wordings")
    partition = models.CharField(max_length=160)
    text = models.TextField()
    key = models.CharField(max_length=64, help_text="Digest of the normalised text.")
    vector = models.BinaryField(null=True, blank=True, editable=False)
    engine_id = models.CharField(max_length=120, blank=True)
    asker_shopper_id = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=10, choices=KINDS, default=ASKED)
    created_at = models.DateTimeField()
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="Served to nobody since then; staff may restore it."
    )
    suspended_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["partition", "key"], name="cache_wording_once_per_partition"
            )
        ]
        indexes = [
            models.Index(fields=["asker_shopper_id", "created_at"], name="cache_wording_by_asker")
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Source(models.Model):
    """An article version that an answer rests on; a newer version makes the answer stale."""

    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="sources")
    article_key = models.CharField(max_length=80, db_index=True)
    locale = models.CharField(max_length=10)
    article_version = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "article_key", "locale"], name="cache_source_once_per_answer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_key} v{self.article_version}"


class Lookup(models.Model):
    """The receipt of one decision: what was looked up, what matched, what spoke against it.

    `answer` is what was served from the store; `stored` is what the question's own new answer was
    stored as. Together they name everyone who ever received an answer.
    """

    OUTCOMES = [
        (value, value)
        for value in ("exact", "semantic", "confirmed", "joined", "stale", "miss", "bypass")
    ]

    question_id = models.BigIntegerField(db_index=True)
    site_id = models.BigIntegerField()
    partition = models.CharField(max_length=160)
    outcome = models.CharField(max_length=10, choices=OUTCOMES)
    answer = models.ForeignKey(Answer, null=True, blank=True, on_delete=models.SET_NULL)
    wording = models.ForeignKey(Wording, null=True, blank=True, on_delete=models.SET_NULL)
    stored = models.ForeignKey(
        Answer, null=True, blank=True, on_delete=models.SET_NULL, related_name="first_receipts"
    )
    shopper_id = models.BigIntegerField(null=True, blank=True)
    matched_text = models.TextField(
        blank=True, help_text="The wording as it stood when it matched."
    )
    cosine = models.FloatField(null=True, blank=True)
    probability = models.FloatField(
        null=True, blank=True, help_text="That the answer is the right one, as the decision saw it."
    )
    judged_by = models.CharField(max_length=80, blank=True, help_text="The model that decided.")
    features = models.JSONField(
        default=list, blank=True, help_text="The numbers it judged, rounded; see cache/evidence.py."
    )
    article_versions = models.JSONField(
        default=list, blank=True, help_text="[key, locale, version] of each article it rested on."
    )
    answer_age_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="Since the answer was made from the articles."
    )
    model = models.CharField(max_length=160, blank=True)
    cost_nanousd = models.BigIntegerField(default=0, help_text="What this question's calls took.")
    nearest = models.ForeignKey(
        Wording, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    nearest_cosine = models.FloatField(
        null=True, blank=True, help_text="Best candidate, served or not."
    )
    nearest_text = models.TextField(blank=True)
    reason = models.CharField(max_length=200)
    vetoes = models.JSONField(default=list, blank=True)
    guards = models.JSONField(default=list, blank=True)
    engine_id = models.CharField(max_length=120, blank=True)
    revision = models.PositiveBigIntegerField(default=0)
    at = models.DateTimeField(db_index=True)
    ms = models.FloatField(default=0)
    saved_nanousd = models.BigIntegerField(
        default=0, help_text="Cost of the call that the hit avoided."
    )
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["simulated", "at"], name="cache_lookup_by_time")]

    def __str__(self) -> str:
        return f"{word(self.outcome)} {self.reason}"


class Change(models.Model):
    """One change of the served wordings, in commit order; replicas follow it."""

    ADD, REMOVE = "add", "remove"

    seq = models.PositiveBigIntegerField(unique=True)
    op = models.CharField(max_length=6, choices=[(ADD, ADD), (REMOVE, REMOVE)])
    wording_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("seq",)

    def __str__(self) -> str:
        return f"{self.seq} {self.op} {self.wording_id}"


class WordingVector(models.Model):
    """A wording's vector by another engine than the one that was active when it was stored."""

    wording = models.ForeignKey(Wording, on_delete=models.CASCADE, related_name="vectors")
    engine_id = models.CharField(max_length=120)
    vector = models.BinaryField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wording", "engine_id"], name="cache_vector_once_per_engine"
            )
        ]

    def __str__(self) -> str:
        return f"{self.wording_id} {self.engine_id}"


class ModelSwitch(models.Model):
    """A change of the embedding model; the newest holds as long as EMBEDDING_MODEL is `instead_of`."""

    model = models.CharField(max_length=300, blank=True, help_text="Empty: the packaged one.")
    instead_of = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.model or 'the packaged model'} {self.at:%Y-%m-%d %H:%M}"
