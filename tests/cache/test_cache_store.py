"""The store of one process: what is put in is found, and what may not be served is not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from cache_parts import ENGINE, SHOP, always, never, new, stands, started, unit

from cache.models import Answer, Source, Wording
from cache.store import Entry

pytestmark = pytest.mark.django_db(transaction=True)


async def test_remembered_answer_is_found_by_its_words_and_its_meaning() -> None:
    """At once, without following: exact by key, near by vector, with the cosine."""
    async with started() as parts:
        store = await parts.store()
        entry = await store.remember(new(), still_current=stands)
        near = await store.nearest(SHOP, unit(20), is_current=always)
        assert entry is not None
        assert store.exact(SHOP, "which courier", is_current=always) == entry
        assert [item.entry for item in near] == [entry]
        assert near[0].cosine == pytest.approx(np.cos(np.radians(20)), abs=1e-6)


async def test_remembered_answer_is_durable() -> None:
    """The rows hold text, sources, vector and engine when `remember` returns."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(), still_current=stands)
        answer = await parts.rows(Answer.objects.get)
        wording = await parts.rows(Wording.objects.get)
        source = await parts.rows(Source.objects.get)
        assert (answer.text, answer.status, answer.owner_shopper_id) == (
            "answer to which courier",
            Answer.LIVE,
            None,
        )
        assert (wording.engine_id, bytes(wording.vector)) == (ENGINE, unit(0).tobytes())
        assert (source.article_key, source.article_version) == ("shipping-couriers", 1)


async def test_start_finds_what_an_earlier_process_stored() -> None:
    """A new replica serves the same entry, word for word and by meaning."""
    async with started() as parts:
        first = await parts.store()
        entry = await first.remember(new(), still_current=stands)
        second = await parts.store()
        near = await second.nearest(SHOP, unit(0), is_current=always)
        assert second.exact(SHOP, "which courier", is_current=always) == entry
        assert [item.entry for item in near] == [entry]


async def test_article_that_changed_before_the_write_stores_nothing() -> None:
    """The check runs inside the writing transaction; when it fails nothing is written or served."""
    async with started() as parts:
        store = await parts.store()
        entry = await store.remember(new(), still_current=lambda: False)
        assert entry is None
        assert len(store) == 0
        assert await parts.rows(Answer.objects.count) == 0


async def test_article_that_changed_since_is_not_served() -> None:
    """An edit takes effect at the very next look-up, exact and near."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(), still_current=stands)
        assert store.exact(SHOP, "which courier", is_current=never) is None
        assert await store.nearest(SHOP, unit(0), is_current=never) == []


async def test_expired_answer_is_not_served() -> None:
    """Until the last second it is served, at its end it is not, without any sweep."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(life=timedelta(minutes=1)), still_current=stands)
        parts.clock.advance(59)
        before = store.exact(SHOP, "which courier", is_current=always)
        parts.clock.advance(1)
        assert before is not None
        assert store.exact(SHOP, "which courier", is_current=always) is None
        assert await store.nearest(SHOP, unit(0), is_current=always) == []


async def test_answer_without_a_life_never_expires() -> None:
    """No expiry means served for as long as its articles stand."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(life=None), still_current=stands)
        parts.clock.advance(10 * 365 * 86_400)
        assert store.exact(SHOP, "which courier", is_current=always) is not None


@pytest.mark.parametrize(
    "other",
    [
        "other-shop/en/everyone/v1/live",
        "default/zh-hans/everyone/v1/live",
        "default/en/everyone/v2/live",
        "default/en/everyone/v1/simulated",
        "",
    ],
    ids=["site", "language", "prompt-version", "simulated", "empty"],
)
async def test_partitions_never_meet(other: str) -> None:
    """The same words and the same vector find nothing in another partition."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(), still_current=stands)
        assert store.exact(other, "which courier", is_current=always) is None
        assert await store.nearest(other, unit(0), is_current=always) == []


async def test_same_key_lives_in_two_partitions() -> None:
    """Each partition gives its own answer to the same words."""
    other = "default/zh-hans/everyone/v1/live"
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(text="english"), still_current=stands)
        await store.remember(new(partition=other, text="中文"), still_current=stands)
        found = [store.exact(name, "which courier", is_current=always) for name in (SHOP, other)]
        assert [entry.text for entry in found if entry] == ["english", "中文"]


async def test_same_wording_again_replaces_its_answer() -> None:
    """A wording leads to one answer: the newest; there is no second row for it."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(text="old"), still_current=stands)
        await store.remember(new(text="new", vector=unit(90)), still_current=stands)
        near = await store.nearest(SHOP, unit(90), is_current=always)
        assert [item.entry.text for item in near] == ["new"]
        assert near[0].cosine == pytest.approx(1.0)
        assert await parts.rows(Wording.objects.count) == 1


async def test_pinned_answer_is_not_replaced() -> None:
    """What staff have pinned stays, whatever a model says to the same words later."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(text="by staff"), still_current=stands)
        await parts.rows(lambda: Answer.objects.update(status=Answer.PINNED))
        again = await store.remember(new(text="by a model"), still_current=stands)
        served = store.exact(SHOP, "which courier", is_current=always)
        assert again is None
        assert served is not None
        assert served.text == "by staff"


async def test_outdated_pinned_answer_is_replaced() -> None:
    """A pinned answer whose article has changed is served no more, so a newer one may come."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(text="by staff"), still_current=stands)
        await parts.rows(lambda: Answer.objects.update(status=Answer.PINNED))
        newer = new(text="by a model", sources=(("shipping-couriers", "en", 2),))
        assert await store.remember(newer, still_current=stands) is not None


async def test_answer_without_a_vector_is_found_by_its_words_only() -> None:
    """Where the embedding model cannot speak, the exact tier still works."""
    async with started() as parts:
        store = await parts.store()
        entry = await store.remember(new(vector=None), still_current=stands)
        assert store.exact(SHOP, "which courier", is_current=always) == entry
        assert await store.nearest(SHOP, unit(0), is_current=always) == []


async def test_nearest_come_best_first() -> None:
    """Candidates are ordered by cosine, the best one first."""
    async with started() as parts:
        store = await parts.store()
        for degrees in (40, 10, 70):
            await store.remember(new(f"at {degrees}", vector=unit(degrees)), still_current=stands)
        near = await store.nearest(SHOP, unit(0), is_current=always)
        assert [item.text for item in near] == ["at 10", "at 40", "at 70"]


async def test_outdated_neighbours_do_not_hide_a_current_one() -> None:
    """Twenty nearer entries that rest on an old article leave room for the one that stands."""
    old = (("shipping-couriers", "en", 1),)

    def is_current(entry: Entry) -> bool:
        return entry.sources != old

    async with started() as parts:
        store = await parts.store()
        for number in range(20):
            await store.remember(
                new(f"old {number}", vector=unit(number / 10), sources=old), still_current=stands
            )
        await store.remember(
            new("current", vector=unit(5), sources=(("shipping-couriers", "en", 2),)),
            still_current=stands,
        )
        near = await store.nearest(SHOP, unit(0), is_current=is_current)
        assert [item.text for item in near] == ["current"]


async def test_vectors_of_another_engine_are_ignored() -> None:
    """After a change of the embedding model old wordings are found by their words only."""
    async with started() as parts:
        first = await parts.store()
        await first.remember(new(), still_current=stands)
        second = await parts.store(engine_id="engine-b")
        assert second.exact(SHOP, "which courier", is_current=always) is not None
        assert await second.nearest(SHOP, unit(0), is_current=always) == []
