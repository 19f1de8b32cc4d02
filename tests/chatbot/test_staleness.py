"""An edit takes out what rests on it, says so beforehand, and lets the old answer stand only where staff allow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from supervised import COURIER, asked, ended

from cache.models import Answer, Lookup, Source, Wording
from chatbot.models import Article, Site
from chatbot.process import Process
from chatbot.refreshing import refresh, refresh_noted
from chatbot.runtime import Runtime
from chatbot.staleness import Dependents, dependents, mark_stale
from chatbot.tasks import work_outbox
from simulator.running import RunningSimulator

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "shipping-couriers"


def resting(version: int = 1, *, hits: int = 0, old_hits: int = 0, **fields: object) -> Answer:
    """A stored answer that rests on the couriers' article."""
    answer = Answer.objects.create(
        partition="p", text="t", created_at=NOW, checked_at=NOW, **fields
    )
    number = Wording.objects.count()
    Wording.objects.create(answer=answer, partition="p", text="t", key=f"k{number}", created_at=NOW)
    Source.objects.create(answer=answer, article_key=KEY, locale="en", article_version=version)
    for days, count in ((1, hits), (8, old_hits)):
        for _ in range(count):
            Lookup.objects.create(
                question_id=1,
                site_id=1,
                partition="p",
                outcome="exact",
                reason="r",
                answer=answer,
                at=NOW - timedelta(days=days),
            )
    return answer


@pytest.fixture
def article(transactional_db: None) -> Article:
    """An article at version 1."""
    site = Site.objects.create(key="default")
    return Article.objects.create(
        site=site, key=KEY, locale="en", topic="shipping", title="Couriers", text="SF Express."
    )


def test_what_rests_on_an_article_is_counted_before_the_edit(article: Article) -> None:
    """As many as the edit then retires: no older version, none that is over or revoked; hits of seven days."""
    resting(hits=3, old_hits=5)
    resting(hits=2)
    resting(version=7, hits=9)
    resting(status=Answer.REVOKED, hits=9)
    resting(expires_at=NOW, hits=9)
    counted = dependents(article, now=NOW)
    assert counted == Dependents(answers=2, hits=5)
    article.text = "ZTO."
    article.save()
    assert dependents(article, now=NOW) == Dependents(answers=0, hits=0)


def test_answers_are_made_anew_in_the_order_of_traffic(article: Article) -> None:
    """Hits of the last week come first, then hits ever, then the newest."""
    never, ever = resting(), resting(served_count=50)
    some, most = resting(hits=1, served_count=90), resting(hits=4)
    article.text = "ZTO."
    article.save()
    order = mark_stale(key=KEY, locale="en", now=NOW)
    assert order == [most.id, some.id, ever.id, never.id]
    assert set(Answer.objects.values_list("status", flat=True)) == {Answer.STALE}


async def edit(runtime: Runtime, text: str, *, serve_while_stale: bool) -> None:
    """Staff change the article, and the process knows of it."""

    def save() -> None:
        row = Article.objects.get(key=KEY, locale="en")
        row.text, row.serve_while_stale = text, serve_while_stale
        row.save()

    await runtime.writer.run(save)
    await runtime.catch_up()


async def answered(runtime: Runtime, text: str = COURIER) -> tuple[str, str]:
    """How a new shopper's question ends: cache, and whether the courier's old name is in the answer."""
    question = await asked(runtime, text)
    runtime.supervisor.start(question)
    row = await ended(runtime, question)
    body = await runtime.reader.run(lambda: question_text(question.question_id))
    return row.cache, "old" if "SF Express" in body else "new"


def question_text(question_id: int) -> str:
    """The text of the answer frame."""
    from chatbot.models import Frame

    rows = Frame.objects.filter(question_id=question_id, body__type="answer")
    return str(rows.get().body["text"])


OLD = "We use the courier SF Express for all parcels."
NEW = "We use the courier ZTO for all parcels."


async def renewed(runtime: Runtime) -> None:
    """Wait until nothing is made anew any more."""
    for task in list(runtime.desk.renewing._running.values()):
        await task


@pytest.mark.parametrize("allowed", [True, False])
async def test_the_old_answer_stands_only_where_staff_allow_it(
    runtime: Runtime, vendors_at_simulator: RunningSimulator, allowed: bool
) -> None:
    """With the flag it is served as `stale` while the new one is made; without it nobody sees it."""
    await edit(runtime, OLD, serve_while_stale=allowed)
    assert await answered(runtime) == ("miss", "old")
    await edit(runtime, NEW, serve_while_stale=allowed)
    stale = await runtime.writer.run(lambda: mark_stale(key=KEY, locale="en", now=NOW))
    await runtime.catch_up()
    first = await answered(runtime)
    await renewed(runtime)
    again = await answered(runtime)
    assert len(stale) == 1
    assert first == (("stale", "old") if allowed else ("miss", "new"))
    assert again == ("exact", "new")


async def test_an_answer_that_cannot_be_made_anew_is_not_served_on(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """No model answers: after the first try the next shopper gets the article as it stands now."""
    await edit(runtime, OLD, serve_while_stale=True)
    await answered(runtime)
    await edit(runtime, NEW, serve_while_stale=True)
    vendors_at_simulator.fault("500")
    first = await answered(runtime)
    await renewed(runtime)
    assert [first, await answered(runtime)] == [("stale", "old"), ("miss", "new")]


async def test_a_worker_of_its_own_leaves_it_to_a_process_that_serves(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The worker's process notes what is stale; one serving process makes it anew, once."""
    await edit(runtime, OLD, serve_while_stale=False)
    await answered(runtime)
    await edit(runtime, NEW, serve_while_stale=False)
    assert Process.current().running is None
    await runtime.writer.run(work_outbox)
    assert await runtime.reader.run(lambda: Answer.objects.get().status) == Answer.STALE
    runtime.supervisor.draining = False  # `ended` has drained it
    assert [await refresh_noted(runtime), await refresh_noted(runtime)] == [1, 0]
    assert await answered(runtime) == ("exact", "new")


async def test_a_refresh_replaces_what_was_kept_in_reach(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """The background's new answer takes over the wording of an answer that was kept for showing."""
    await edit(runtime, OLD, serve_while_stale=True)
    await answered(runtime)
    await edit(runtime, NEW, serve_while_stale=True)
    ids = await runtime.writer.run(lambda: mark_stale(key=KEY, locale="en", now=NOW))
    runtime.supervisor.draining = False  # `ended` has drained it
    assert await refresh(runtime, ids) == 1
    assert await answered(runtime) == ("exact", "new")
