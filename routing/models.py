"""Rows of routing: endpoints, models, prices, chains, and one ledger row per attempt; rule sets: `rule_models.py`.

No foreign key leads upwards: questions and sites are plain columns. A model id, a price or a limit is
data that staff edit; `source` says where a seeded figure came from and when it was read.
"""

from __future__ import annotations

from django.db import models

from base.words import word
from routing.hold_models import Hold
from routing.money_models import Alert, Budget, Quota, Spending, Statement
from routing.rule_models import TIER_CHOICES, Example, KillSwitch, Rule, RuleSet
from routing.specs import VendorKind

__all__ = [
    "Alert",
    "Budget",
    "Call",
    "Chain",
    "Endpoint",
    "Example",
    "ExchangeRate",
    "Hold",
    "KillSwitch",
    "Model",
    "Price",
    "Quota",
    "Rule",
    "RuleSet",
    "Spending",
    "Statement",
]

KIND_CHOICES = [(kind.value, kind.value) for kind in VendorKind]


class Endpoint(models.Model):
    """An address that answers: a vendor, or a gateway that resells several."""

    key = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=24, choices=KIND_CHOICES)
    base_url = models.URLField(
        help_text="Without a trailing slash. The environment wins over this value."
    )
    base_url_env = models.CharField(max_length=80, help_text="Variable that overrides the address.")
    key_env = models.CharField(max_length=80, help_text="NAME of the variable that holds the key.")
    currency = models.CharField(max_length=3, default="USD")
    account = models.CharField(
        max_length=8,
        choices=[("usage", "GET /usage"), ("balance", "GET /user/balance")],
        blank=True,
        help_text="Which page tells what the key has used or has left. Empty: the vendor has none.",
    )
    enabled = models.BooleanField(default=True)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.name


class Model(models.Model):
    """One model at one endpoint, with the limits that the vendor grants to our key."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="models")
    name = models.CharField(max_length=120, help_text="The id as sent over the wire.")
    api_version = models.CharField(max_length=40, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    requests_per_day = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    input_tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    output_tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    in_flight = models.PositiveIntegerField(null=True, blank=True)
    context_tokens = models.PositiveIntegerField(default=128_000)
    max_output_tokens = models.PositiveIntegerField(default=4_096)
    temperature = models.FloatField(
        null=True, blank=True, help_text="Empty: the parameter is not sent (some models refuse it)."
    )
    extra_parameters = models.JSONField(default=dict, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True, help_text="Last day on which it answers.")
    enabled = models.BooleanField(default=True)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("endpoint__key", "name")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "name"], name="routing_model_once_per_endpoint"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.endpoint.name})"


class Price(models.Model):
    """A dated list price: nano-units of the currency per token (0.30 per million = 300)."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="prices")
    model_name = models.CharField(max_length=120, help_text="The id as named in the RESPONSE.")
    valid_from = models.DateField()
    currency = models.CharField(max_length=3, default="USD")
    input_nano_per_token = models.PositiveBigIntegerField()
    cached_input_nano_per_token = models.PositiveBigIntegerField()
    output_nano_per_token = models.PositiveBigIntegerField()
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("endpoint__key", "model_name", "-valid_from")
        permissions = [("import_price", "Can import prices")]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "model_name", "valid_from"], name="routing_price_once_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_name}, {self.valid_from}"


class ExchangeRate(models.Model):
    """US dollars per unit of a currency from a day on."""

    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    usd_per_unit = models.DecimalField(max_digits=14, decimal_places=8)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("currency", "-valid_from")
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "valid_from"], name="routing_rate_once_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.currency}, {self.valid_from}"


class Chain(models.Model):
    """One place in the order of models of a tier: smaller position is tried first."""

    tier = models.CharField(max_length=8, choices=TIER_CHOICES)
    position = models.PositiveSmallIntegerField()
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="places")
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ("tier", "position")
        constraints = [
            models.UniqueConstraint(fields=["tier", "model"], name="routing_model_once_per_chain")
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.position}: {self.model}"


class Call(models.Model):
    """The ledger: one row per attempt at a vendor, written before the request is sent."""

    STARTED, COMPLETED, FAILED, ABORTED, UNKNOWN = (
        "started",
        "completed",
        "failed",
        "aborted",
        "unknown",
    )
    OUTCOMES = [(value, value) for value in (STARTED, COMPLETED, FAILED, ABORTED, UNKNOWN)]

    attempt_id = models.CharField(max_length=36, unique=True)
    question_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    site_id = models.BigIntegerField(null=True, blank=True)
    tier = models.CharField(max_length=8, choices=TIER_CHOICES, blank=True)
    endpoint_key = models.CharField(max_length=50)
    model_asked = models.CharField(max_length=120)
    model_served = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField(db_index=True)
    deadline_at = models.DateTimeField(
        null=True, blank=True, help_text="A row that is still started long after it was lost."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=OUTCOMES, default=STARTED)
    failure = models.CharField(max_length=20, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    vendor_code = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    finish_reason = models.CharField(max_length=10, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    tokens_estimated = models.BooleanField(default=False, help_text="No usage was returned.")
    currency = models.CharField(max_length=3, default="USD")
    amount_nano = models.BigIntegerField(default=0, help_text="In the vendor's currency.")
    usd_per_unit = models.DecimalField(max_digits=14, decimal_places=8, default=1)
    cost_nanousd = models.BigIntegerField(default=0)
    reserved_input_tokens = models.PositiveIntegerField(default=0)
    reserved_output_tokens = models.PositiveIntegerField(default=0)
    reserved_nanousd = models.BigIntegerField(
        default=0, help_text="What the call may cost at most, as estimated before it was sent."
    )
    held_in = models.JSONField(
        default=list, blank=True, help_text="Rows of spending that hold the reservation."
    )
    priced = models.BooleanField(
        default=True, help_text="False: no price was known for the model served."
    )
    wait_ms = models.PositiveIntegerField(default=0)
    first_content_ms = models.PositiveIntegerField(null=True, blank=True)
    total_ms = models.PositiveIntegerField(null=True, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["simulated", "started_at"], name="routing_call_by_time")]

    def __str__(self) -> str:
        return f"{self.model_asked} {word(self.outcome)}"
