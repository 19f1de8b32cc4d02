"""Answers that say the same lead to one row: at storing, by a judge, in every replica."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from cache_parts import NOW, SHOP, always, new, stands, started, unit

from cache.merging import merge
from cache.models import Answer, Comparison, Wording
from cache.store import Store

pytestmark = pytest.mark.django_db(transaction=True)


async def two(store: Store) -> tuple[int, int]:
    """Ids of two stored answers, the older first."""
    first = await store.remember(new("which courier"), still_current=stands)
    second = await store.remember(new("the courier", vector=unit(10)), still_current=stands)
    assert first is not None
    assert second is not None
    return first.answer_id, second.answer_id


def wait_for(new_id: int, *olds: int, **values: Any) -> None:
    """Comparisons of one answer with others."""
    for old_id in olds:
        Comparison.objects.create(new_answer_id=new_id, old_answer_id=old_id, at=NOW, **values)


def pairs(**wanted: Any) -> list[tuple[int, int]]:
    """New and old answer of each comparison."""
    return sorted(Comparison.objects.filter(**wanted).values_list("new_answer", "old_answer"))


async def test_a_wording_of_a_known_answer_stores_no_answer() -> None:
    """`same_as` adds the wording to that answer and serves it; the row says when it was checked last."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        assert first is not None
        again = new("what courier is it", vector=unit(10), same_as=first.answer_id)
        second = await store.remember(again, still_current=stands)
        assert second is not None
        assert second.answer_id == first.answer_id
        assert second.text == first.text
        assert await parts.rows(Answer.objects.count) == 1
        assert await parts.rows(Wording.objects.count) == 2


async def test_a_known_answer_that_left_is_not_used() -> None:
    """When the same answer was revoked meanwhile, the new one is stored as it is."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        assert first is not None
        await parts.rows(
            partial(Answer.objects.filter(id=first.answer_id).update, status=Answer.REVOKED)
        )
        again = new("what courier is it", same_as=first.answer_id)
        second = await store.remember(again, still_current=stands)
        assert second is not None
        assert second.answer_id != first.answer_id


async def test_unsure_answers_wait_for_a_judge_once() -> None:
    """Each pair is noted once, and only while the older answer is served."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        assert first is not None
        unsure = new("what courier is it", vector=unit(10), unsure=(first.answer_id, 999))
        await store.remember(unsure, still_current=stands)
        rows = await parts.rows(lambda: list(Comparison.objects.values_list("old_answer", "state")))
        assert rows == [(first.answer_id, Comparison.WAITING)]


async def test_a_repeated_answer_is_compared_with_those_that_the_new_one_links() -> None:
    """The younger of the two is the one that may go, whichever was repeated, and a pair waits once."""
    async with started() as parts:
        store = await parts.store()
        stored = [
            await store.remember(new(text, vector=unit(10 * place)), still_current=stands)
            for place, text in enumerate(("which courier", "the courier"))
        ]
        older, younger = (entry.answer_id for entry in stored if entry is not None)
        for text, same_as, other in (("who ships", older, younger), ("by whom", younger, older)):
            again = new(text, vector=unit(30), same_as=same_as, unsure=(other,))
            await store.remember(again, still_current=stands)
        rows = await parts.rows(
            lambda: list(Comparison.objects.values_list("new_answer", "old_answer", "state"))
        )
        assert rows == [(younger, older, Comparison.WAITING)]


async def test_a_repeated_answer_that_was_merged_meanwhile_leads_on() -> None:
    """The wording leads to the answer that stayed, and no third one is stored."""
    async with started() as parts:
        store = await parts.store()
        first, second = await two(store)
        await parts.rows(partial(merge, second, into_id=first, now=NOW))
        entry = await store.remember(new("who ships", same_as=second), still_current=stands)
        assert entry is not None
        assert entry.answer_id == first
        assert await parts.rows(Answer.objects.count) == 2


async def test_an_expired_answer_is_not_asked_about() -> None:
    """Nobody is served it any more; nothing is merged into it either."""
    async with started() as parts:
        store = await parts.store()
        first, second = await two(store)
        await parts.rows(partial(Answer.objects.filter(id=first).update, expires_at=NOW))
        unsure = new("who ships", vector=unit(30), same_as=second, unsure=(first,))
        await store.remember(unsure, still_current=stands)
        assert await parts.rows(Comparison.objects.count) == 0
        assert await parts.rows(partial(merge, second, into_id=first, now=NOW)) == 0


FAST, FASTER = "It takes 2 days.", "It takes 1 day."
FREE = "It is free from 40 euros on."


@pytest.mark.parametrize(
    ("other", "asked"),
    [
        ({}, True),
        ({"text": FAST}, True),
        ({"text": FREE}, True),
        ({"text": FASTER}, False),
        ({"sources": (("returns", "en", 1),)}, False),
    ],
)
async def test_what_waits_for_a_merged_answer_waits_for_the_one_it_leads_to(
    other: dict[str, Any], asked: bool
) -> None:
    """Unless the two cannot be one: they rest on different articles, or state other figures for one thing."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new("which courier", **other), still_current=stands)
        second = await store.remember(new("the courier", text=FAST), still_current=stands)
        third = await store.remember(new("who ships", text="It varies."), still_current=stands)
        assert first is not None
        assert second is not None
        assert third is not None
        await parts.rows(partial(wait_for, third.answer_id, first.answer_id, second.answer_id))
        await parts.rows(partial(merge, third.answer_id, into_id=second.answer_id, now=NOW))
        rows = await parts.rows(lambda: pairs(new_answer_id=second.answer_id))
        assert rows == ([(second.answer_id, first.answer_id)] if asked else [])


@pytest.mark.parametrize(
    ("before", "round_before", "after"),
    [
        (Comparison.DIFFERENT, 1, (Comparison.WAITING, 2)),
        (Comparison.DIFFERENT, 2, (Comparison.DIFFERENT, 2)),
        (Comparison.GIVEN_UP, 1, (Comparison.GIVEN_UP, 1)),
        (Comparison.WAITING, 1, (Comparison.WAITING, 1)),
    ],
)
async def test_a_pair_that_was_held_for_different_is_asked_once_more(
    before: str, round_before: int, after: tuple[str, int]
) -> None:
    """When a third answer links the two; a second time, or another state, changes nothing."""
    async with started() as parts:
        store = await parts.store()
        first, second = await two(store)
        values = {"state": before, "round": round_before}
        await parts.rows(partial(wait_for, second, first, **values))
        again = new("who ships", vector=unit(30), same_as=second, unsure=(first,))
        await store.remember(again, still_current=stands)
        assert await parts.rows(lambda: list(Comparison.objects.values_list("state", "round"))) == [
            after
        ]


async def test_a_merge_moves_the_wordings_in_every_replica() -> None:
    """Both wordings lead to the one answer, also in a process that only follows; repeated, nothing changes."""
    async with started() as parts:
        store, other = await parts.store(), await parts.store()
        first = await store.remember(new(), still_current=stands)
        second = await store.remember(new("what courier", vector=unit(10)), still_current=stands)
        assert first is not None
        assert second is not None
        into = partial(merge, second.answer_id, into_id=first.answer_id, now=NOW)
        assert await parts.rows(into) == 1
        assert await parts.rows(into) == 0
        await other.follow()
        entry = other.exact(SHOP, "what courier", is_current=always)
        assert entry is not None
        assert entry.answer_id == first.answer_id
        merged = await parts.rows(partial(Answer.objects.get, id=second.answer_id))
        assert (merged.status, merged.merged_into_id) == (Answer.MERGED, first.answer_id)


async def test_a_pinned_answer_stays_and_the_other_goes() -> None:
    """Whichever is younger; of two pinned ones neither goes."""
    async with started() as parts:
        store = await parts.store()
        first, second = await two(store)
        pin = partial(Answer.objects.filter(id=second).update, status=Answer.PINNED)
        await parts.rows(pin)
        assert await parts.rows(partial(merge, second, into_id=first, now=NOW)) == 1
        leads_to = await parts.rows(lambda: set(Wording.objects.values_list("answer", flat=True)))
        assert leads_to == {second}
        third = await store.remember(new("who ships"), still_current=stands)
        assert third is not None
        await parts.rows(partial(Answer.objects.update, status=Answer.PINNED))
        assert await parts.rows(partial(merge, third.answer_id, into_id=second, now=NOW)) == 0


async def test_partitions_never_mix() -> None:
    """What another shop or language stored is not merged and not asked about."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        assert first is not None
        partition = "other/en/everyone/v1/live"
        foreign = await store.remember(
            new("what courier", partition=partition, unsure=(first.answer_id,)),
            still_current=stands,
        )
        assert foreign is not None
        move = partial(merge, foreign.answer_id, into_id=first.answer_id, now=NOW)
        assert await parts.rows(move) == 0
        assert await parts.rows(Comparison.objects.count) == 0
