"""Confirmed words lead to an answer on every replica, and never to one that is not served."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cache_parts import NOW, SHOP, always, new, stands, started, unit

from cache.attaching import NewWording, attach
from cache.models import Answer, Wording

pytestmark = pytest.mark.django_db(transaction=True)


def current(_: object) -> bool:
    """Every article stands at the version the answer rests on."""
    return True


def words(answer_id: int, *, key: str = "confirmed") -> NewWording:
    """Words that a shopper confirmed."""
    return NewWording(
        answer_id=answer_id,
        partition=SHOP,
        key=key,
        text=key,
        vector=unit(30),
        engine_id="engine-a",
        asker_shopper_id=7,
    )


async def test_attached_words_are_served_by_every_replica() -> None:
    """Exact and by neighbours, after the replicas followed the change."""
    async with started() as parts:
        stores = [await parts.store() for _ in range(2)]
        entry = await stores[0].remember(new(), still_current=stands)
        assert entry is not None
        job = partial(attach, words(entry.answer_id), now=NOW, still_current=current)
        assert await parts.writer.run(job)
        for store in stores:
            await store.follow()
            exact = store.exact(SHOP, "confirmed", is_current=always)
            near = await store.nearest(SHOP, unit(30), is_current=always)
            assert exact is not None and exact.answer_id == entry.answer_id
            assert near[0].text == "confirmed"
        kinds = await parts.rows(lambda: set(Wording.objects.values_list("text", "kind")))
        assert ("confirmed", "confirmed") in kinds


@pytest.mark.parametrize(
    "change",
    [
        {"status": Answer.REVOKED},
        {"status": Answer.STALE},
        {"expires_at": NOW - timedelta(seconds=1)},
        {"partition": "another shop"},
    ],
)
async def test_nothing_leads_to_an_answer_that_is_not_served(change: dict[str, Any]) -> None:
    """Between the tap and the writing the answer may have gone: then nothing is written."""
    async with started() as parts:
        store = await parts.store()
        entry = await store.remember(new(), still_current=stands)
        assert entry is not None
        answer_id = entry.answer_id
        await parts.rows(lambda: Answer.objects.filter(id=answer_id).update(**change))
        job = partial(attach, words(answer_id), now=NOW, still_current=current)
        assert not await parts.writer.run(job)
        assert await parts.rows(Wording.objects.count) == 1


async def test_old_articles_and_answered_words_are_left_alone() -> None:
    """Nothing is attached after an article changed, and words with an answer of their own keep it."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        own = await store.remember(
            new("confirmed", key="confirmed", vector=unit(90)), still_current=stands
        )
        assert first is not None and own is not None
        outdated = partial(
            attach, words(first.answer_id, key="k2"), now=NOW, still_current=lambda _: False
        )
        answered = partial(attach, words(first.answer_id), now=NOW, still_current=current)
        assert not await parts.writer.run(outdated)
        assert not await parts.writer.run(answered)
        kept = await parts.rows(lambda: Wording.objects.get(key="confirmed").answer_id)
        assert kept == own.answer_id
