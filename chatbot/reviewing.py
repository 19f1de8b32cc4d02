"""What staff should look at next: stored answers ranked by how many shoppers they reach times how doubtful they are.

Counted over the newest receipts (WINDOW of them), one item per wording and answer. Doubt comes from shoppers
(a thumb down, asking again) and from the decision itself (a low probability, or a low cosine where none
is known). A near miss is the opposite case: nothing was served though a stored wording was near.
What staff have decided is left out until a shopper objects anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet

from cache.decision import NEAR_MISS_COSINE
from cache.models import Answer, Lookup, Objection, Review

WINDOW = 50_000
MOST_GROUPS = 2_000
THUMB_DOUBT, RETRY_DOUBT, MACHINE_DOUBT, NEAR_MISS_DOUBT = 1.0, 0.8, 0.5, 0.3
_Pair = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One wording with the answer it led to; `answer_id` is None for a near miss, which served none."""

    wording_id: int
    answer_id: int | None
    askers: int
    thumbs: int
    retries: int
    least_cosine: float | None
    least_probability: float | None

    @property
    def near_miss(self) -> bool:
        """Whether nothing was served."""
        return self.answer_id is None

    @property
    def doubt(self) -> float:
        """How doubtful the pair is; 0 when nothing speaks against it."""
        said = THUMB_DOUBT * self.thumbs + RETRY_DOUBT * self.retries
        if self.near_miss:
            near = _share(self.least_cosine, empty=NEAR_MISS_COSINE, full=1.0)
            return said + NEAR_MISS_DOUBT * near
        if self.least_probability is not None:
            return said + MACHINE_DOUBT * _share(self.least_probability, empty=1.0, full=0.5)
        return said + MACHINE_DOUBT * _share(self.least_cosine, empty=1.0, full=NEAR_MISS_COSINE)

    @property
    def score(self) -> float:
        """Distinct askers times doubt: what reviewing it is worth."""
        return max(1, self.askers) * self.doubt


def _share(value: float | None, *, empty: float, full: float) -> float:
    """Where `value` lies on the way from `empty` (0) to `full` (1); 0 when it is not known."""
    if value is None:
        return 0.0
    return min(1.0, max(0.0, (value - empty) / (full - empty)))


def queue(*, simulated: bool, at_most: int) -> list[Item]:
    """The items most worth a look, best first; a constant number of queries."""
    newest = Lookup.objects.aggregate(newest=Max("id"))["newest"] or 0
    rows = Lookup.objects.filter(simulated=simulated, id__gt=newest - WINDOW).order_by()
    objections = _objections(simulated=simulated)
    seldom = [_item({**said, "askers": said["shoppers"]}, said) for said in objections.values()]
    items = [*seldom, *_served(rows, objections), *_near_misses(rows)]
    decided = _decided()
    open_items = {  # of two for one pair the later one stays: it counts all askers of the window
        (item.wording_id, item.answer_id): item
        for item in items
        if item.doubt > 0 and not _is_settled(item, decided, objections)
    }
    return sorted(open_items.values(), key=lambda item: -item.score)[:at_most]


def _served(rows: QuerySet[Lookup], objections: dict[_Pair, dict[str, Any]]) -> list[Item]:
    """Pairs that are served now and were served in the window."""
    groups = (
        rows.filter(wording__answer_id=F("answer_id"), answer__status__in=Answer.SERVED)
        .values("wording_id", "answer_id")
        .annotate(
            askers=Count("shopper_id", distinct=True),
            cosine_=Min("cosine"),
            probability_=Min("probability"),
        )
        .order_by("-askers")[:MOST_GROUPS]
    )
    return [
        _item(dict(group), objections.get((group["wording_id"], group["answer_id"])))
        for group in groups
    ]


def _near_misses(rows: QuerySet[Lookup]) -> list[Item]:
    """Stored wordings that were near a question and did not answer it."""
    groups = (
        rows.filter(outcome="miss", nearest__isnull=False, nearest_cosine__gte=NEAR_MISS_COSINE)
        .values("nearest_id")
        .annotate(askers=Count("shopper_id", distinct=True), cosine_=Max("nearest_cosine"))
        .order_by("-askers")[:MOST_GROUPS]
    )
    return [_item({**group, "wording_id": group["nearest_id"]}, None) for group in groups]


def _item(group: dict[str, Any], said: dict[str, Any] | None) -> Item:
    return Item(
        wording_id=group["wording_id"],
        answer_id=group.get("answer_id"),
        askers=group["askers"],
        thumbs=said["thumbs"] if said else 0,
        retries=said["retries"] if said else 0,
        least_cosine=group.get("cosine_"),
        least_probability=group.get("probability_"),
    )


def _objections(*, simulated: bool) -> dict[_Pair, dict[str, Any]]:
    """What shoppers said and staff have not settled, by wording and answer as they are joined now."""
    rows = (
        Objection.objects.filter(
            settled_at=None, answer__simulated=simulated, wording__answer_id=F("answer_id")
        )
        .values("wording_id", "answer_id")
        .annotate(
            shoppers=Count("id"),
            thumbs=Count("id", filter=Q(kind=Objection.THUMB)),
            retries=Count("id", filter=Q(kind=Objection.RETRY)),
            last=Max("at"),
        )
        .order_by("-shoppers")[:MOST_GROUPS]
    )
    return {(row["wording_id"], row["answer_id"]): dict(row) for row in rows}


def _decided() -> dict[_Pair, datetime]:
    """When staff last decided on a pair."""
    rows = Review.objects.filter(wording__isnull=False).values("wording_id", "answer_id").order_by()
    return {
        (row["wording_id"], row["answer_id"]): row["last"] for row in rows.annotate(last=Max("at"))
    }


def _is_settled(
    item: Item, decided: dict[_Pair, datetime], objections: dict[_Pair, dict[str, Any]]
) -> bool:
    pair = (item.wording_id, item.answer_id)
    at, said = decided.get(pair), objections.get(pair)
    return at is not None and (said is None or said["last"] <= at)
