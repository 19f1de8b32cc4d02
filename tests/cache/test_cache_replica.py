"""Replicas of the store: each process follows the committed changes of the others."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from cache_parts import NOW, SHOP, Parts, always, new, stands, started, unit
from django.db import connection

from base.reader import Reader
from cache.changes import record_changes
from cache.models import Answer, Change, Source, Wording
from cache.store import Entry, Store

pytestmark = pytest.mark.django_db(transaction=True)


def set_status(status: str) -> None:
    """What the admin does: save the row, which tells every replica."""
    answer = Answer.objects.get()
    answer.status = status
    answer.save()


async def pair(parts: Parts) -> tuple[Store, Store]:
    """Two processes, one of which has stored an answer."""
    first, second = await parts.store(), await parts.store()
    await first.remember(new(), still_current=stands)
    return first, second


async def test_other_process_follows_an_addition() -> None:
    """Before following it does not know the entry; after, it serves it by words and meaning."""
    async with started() as parts:
        _, second = await pair(parts)
        before = second.exact(SHOP, "which courier", is_current=always)
        followed = await second.follow()
        near = await second.nearest(SHOP, unit(0), is_current=always)
        assert (before, followed) == (None, 1)
        assert [item.text for item in near] == ["which courier"]


async def test_following_again_does_nothing() -> None:
    """A change is applied once."""
    async with started() as parts:
        first, second = await pair(parts)
        counts = [await second.follow(), await second.follow(), len(second)]
        assert counts == [1, 0, 1]
        assert (await first.follow(), len(first)) == (1, 1)


@pytest.mark.parametrize("status", [Answer.REVOKED, Answer.STALE])
async def test_revoked_answer_leaves_every_replica(status: str) -> None:
    """Staff take an answer out: after `follow` neither its words nor its meaning find it."""
    async with started() as parts:
        stores = await pair(parts)
        await stores[1].follow()
        await parts.rows(lambda: set_status(status))
        for store in stores:
            await store.follow()
        assert [len(store) for store in stores] == [0, 0]
        assert [await store.nearest(SHOP, unit(0), is_current=always) for store in stores] == [
            [],
            [],
        ]


async def test_answer_that_is_live_again_returns() -> None:
    """Revoking can be undone."""
    async with started() as parts:
        first, second = await pair(parts)
        for status in (Answer.REVOKED, Answer.PINNED):
            await parts.rows(lambda status=status: set_status(status))
            await first.follow()
            await second.follow()
        assert [len(first), len(second)] == [1, 1]
        assert len(await second.nearest(SHOP, unit(0), is_current=always)) == 1


async def test_edited_text_reaches_every_replica() -> None:
    """After `follow` both processes say what staff have written."""

    def edit() -> None:
        answer = Answer.objects.get()
        answer.text = "corrected"
        answer.save()

    async with started() as parts:
        stores = await pair(parts)
        await parts.rows(edit)
        for store in stores:
            await store.follow()
        found = [store.exact(SHOP, "which courier", is_current=always) for store in stores]
        assert [entry.text for entry in found if entry] == ["corrected", "corrected"]


async def test_deleted_wording_goes_and_its_successor_stays() -> None:
    """Removing an old row never takes out the entry that has the same words by now."""

    def delete() -> None:
        wording = Wording.objects.get()
        record_changes([wording.id], op=Change.REMOVE, now=NOW)
        wording.delete()

    async with started() as parts:
        first, second = await pair(parts)
        await second.follow()
        await parts.rows(delete)
        await first.remember(new(text="successor"), still_current=stands)
        for store in (first, second):
            await store.follow()
        found = [store.exact(SHOP, "which courier", is_current=always) for store in (first, second)]
        assert [entry.text for entry in found if entry] == ["successor", "successor"]
        assert [len(first), len(second)] == [1, 1]


async def test_removal_that_comes_alone_spares_the_newer_entry() -> None:
    """A replica that sees only the old row's removal keeps serving what it stored meanwhile."""
    async with started() as parts:
        store = await parts.store()
        await store.remember(new(text="old"), still_current=stands)
        await parts.rows(lambda: Wording.objects.all().delete())
        await store.remember(new(text="newer"), still_current=stands)

        def only_the_removal() -> None:
            old, newer = Change.objects.order_by("seq")
            newer.delete()
            old.op = Change.REMOVE
            old.save()
            record_changes([old.wording_id], op=Change.REMOVE, now=NOW)

        await parts.rows(only_the_removal)
        await store.follow()
        entry = store.exact(SHOP, "which courier", is_current=always)
        assert entry is not None
        assert entry.text == "newer"


async def test_start_does_not_follow_what_it_loaded() -> None:
    """A replica begins after the newest change, whatever number that has."""
    async with started() as parts:
        await pair(parts)
        late = await parts.store()
        assert (len(late), await late.follow()) == (1, 0)


async def test_only_served_answers_are_loaded() -> None:
    """Of one answer per status, live and pinned ones come into memory."""

    def insert() -> None:
        for status, _ in Answer.STATUSES:
            answer = Answer.objects.create(
                partition=SHOP,
                text=status,
                status=status,
                owner_shopper_id=7 if status == Answer.OWN else None,
                created_at=NOW,
                checked_at=NOW,
            )
            Wording.objects.create(
                answer=answer, partition=SHOP, text=status, key=status, created_at=NOW
            )

    async with started() as parts:
        await parts.rows(insert)
        store = await parts.store()
        served = [
            status
            for status, _ in Answer.STATUSES
            if store.exact(SHOP, status, is_current=always) is not None
        ]
        assert served == [Answer.LIVE, Answer.PINNED]


async def test_start_loads_more_rows_than_a_statement_has_parameters() -> None:
    """A large cache is read in parts: the database's limit on parameters does not stop a start."""

    def insert() -> None:
        answers = Answer.objects.bulk_create(
            Answer(partition=SHOP, text=str(n), created_at=NOW, checked_at=NOW)
            for n in range(5_000)
        )
        Wording.objects.bulk_create(
            Wording(
                answer=answer, partition=SHOP, text=answer.text, key=answer.text, created_at=NOW
            )
            for answer in answers
        )
        Source.objects.create(answer=answers[-1], article_key="a", locale="en", article_version=3)

    def lower_the_limit() -> None:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 2_500)

    async with started() as parts:
        await parts.rows(insert)
        parts.reader, old = Reader(threads=1), parts.reader
        old.stop()
        await parts.reader.run(lower_the_limit)
        store = await parts.store()
        last = store.exact(SHOP, "4999", is_current=always)
        assert len(store) == 5_000
        assert last is not None
        assert last.sources == (("a", "en", 3),)


async def test_receipt_of_freshness_names_every_source() -> None:
    """`is_current` is asked with all article versions that the answer rests on."""
    sources = (("returns-policy", "en", 4), ("shipping-couriers", "en", 1))
    asked: list[Entry] = []

    def is_current(entry: Entry) -> bool:
        asked.append(entry)
        return True

    async with started() as parts:
        first = await parts.store()
        await first.remember(new(sources=sources, life=timedelta(days=1)), still_current=stands)
        second = await parts.store()
        for store in (first, second):
            store.exact(SHOP, "which courier", is_current=is_current)
        assert [set(entry.sources) for entry in asked] == [set(sources), set(sources)]
