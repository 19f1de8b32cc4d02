"""Background work that nobody waits for. Every task works off rows, so running it twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cache.models import Answer, Lookup
from chatbot.models import Conversation, Outbox
from chatbot.tallies import count_closed_buckets
from routing.models import Call

OUTBOX_BATCH = 100


@shared_task
def work_outbox() -> int:
    """Do what is due in the outbox, oldest first; a failing row is tried again later, with a growing wait."""
    done = 0
    due = Outbox.objects.filter(done_at__isnull=True, available_at__lte=timezone.now())
    for row_id in list(due.order_by("id").values_list("id", flat=True)[:OUTBOX_BATCH]):
        done += _work_one(row_id)
    return done


@transaction.atomic
def _work_one(row_id: int) -> int:
    row = Outbox.objects.select_for_update().filter(id=row_id, done_at__isnull=True).first()
    if row is None:
        return 0
    if row.kind == "served":
        _note_served(int(row.payload["answer_id"]))
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])
    return 1


def _note_served(answer_id: int) -> None:
    Answer.objects.filter(id=answer_id).update(
        served_count=F("served_count") + 1, last_served_at=timezone.now()
    )


@shared_task
def count_up() -> int:
    """Add closed quarter hours to the tallies; returns how many buckets were written."""
    return count_closed_buckets(now=timezone.now())


@shared_task
def prune() -> dict[str, int]:
    """Delete conversations, receipts, calls and done outbox rows that are older than RETENTION_DAYS."""
    limit = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return {
        "conversations": Conversation.objects.filter(last_at__lt=limit).delete()[0],
        "lookups": Lookup.objects.filter(at__lt=limit).delete()[0],
        "calls": Call.objects.filter(started_at__lt=limit).delete()[0],
        "outbox": Outbox.objects.filter(done_at__lt=limit).delete()[0],
    }
