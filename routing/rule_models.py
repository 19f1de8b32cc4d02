"""Rows of rule sets: ordered rules, labelled examples, when a set is in force, and the switch past all of them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from base.words import word
from routing.rules import Audience, CacheUse
from routing.specs import Tier

TIER_CHOICES = [(tier.value, tier.value) for tier in Tier]
AUDIENCE_CHOICES = [
    (Audience.EVERYONE.value, _("everyone: the same answer for all")),
    (Audience.PERSONAL.value, _("personal: about the shopper's own case")),
    (Audience.FOLLOW_UP.value, _("follow-up: leans on earlier turns")),
]
CACHE_CHOICES = [
    (CacheUse.USUAL.value, _("as usual")),
    (CacheUse.NO_READ.value, _("serve no stored answer")),
    (CacheUse.NO_WRITE.value, _("store no answer")),
    (CacheUse.NEITHER.value, _("neither serve nor store")),
]


class RuleSet(models.Model):
    """A draft that staff edit, or a published copy that nobody may change.

    A published set is in force from its publishing, or within `starts_at` and `ends_at`; which one decides at
    a moment is said by `rulebook.py`.
    """

    DRAFT, PUBLISHED = "draft", "published"

    version = models.PositiveIntegerField(unique=True)
    state = models.CharField(
        max_length=10, choices=[(DRAFT, DRAFT), (PUBLISHED, PUBLISHED)], default=DRAFT
    )
    note = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=150, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.CharField(max_length=150, blank=True, editable=False)
    parameters = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("How the nearest examples vote; what is left out keeps its default."),
    )
    frozen_chains = models.JSONField(
        default=dict, blank=True, help_text="Chains as they stood when this set was published."
    )

    class Meta:
        ordering = ("-version",)
        permissions = [("publish_ruleset", "Can publish rule sets")]

    def __str__(self) -> str:
        said = gettext("rule set %(version)s (%(state)s)")
        return said % {"version": self.version, "state": word(self.state)}


class Rule(models.Model):
    """An ordered rule of a set; the first whose predicates all hold decides."""

    rule_set = models.ForeignKey(RuleSet, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=10, blank=True, help_text="Empty: every language.")
    any_of = models.JSONField(
        default=list, help_text="Matches when the text holds one of these phrases."
    )
    all_of = models.JSONField(default=list, blank=True, help_text="... and every one of these.")
    none_of = models.JSONField(default=list, blank=True, help_text="... and none of these.")
    min_characters = models.PositiveSmallIntegerField(default=0)
    max_characters = models.PositiveSmallIntegerField(null=True, blank=True)
    audience = models.CharField(max_length=10, blank=True, choices=AUDIENCE_CHOICES)
    from_time = models.TimeField(null=True, blank=True)
    until_time = models.TimeField(null=True, blank=True)
    weekdays = models.JSONField(default=list, blank=True)
    topics = models.JSONField(default=list, blank=True)
    near_text = models.CharField(max_length=500, blank=True)
    near_tier = models.CharField(max_length=8, blank=True, choices=TIER_CHOICES)
    min_cosine = models.FloatField(
        default=0.0, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    tier = models.CharField(max_length=8, blank=True, choices=TIER_CHOICES)
    prefer_quality = models.BooleanField(default=False)
    chain = models.CharField(max_length=8, blank=True, choices=TIER_CHOICES)
    to_person = models.BooleanField(default=False)
    article = models.CharField(max_length=120, blank=True)
    cache = models.CharField(max_length=8, blank=True, choices=CACHE_CHOICES)
    max_tokens = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(16), MaxValueValidator(4_096)]
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ("rule_set", "position")

    def __str__(self) -> str:
        off = "" if self.enabled else " (" + gettext("off") + ")"
        return f"{self.position}. {self.name} → {self.tier or gettext('tier by examples')}{off}"


class Example(models.Model):
    """A labelled question; new questions take the tier of their nearest examples."""

    rule_set = models.ForeignKey(RuleSet, on_delete=models.CASCADE, related_name="examples")
    text = models.CharField(max_length=500)
    language = models.CharField(max_length=10)
    tier = models.CharField(max_length=8, choices=TIER_CHOICES)
    vector = models.BinaryField(null=True, blank=True, editable=False)
    engine_id = models.CharField(max_length=120, blank=True, editable=False)

    class Meta:
        ordering = ("tier", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["rule_set", "text"], name="routing_example_once_per_set"
            )
        ]

    def __str__(self) -> str:
        return self.text


class KillSwitch(models.Model):
    """Every flip of the switch past all published sets; the newest row says how it stands."""

    on = models.BooleanField()
    note = models.CharField(max_length=300)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "kill switch"
        permissions = [("flip_killswitch", "Can switch to the built-in rules and back")]

    def __str__(self) -> str:
        return gettext("built-in rules on") if self.on else gettext("built-in rules off")
