"""Sweeping the cache: rows of answers whose time is over are marked, so lists and replicas agree."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from cache.changes import record_changes
from cache.models import Answer, Change, Wording


@shared_task
def sweep_stale() -> int:
    """Mark live and waiting answers past their expiry as stale and tell every replica; returns how many."""
    now = timezone.now()
    with transaction.atomic():
        over = list(
            Answer.objects.select_for_update()
            .filter(status__in=(Answer.LIVE, Answer.WAITING), expires_at__lte=now)
            .values_list("id", flat=True)[:500]
        )
        Answer.objects.filter(id__in=over).update(status=Answer.STALE)
        wordings = Wording.objects.filter(answer_id__in=over).values_list("id", flat=True)
        record_changes(wordings, op=Change.REMOVE, now=now)
    return len(over)
