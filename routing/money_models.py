"""Rows about money: what may be spent, what was spent, what vendors say, and what people must know.

`routing.models` has the rows that these belong to and takes these in, so that Django finds them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext

from base.words import word
from routing.specs import Period, Tier

PERIOD_CHOICES = [(period.value, period.value) for period in Period]
_TIER_CHOICES = [(tier.value, tier.value) for tier in Tier]


class Quota(models.Model):
    """What a key may use per period, as agreed with the vendor."""

    endpoint = models.ForeignKey(
        "routing.Endpoint", on_delete=models.CASCADE, related_name="quotas"
    )
    period = models.CharField(max_length=5, choices=PERIOD_CHOICES)
    limit_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    limit_nanousd = models.PositiveBigIntegerField(null=True, blank=True)
    reset_zone = models.CharField(
        max_length=40, default="UTC", help_text="Time zone in which the vendor's day begins."
    )

    def __str__(self) -> str:
        return gettext("%(what)s per %(period)s") % {
            "what": self.endpoint,
            "period": word(self.period),
        }


class Budget(models.Model):
    """What the shop is willing to spend per period; whatever is left empty means everything."""

    period = models.CharField(max_length=5, choices=PERIOD_CHOICES)
    site_id = models.BigIntegerField(
        "site", null=True, blank=True, help_text="Number of the site. Empty: all sites."
    )
    tier = models.CharField(max_length=8, choices=_TIER_CHOICES, blank=True)
    model = models.ForeignKey("routing.Model", null=True, blank=True, on_delete=models.CASCADE)
    limit_nanousd = models.PositiveBigIntegerField()
    time_zone = models.CharField(
        max_length=40, default="UTC", help_text="The period begins at midnight there."
    )

    def __str__(self) -> str:
        site = "" if self.site_id is None else gettext("site %(number)s") % {"number": self.site_id}
        parts = [part for part in (site, self.tier, str(self.model or "")) if part]
        return gettext("%(what)s per %(period)s") % {
            "what": ", ".join(parts) or gettext("everything"),
            "period": word(self.period),
        }


class Spending(models.Model):
    """What counts against one budget or quota in one period.

    `row_id` is a plain number, so that a call may end after its budget was deleted. `covers` says
    in words what is counted; another scope of the same row is another count.
    """

    BUDGET, QUOTA = "budget", "quota"

    kind = models.CharField(max_length=6, choices=[(BUDGET, BUDGET), (QUOTA, QUOTA)])
    row_id = models.BigIntegerField()
    covers = models.CharField(max_length=240)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    simulated = models.BooleanField(default=False)
    spent_nanousd = models.BigIntegerField(default=0)
    reserved_nanousd = models.BigIntegerField(default=0)
    spent_tokens = models.BigIntegerField(default=0)
    reserved_tokens = models.BigIntegerField(default=0)
    warned_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "row_id", "covers", "period_start", "simulated"],
                name="routing_spending_once_per_period",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row_id} from {self.period_start:%Y-%m-%d}"


class Statement(models.Model):
    """What a vendor said about an account at a moment, beside our own ledger since the last time.

    Amounts are nano-units of `currency`. An empty amount was not told; `problem` says why a reading
    or a comparison is missing.
    """

    endpoint = models.ForeignKey(
        "routing.Endpoint", on_delete=models.CASCADE, related_name="statements"
    )
    read_at = models.DateTimeField(db_index=True)
    currency = models.CharField(max_length=3, blank=True)
    used_nano = models.BigIntegerField(null=True, blank=True)
    limit_nano = models.BigIntegerField(null=True, blank=True)
    remaining_nano = models.BigIntegerField(null=True, blank=True)
    reset_at = models.DateTimeField(null=True, blank=True)
    vendor_nano = models.BigIntegerField(
        null=True, blank=True, help_text="Spent since the reading before, by the vendor's figures."
    )
    ledger_nano = models.BigIntegerField(
        null=True, blank=True, help_text="Spent since the reading before, by our ledger."
    )
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.endpoint}, {self.read_at:%Y-%m-%d %H:%M}"


class Alert(models.Model):
    """Something that a person must know, one open row per cause.

    `period_end` ends the time in which the same cause is the same event: when it happens again after
    that, it is told again.
    """

    WARNING, DANGER = "warning", "danger"

    cause = models.CharField(max_length=200)
    severity = models.CharField(max_length=7, choices=[(WARNING, WARNING), (DANGER, DANGER)])
    text = models.CharField(max_length=500)
    path = models.CharField(max_length=300, help_text="The admin page on which it is put right.")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    period_end = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    webhook_sent_at = models.DateTimeField(null=True, blank=True)
    email_sent_at = models.DateTimeField(null=True, blank=True)
    send_after = models.DateTimeField(db_index=True)
    send_attempts = models.PositiveSmallIntegerField(default=0)
    send_error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-last_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["cause"],
                condition=models.Q(acknowledged_at__isnull=True),
                name="routing_alert_open_once_per_cause",
            )
        ]

    def __str__(self) -> str:
        return self.text
