"""How long a stored answer lives: by its articles' topics and by the dates that it states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from supervised import COURIER, asked, ended

from base.writer import Writer
from cache.lives import expiry
from cache.models import Answer, Lookup
from chatbot.lifetimes import is_over, life_of, next_end
from chatbot.models import Article, Site
from chatbot.runtime import Runtime

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("topics", "days", "expected"),
    [
        (["promo"], {}, 30),
        (["promo"], {"promo": 7}, 7),
        (["shipping", "promo"], {"promo": 7}, 7),
        (["shipping"], {"promo": 7, "default": 90}, 90),
        ([], {"default": 3}, 3),
    ],
)
def test_the_shortest_life_of_the_topics_counts(
    topics: list[str], days: dict[str, int], expected: int
) -> None:
    """An answer from several articles lives as long as the shortest-lived of them."""
    assert life_of(topics, days=days) == timedelta(days=expected)


def test_the_first_end_ahead_ends_the_answer() -> None:
    """What is over already does not; only an answer all of whose times are over is over."""
    text = "Deposit until 31 October 2026, balance until 3 November 2026, 24:00."
    assert next_end(text, now=NOW, zone=CHINA) == datetime(2026, 11, 3, 16, tzinfo=UTC)
    assert not is_over(text, now=NOW, zone=CHINA)
    assert is_over(text, now=datetime(2026, 11, 3, 16, tzinfo=UTC), zone=CHINA)
    assert not is_over("Returns within 30 days.", now=NOW, zone=CHINA)


def test_the_earlier_end_counts() -> None:
    """Life and stated date: whichever comes first; without both there is no end."""
    day, week = timedelta(days=1), timedelta(days=7)
    assert expiry(NOW, life=week, until=NOW + day) == NOW + day
    assert expiry(NOW, life=day, until=NOW + week) == NOW + day
    assert expiry(NOW, life=None, until=None) is None


async def changed(runtime: Runtime, writer: Writer, text: str, **site: object) -> None:
    """Staff change what the couriers' article says, and the site's settings; the process knows of it."""

    def save() -> None:
        Site.objects.update(**site)
        row = Article.objects.get(key="shipping-couriers", locale="en")
        row.text = text
        row.save()

    await writer.run(save)
    await runtime.catch_up()


async def test_a_dated_answer_ends_at_that_minute_in_the_shops_zone(runtime: Runtime) -> None:
    """ "Until ... 24:00" is that day's midnight in the shop's zone, to the second."""
    day = (runtime.clock.now().astimezone(CHINA) + timedelta(days=3)).date()
    text = f"We use the courier SF Express for all parcels until {day.isoformat()} at 24:00."
    await changed(runtime, runtime.writer, text)
    question = await asked(runtime, COURIER)
    runtime.supervisor.start(question)
    await ended(runtime, question)
    row = await runtime.reader.run(Answer.objects.get)
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA) + timedelta(days=1)
    assert row.expires_at == midnight.astimezone(UTC)


async def test_an_answer_whose_time_is_over_is_not_stored(runtime: Runtime) -> None:
    """It goes to its asker alone, and the receipt says why."""
    await changed(runtime, runtime.writer, "We use the courier SF Express until 10 November 2020.")
    question = await asked(runtime, COURIER)
    runtime.supervisor.start(question)
    await ended(runtime, question)
    receipt = await runtime.reader.run(Lookup.objects.get)
    assert "not stored: the time until which it holds is over" in receipt.reason
    assert await runtime.reader.run(Answer.objects.count) == 0


async def test_the_life_is_that_of_the_topic(runtime: Runtime) -> None:
    """Staff give a topic two days: an answer from its article ends then."""
    await changed(
        runtime, runtime.writer, "We use the courier SF Express.", answer_days={"shipping": 2}
    )
    question = await asked(runtime, COURIER)
    runtime.supervisor.start(question)
    await ended(runtime, question)
    row = await runtime.reader.run(Answer.objects.get)
    assert row.expires_at - row.created_at == timedelta(days=2)
