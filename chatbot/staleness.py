"""An article changed: which answers rested on it, and making them anew.

Serving never depends on this: a look-up compares article versions by itself. What is done here keeps rows,
lists and replicas in step, and answers again what shoppers ask most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from cache.changes import record_changes
from cache.models import Answer, Change, Lookup, Wording
from chatbot.models import Article, Outbox

ARTICLE_CHANGED = "article_changed"
REFRESH = "refresh"
REFRESH_PER_CHANGE = 50
TRAFFIC_DAYS = 7


def note_change(article: Article) -> None:
    """Remember, in the transaction of the save, that answers resting on this article have to be seen to."""
    Outbox.objects.create(
        kind=ARTICLE_CHANGED,
        payload={"key": article.key, "locale": article.locale},
        available_at=timezone.now(),
    )


def note_refresh(answer_ids: list[int], *, now: datetime) -> None:
    """Leave answers to be made anew to a process that serves; called by a worker of its own."""
    Outbox.objects.create(kind=REFRESH, payload={"answers": answer_ids}, available_at=now)


def claim_refresh(*, now: datetime) -> list[int]:
    """The answers of the oldest such note; each note goes to one process. Runs as one write.

    A process that dies meanwhile leaves the rest stale: the next shopper's question makes them anew.
    """
    noted = Outbox.objects.filter(kind=REFRESH, done_at__isnull=True).order_by("id").first()
    if noted is None:
        return []
    claimed = Outbox.objects.filter(id=noted.id, done_at__isnull=True).update(done_at=now)
    return [int(answer_id) for answer_id in noted.payload["answers"]] if claimed else []


def is_refresh_noted() -> bool:
    """Whether there is something to claim."""
    return Outbox.objects.filter(kind=REFRESH, done_at__isnull=True).exists()


@dataclass(frozen=True, slots=True)
class Dependents:
    """What rests on an article: served answers, and how often they were served lately."""

    answers: int
    hits: int


def dependents(article: Article, *, now: datetime) -> Dependents:
    """The answers that a change of this article takes out of service, with their hits of TRAFFIC_DAYS."""
    resting = Answer.objects.filter(
        status__in=Answer.SERVED,
        sources__article_key=article.key,
        sources__locale=article.locale,
        sources__article_version=article.version,
    ).exclude(expires_at__lte=now)
    ids = set(resting.values_list("id", flat=True))
    hits = Lookup.objects.filter(answer_id__in=ids, at__gte=now - timedelta(days=TRAFFIC_DAYS))
    return Dependents(answers=len(ids), hits=hits.count())


def _by_traffic(answers: QuerySet[Answer], *, now: datetime) -> list[int]:
    """Their ids: most hits of late first, then most hits ever, then the newest."""
    since = now - timedelta(days=TRAFFIC_DAYS)
    hits = Lookup.objects.filter(answer=OuterRef("pk"), at__gte=since).order_by()
    counted = hits.values("answer").annotate(count=Count("pk")).values("count")
    ranked = answers.annotate(lately=Coalesce(Subquery(counted), 0)).distinct()
    rows = ranked.order_by("-lately", "-served_count", "-id").values_list("id", flat=True)
    return list(dict.fromkeys(rows))


@transaction.atomic
def mark_stale(*, key: str, locale: str, now: datetime) -> list[int]:
    """Mark answers of older versions of an article stale; returns their ids, in the order of traffic."""
    article = Article.objects.filter(key=key, locale=locale, enabled=True).first()
    version = article.version if article is not None else 0
    resting = Q(sources__article_key=key, sources__locale=locale) & ~Q(
        sources__article_version=version
    )
    stale = _by_traffic(Answer.objects.filter(resting, status=Answer.LIVE), now=now)
    if article is not None and article.serve_while_stale:
        return stale  # they stay in reach until new ones are made; as current nobody serves them
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
