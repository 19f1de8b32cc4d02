"""What a save sets off: versions, revisions, and answers that are recalled everywhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sockets import opened
from supervised import COURIER

from base.revision import current_number
from cache.models import Answer, Source
from cache.store import Entry, Store
from chatbot.configuration import Configuration
from chatbot.models import Article, ArticleVersion, Outbox, Product, Question, Site
from chatbot.refreshing import refresh
from chatbot.runtime import Runtime
from chatbot.staleness import ARTICLE_CHANGED, mark_stale
from routing.models import Chain, Endpoint, ExchangeRate, Model, Price, RuleSet
from simulator.running import RunningSimulator

KEY = "shipping-couriers"


@pytest.fixture
def article(transactional_db: None) -> Article:
    """An article that was just written."""
    site = Site.objects.create(key="default")
    return Article.objects.create(
        site=site, key=KEY, locale="en", topic="shipping", title="Couriers", text="SF Express."
    )


def edit(**changes: Any) -> None:
    """Staff save the article on couriers."""
    row = Article.objects.get(key=KEY, locale="en")
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, 1),
        ({"topic": "other", "asked_as": ["who ships"], "url": "/x"}, 1),
        ({"enabled": False}, 1),
        ({"text": "ZTO."}, 2),
        ({"title": "Carriers"}, 2),
        ({"text": "ZTO.", "version": 1}, 2),
    ],
    ids=["nothing", "around-it", "switched-off", "text", "title", "version-by-hand"],
)
def test_only_title_and_text_make_a_version(
    article: Article, changes: dict[str, Any], version: int
) -> None:
    """The version counts changes of what shoppers read, and nobody sets it by hand."""
    edit(**changes)
    article.refresh_from_db()
    assert article.version == version


def test_every_version_is_kept(article: Article) -> None:
    """What the article said at each version can be read later."""
    edit(text="ZTO.")
    edit(text="YTO.")
    rows = ArticleVersion.objects.order_by("version").values_list("version", "text")
    assert list(rows) == [(1, "SF Express."), (2, "ZTO."), (3, "YTO.")]


def test_change_of_an_article_is_noted_for_later(article: Article) -> None:
    """The same transaction leaves a row of work; a save without a change leaves none."""
    edit()
    before = Outbox.objects.count()
    edit(text="ZTO.")
    row = Outbox.objects.get(kind=ARTICLE_CHANGED)
    assert (before, row.payload) == (0, {"key": KEY, "locale": "en"})


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(
    "kind", [Site, Product, Article, Endpoint, Model, Price, ExchangeRate, Chain, RuleSet]
)
def test_every_configuration_save_bumps_the_revision(kind: Any) -> None:
    """Each kind of row that a question is decided on makes processes load anew."""
    row = RuleSet(version=99) if kind is RuleSet else kind.objects.first()
    before = current_number()
    row.save()
    saved = current_number()
    row.delete() if kind in (RuleSet, Chain, Product) else row.save()
    assert before < saved < current_number()


def test_new_article_under_an_old_key_is_no_old_version(article: Article) -> None:
    """Answers made from a deleted article never count as made from its successor."""
    answer = Answer.objects.create(
        partition="p", text="t", created_at=article.updated_at, checked_at=article.updated_at
    )
    Source.objects.create(answer=answer, article_key=KEY, locale="en", article_version=1)
    article.delete()
    again = Article.objects.create(
        site=article.site, key=KEY, locale="en", topic="shipping", title="New", text="Other words."
    )
    assert again.version > 1


@pytest.mark.parametrize("other_version", [1, 2], ids=["other-at-1", "other-at-the-new-version"])
def test_stale_answers_are_found_whatever_else_they_rest_on(
    article: Article, other_version: int
) -> None:
    """An answer from two articles is stale when one of them has changed."""
    answer = Answer.objects.create(
        partition="p", text="t", created_at=article.updated_at, checked_at=article.updated_at
    )
    for key, version in ((KEY, 1), ("returns-policy", other_version)):
        Source.objects.create(answer=answer, article_key=key, locale="en", article_version=version)
    edit(text="ZTO.")
    stale = mark_stale(key=KEY, locale="en", now=article.updated_at)
    assert stale == [answer.id]


async def refreshed(runtime: Runtime) -> Configuration:
    """The configuration as the follower would have it a moment later."""
    await runtime.reader.run(runtime._snapshots.refresh)
    return runtime.configuration


async def test_edited_article_recalls_its_answers(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """From the moment the edit is known the old answer is not served any more; a new one is made."""
    socket = await opened(runtime)
    first = (await socket.ask(COURIER))[-1]
    exact = (await socket.ask(COURIER))[-1]
    await runtime.writer.run(lambda: edit(text="We ship with ZTO only."))
    await refreshed(runtime)
    near = (await socket.ask("What courier do you use?"))[-1]
    again = (await socket.ask(COURIER))[-1]
    assert [first["cache"], exact["cache"], near["cache"]] == ["miss", "exact", "miss"]
    assert again["cache"] in ("semantic", "miss")
    assert first["text"] not in (near["text"], again["text"])
    await socket.close()


async def test_switched_off_article_recalls_its_answers(runtime: Runtime) -> None:
    """An article that is taken off the shelf takes its answers along, for every shopper."""
    socket = await opened(runtime)
    await socket.ask(COURIER)
    await runtime.writer.run(lambda: edit(enabled=False))
    await refreshed(runtime)
    assert (await socket.ask(COURIER))[-1]["cache"] != "exact"
    await socket.close()


async def test_edit_while_a_model_answers_stores_nothing(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """An answer from a version that is gone by the time of writing serves its asker only."""
    socket = await opened(runtime)
    vendors_at_simulator.fault("hang", options={"max_s": 1.0})
    asking = asyncio.create_task(socket.ask(COURIER))
    async with asyncio.timeout(30):
        while not len(runtime.desk.joins):
            await asyncio.sleep(0.01)
    await runtime.writer.run(lambda: edit(text="We ship with ZTO only."))
    answer = (await asking)[-1]
    assert answer["type"] == "answer"
    assert len(runtime.store) == 0
    assert await runtime.reader.run(Answer.objects.count) == 0
    await socket.close()


async def test_revoked_answer_leaves_a_second_process(runtime: Runtime) -> None:
    """Staff revoke an answer in one process; the other's replica drops it by following."""

    def revoke() -> None:
        answer = Answer.objects.get()
        answer.status = Answer.REVOKED
        answer.save()

    def is_current(_: Entry) -> bool:
        return True

    socket = await opened(runtime)
    await socket.ask(COURIER)
    other = Store(
        writer=runtime.writer,
        reader=runtime.reader,
        engine_id=runtime.embedder.engine_id,
        dimension=runtime.embedder.dimension,
        now=runtime.clock.now,
    )
    await other.load_all()
    held = len(other)
    await runtime.writer.run(revoke)
    await other.follow()
    await runtime.store.follow()
    assert (held, len(other), len(runtime.store)) == (1, 0, 0)
    assert (await socket.ask(COURIER))[-1]["cache"] == "miss"
    other.stop()
    await socket.close()


async def test_stale_answer_is_made_anew_for_all_its_wordings(
    runtime: Runtime, vendors_at_simulator: RunningSimulator
) -> None:
    """After an edit the answer is replaced, and every wording of the old one leads to the new one."""
    socket = await opened(runtime)
    await socket.ask(COURIER)
    await runtime.writer.run(lambda: edit(text="We ship every parcel with ZTO. It is quick."))
    now = runtime.clock.now()
    stale = await runtime.writer.run(lambda: mark_stale(key=KEY, locale="en", now=now))
    replaced = await refresh(runtime, stale)
    await refreshed(runtime)
    await runtime.store.follow()
    again = (await socket.ask(COURIER))[-1]
    assert (len(stale), replaced, again["cache"]) == (1, 1, "exact")
    assert "ZTO" in again["text"]
    assert await runtime.reader.run(Question.objects.count) == 2
    await socket.close()
