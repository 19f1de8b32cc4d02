"""The sweep, and what the database itself refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cache_parts import NOW, SHOP, always, new, stands, started
from django.db import IntegrityError, transaction

from cache.models import Answer, Change, Source, Wording
from cache.tasks import sweep_stale

pytestmark = pytest.mark.django_db(transaction=True)


def answer(**changes: Any) -> Answer:
    """A row of an answer; `changes` replace its fields."""
    values = {"partition": SHOP, "text": "x", "created_at": NOW, "checked_at": NOW}
    return Answer.objects.create(**values | changes)


def wording(of: Answer, key: str = "k") -> Wording:
    """A row of a wording."""
    return Wording.objects.create(
        answer=of, partition=of.partition, text=key, key=key, created_at=NOW
    )


@pytest.mark.parametrize("status", ["live", "pinned", "stale", "revoked"])
def test_shared_answer_has_no_owner(status: str) -> None:
    """The database refuses an answer that is both one shopper's and everyone's."""
    with pytest.raises(IntegrityError), transaction.atomic():
        answer(status=status, owner_shopper_id=7)
    assert answer(status=status).owner_shopper_id is None


def test_own_answer_has_an_owner() -> None:
    """The database refuses an own answer that is nobody's."""
    with pytest.raises(IntegrityError), transaction.atomic():
        answer(status="own")
    assert answer(status="own", owner_shopper_id=7).pk


def test_answer_with_an_owner_cannot_become_shared() -> None:
    """Not even an UPDATE that passes by the models can give it to all."""
    own = answer(status="own", owner_shopper_id=7)
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.filter(pk=own.pk).update(status="live")
    own.refresh_from_db()
    assert own.status == "own"


def test_wording_is_once_per_partition() -> None:
    """The same key twice is refused in one partition and welcome in two."""
    wording(answer())
    wording(answer(partition="other"))
    with pytest.raises(IntegrityError), transaction.atomic():
        wording(answer())


def test_source_is_once_per_answer() -> None:
    """An answer rests on one version of an article."""
    values = {"answer": answer(), "article_key": "a", "locale": "en"}
    Source.objects.create(article_version=1, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Source.objects.create(article_version=2, **values)


@time_machine.travel(NOW, tick=False)
def test_sweep_marks_only_live_answers_whose_time_is_over() -> None:
    """Expired live ones become stale; later, endless, pinned and revoked ones stay as they are."""
    past, future = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    rows = [
        answer(expires_at=past),
        answer(expires_at=NOW),
        answer(expires_at=future),
        answer(expires_at=None),
        answer(expires_at=past, status="pinned"),
        answer(expires_at=past, status="revoked"),
    ]
    assert sweep_stale() == 2
    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["stale", "stale", "live", "live", "pinned", "revoked"]


@time_machine.travel(NOW, tick=False)
def test_sweep_announces_every_wording_once() -> None:
    """Two wordings of one answer are two changes; a second sweep finds nothing to do."""
    over = answer(expires_at=NOW)
    ids = [wording(over, key).id for key in ("a", "b")]
    assert [sweep_stale(), sweep_stale()] == [1, 0]
    assert sorted(Change.objects.values_list("wording_id", "op")) == [
        (number, Change.REMOVE) for number in sorted(ids)
    ]


@time_machine.travel(NOW, tick=False)
def test_sweep_of_many_goes_in_portions() -> None:
    """One run takes 500, the next the rest: no transaction grows without bound."""
    Answer.objects.bulk_create(
        Answer(partition=SHOP, text="x", created_at=NOW, checked_at=NOW, expires_at=NOW)
        for _ in range(501)
    )
    assert [sweep_stale(), sweep_stale(), sweep_stale()] == [500, 1, 0]


async def test_sweep_reaches_the_replicas() -> None:
    """After the sweep and `follow` the entry no longer takes up memory."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(life=timedelta(minutes=1)), still_current=stands)
        with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False):
            swept = await parts.rows(sweep_stale)
        await store.follow()
        assert (swept, len(store)) == (1, 0)
        assert store.exact(SHOP, "which courier", is_current=always) is None
