"""Rows of dry runs: which set was tried on which questions, how far that has come, and what it found."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from routing.models import RuleSet


class DryRun(models.Model):
    """One trial of a rule set on past questions; nothing that shoppers see depends on it.

    `result` is what `chatbot.dry_report` writes. A row that is WAITING is taken up by the next process that
    looks for one; `seen_at` is when its process last said that it lives.
    """

    WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
    OPEN = (WAITING, RUNNING)
    STATES = [
        (WAITING, _("waiting")),
        (RUNNING, _("running")),
        (DONE, _("done")),
        (FAILED, _("failed")),
        (STOPPED, _("stopped")),
    ]

    rule_set = models.ForeignKey(
        RuleSet, null=True, blank=True, on_delete=models.SET_NULL, related_name="dry_runs"
    )
    version = models.PositiveIntegerField(help_text="Of the set that was tried.")
    parameters = models.JSONField(default=dict)
    upload = models.BinaryField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=8, choices=STATES, default=WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    stop_asked = models.BooleanField(default=False, editable=False)
    result = models.JSONField(default=dict, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    started_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = [("run_dryrun", "Can dry-run rule sets on past questions")]

    def __str__(self) -> str:
        return f"dry run {self.pk} of version {self.version}"
