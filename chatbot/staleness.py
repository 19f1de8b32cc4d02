"""An article changed: which answers rested on it, and making them anew.

Serving never depends on this: a look-up compares article versions by itself. What is done here keeps rows,
lists and replicas in step, and answers again what shoppers ask most.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cache.changes import record_changes
from cache.models import Answer, Change, Wording
from chatbot.models import Article, Outbox

ARTICLE_CHANGED = "article_changed"
REFRESH_PER_CHANGE = 50


def note_change(article: Article) -> None:
    """Remember, in the transaction of the save, that answers resting on this article have to be seen to."""
    Outbox.objects.create(
        kind=ARTICLE_CHANGED,
        payload={"key": article.key, "locale": article.locale},
        available_at=timezone.now(),
    )


@transaction.atomic
def mark_stale(*, key: str, locale: str, now: datetime) -> list[int]:
    """Mark answers of older versions of an article stale; returns their ids, most served first."""
    article = Article.objects.filter(key=key, locale=locale, enabled=True).first()
    version = article.version if article is not None else 0
    resting = Q(sources__article_key=key, sources__locale=locale) & ~Q(
        sources__article_version=version
    )
    stale = list(
        Answer.objects.filter(resting, status=Answer.LIVE)
        .order_by("-served_count", "-id")
        .values_list("id", flat=True)
        .distinct()
    )
    Answer.objects.filter(id__in=stale).update(status=Answer.STALE)
    wordings = Wording.objects.filter(answer_id__in=stale).values_list("id", flat=True)
    record_changes(wordings, op=Change.REMOVE, now=now)
    return stale


def adopt_wordings(
    *, old_answer_id: int, new_answer_id: int, fits: Callable[[str], bool], now: datetime
) -> int:
    """Let the wordings of a stale answer that `fits` lets through lead to the one that replaces it.

    The others stay stale: their next asker gets an answer of their own. Returns how many moved.
    """
    with transaction.atomic():
        rows = Wording.objects.filter(answer_id=old_answer_id).values_list("id", "text")
        moved = [wording_id for wording_id, text in rows if fits(text)]
        Wording.objects.filter(id__in=moved).update(answer_id=new_answer_id)
        record_changes(moved, op=Change.ADD, now=now)
    return len(moved)
