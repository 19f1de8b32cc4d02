"""Answers that say the same lead to one row: at storing, by a judge, in every replica."""

from __future__ import annotations

from functools import partial

import pytest
from cache_parts import NOW, SHOP, always, new, stands, started, unit

from cache.merging import merge
from cache.models import Answer, Comparison, Wording

pytestmark = pytest.mark.django_db(transaction=True)


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


async def test_what_waits_for_a_merged_answer_waits_for_the_one_it_leads_to() -> None:
    """A third answer that the merged one was to be compared with is compared with the other; a pair once."""
    async with started() as parts:
        store = await parts.store()
        stored = [
            await store.remember(new(text, vector=unit(10 * place)), still_current=stands)
            for place, text in enumerate(("which courier", "the courier", "who ships"))
        ]
        first, second, third = (entry.answer_id for entry in stored if entry is not None)

        def compared() -> list[tuple[int, int]]:
            for old_id in (first, second):
                Comparison.objects.create(new_answer_id=third, old_answer_id=old_id, at=NOW)
            merge(third, into_id=second, now=NOW)
            merge(third, into_id=second, now=NOW)
            return sorted(Comparison.objects.values_list("new_answer", "old_answer"))

        assert await parts.rows(compared) == [(second, first), (third, first), (third, second)]


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


async def test_pinned_and_foreign_answers_do_not_move() -> None:
    """Staff's pinned answer stays, and partitions never mix."""
    async with started() as parts:
        store = await parts.store()
        first = await store.remember(new(), still_current=stands)
        foreign = await store.remember(
            new("what courier", partition="other/en/everyone/v1/live"), still_current=stands
        )
        assert first is not None
        assert foreign is not None
        assert (
            await parts.rows(partial(merge, foreign.answer_id, into_id=first.answer_id, now=NOW))
            == 0
        )
        await parts.rows(
            partial(Answer.objects.filter(id=first.answer_id).update, status=Answer.PINNED)
        )
        third = await store.remember(new("the courier"), still_current=stands)
        assert third is not None
        assert (
            await parts.rows(partial(merge, first.answer_id, into_id=third.answer_id, now=NOW)) == 0
        )
