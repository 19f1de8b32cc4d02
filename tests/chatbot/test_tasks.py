"""Background work off rows: doing it twice changes nothing, and one bad row stops no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from cache.models import Answer, Lookup
from chatbot import tallies
from chatbot.models import (
    Aggregate,
    Conversation,
    Frame,
    Outbox,
    Question,
    Shopper,
    Site,
    Tally,
)
from chatbot.staleness import ARTICLE_CHANGED
from chatbot.tallies import BUCKET, SETTLE, bucket_of, count_closed_buckets
from chatbot.tasks import count_served, prune, work_outbox
from routing.models import Call

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUARTER = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def conversation(transactional_db: None) -> Conversation:
    """A conversation of the default site."""
    shopper = Shopper.objects.create(site=Site.objects.create(key="default"), public_id="s")
    return Conversation.objects.create(shopper=shopper, public_id="c")


def question(conversation: Conversation, at: datetime, **fields: Any) -> Question:
    """An answered question of that time."""
    values = {"state": Question.ANSWERED, "cache": "miss", "deadline_at": at} | fields
    return Question.objects.create(
        conversation=conversation,
        client_id=f"q{Question.objects.count()}",
        text="When?",
        locale="en",
        accepted_at=at,
        **values,
    )


def call(at: datetime, **fields: Any) -> Call:
    """A ledger row of that time."""
    values = {"tier": "FAQ", "model_served": "m", "cost_nanousd": 100, "site_id": 1} | fields
    return Call.objects.create(
        attempt_id=f"a{Call.objects.count()}",
        endpoint_key="openai",
        model_asked="m",
        started_at=at,
        **values,
    )


def lookup(at: datetime, answer: Answer | None = None) -> Lookup:
    """A receipt of that time."""
    return Lookup.objects.create(
        question_id=1, site_id=1, partition="p", outcome="miss", reason="r", at=at, answer=answer
    )


def outbox(kind: str = ARTICLE_CHANGED, *, due: datetime = NOW, **fields: Any) -> Outbox:
    """A row of work."""
    values = {"payload": {"key": "none", "locale": "en"}} | fields
    return Outbox.objects.create(kind=kind, available_at=due, **values)


@time_machine.travel(NOW, tick=False)
def test_due_work_is_done_once() -> None:
    """Due rows are done and marked; later ones wait; a second run finds nothing."""
    due, later = outbox(), outbox(due=NOW + timedelta(seconds=1))
    assert [work_outbox(), work_outbox()] == [1, 0]
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.done_at, later.done_at) == (NOW, None)


@pytest.mark.parametrize(
    "broken",
    [{"payload": {}}, {"payload": ["x"]}, {"kind": "written-by-a-newer-version"}],
    ids=["empty-payload", "odd-payload", "unknown-kind"],
)
@time_machine.travel(NOW, tick=False)
def test_failing_row_waits_and_stops_no_other(broken: dict[str, Any]) -> None:
    """It is kept with its error and a later time; the row behind it is done."""
    bad, good = outbox(**broken), outbox()
    assert work_outbox() == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (good.done_at, bad.done_at, bad.attempts) == (NOW, None, 1)
    assert bad.available_at > NOW
    assert bad.last_error


def test_failing_row_waits_longer_each_time() -> None:
    """The wait grows with every attempt, up to a bound."""
    bad, waits = outbox(payload={}), []
    moment = NOW
    for _ in range(30):
        with time_machine.travel(moment, tick=False):
            work_outbox()
        bad.refresh_from_db()
        waits.append(bad.available_at - moment)
        moment = bad.available_at
    assert waits == sorted(waits)
    assert waits[0] < waits[3] < timedelta(days=1)
    assert waits[-1] <= timedelta(days=1)


@time_machine.travel(NOW, tick=False)
def test_prune_by_retention(conversation: Conversation, settings: Any) -> None:
    """What is older than the retention goes, with all that hangs on it; the rest stays."""
    settings.RETENTION_DAYS = 10
    limit = NOW - timedelta(days=10)
    old, new = limit - timedelta(seconds=1), limit
    kept = Conversation.objects.create(shopper=conversation.shopper, public_id="kept")
    for row, at in ((conversation, old), (kept, new)):
        Frame.objects.create(conversation=row, seq=1, question=question(row, at), body={})
        Conversation.objects.filter(pk=row.pk).update(last_at=at)
        lookup(at)
        call(at)
        outbox(done_at=at)
    outbox(due=old)
    prune()
    assert list(Conversation.objects.all()) == [kept]
    counts = [model.objects.count() for model in (Question, Frame, Lookup, Call, Outbox)]
    assert counts == [1, 1, 1, 1, 2]


@time_machine.travel(NOW, tick=False)
def test_prune_twice_deletes_nothing_more(conversation: Conversation) -> None:
    """The second run has nothing to do, and tallies outlive what they were counted from."""
    question(conversation, QUARTER)
    count_closed_buckets(now=NOW)
    Conversation.objects.update(last_at=NOW - timedelta(days=365))
    first, second = prune(), prune()
    assert first["conversations"] > 0
    assert set(second.values()) == {0}
    assert Tally.objects.filter(metric="questions").count() == 1


def test_hits_are_counted_once() -> None:
    """Each receipt adds one to its answer, however often the task runs."""
    answer = Answer.objects.create(partition="p", text="t", created_at=NOW, checked_at=NOW)
    for minute in range(3):
        lookup(NOW + timedelta(minutes=minute), answer)
    lookup(NOW)
    counted = [count_served(), count_served()]
    lookup(NOW + timedelta(minutes=9), answer)
    counted.append(count_served())
    answer.refresh_from_db()
    assert counted == [3, 0, 1]
    assert (answer.served_count, answer.last_served_at) == (4, NOW + timedelta(minutes=9))


@pytest.mark.parametrize(
    ("minute", "start"), [(0, 0), (14, 0), (15, 15), (44, 30), (59, 45)], ids=str
)
def test_bucket_of_a_moment(minute: int, start: int) -> None:
    """Quarter hours begin at 0, 15, 30 and 45."""
    moment = datetime(2026, 11, 23, 9, minute, 59, 999_999, tzinfo=UTC)
    assert bucket_of(moment) == datetime(2026, 11, 23, 9, start, tzinfo=UTC)


def test_bucket_is_counted_once_it_has_settled(conversation: Conversation) -> None:
    """Neither before its end nor in the two minutes after it; then exactly once."""
    question(conversation, QUARTER)
    ready = QUARTER + BUCKET + SETTLE
    early = count_closed_buckets(now=ready - timedelta(microseconds=1))
    assert [early, count_closed_buckets(now=ready), count_closed_buckets(now=ready)] == [0, 1, 0]


def test_sums_by_bucket(conversation: Conversation) -> None:
    """Questions by how they ended, calls and money by model, each in its own quarter hour."""
    site_id = conversation.shopper.site_id
    question(conversation, QUARTER)
    question(conversation, QUARTER + timedelta(minutes=14))
    question(conversation, QUARTER, cache="", state=Question.FAILED)
    question(conversation, QUARTER, simulated=True)
    question(conversation, QUARTER + BUCKET, cache="exact")
    call(QUARTER, site_id=site_id)
    call(QUARTER, site_id=site_id, cost_nanousd=50)
    count_closed_buckets(now=QUARTER + timedelta(hours=1))
    rows = Tally.objects.exclude(metric="counted").order_by("starts_at", "metric", "label")
    found = [(r.starts_at, r.simulated, r.metric, r.label, r.value) for r in rows]
    assert sorted(found) == sorted(
        [
            (QUARTER, False, "calls", "FAQ/m", 2),
            (QUARTER, False, "cost_nanousd", "FAQ/m", 150),
            (QUARTER, False, "questions", "miss/answered", 2),
            (QUARTER, False, "questions", "none/failed", 1),
            (QUARTER, True, "questions", "miss/answered", 1),
            (QUARTER + BUCKET, False, "questions", "exact/answered", 1),
        ]
    )


def test_counting_a_bucket_again_gives_the_same_rows(conversation: Conversation) -> None:
    """After a crash between two runs nothing is counted double."""
    question(conversation, QUARTER)
    call(QUARTER)
    now = QUARTER + timedelta(minutes=20)
    count_closed_buckets(now=now)
    before = list(Tally.objects.order_by("id").values())
    Tally.objects.filter(metric="counted").delete()
    Aggregate.objects.all().delete()
    count_closed_buckets(now=now)
    after = Tally.objects.exclude(metric="counted").order_by("id").values()
    assert list(after) == [row for row in before if row["metric"] != "counted"]


def test_long_pause_is_passed_over(conversation: Conversation) -> None:
    """After two days without a question one run is done: the question's bucket and the last one."""
    question(conversation, QUARTER)
    now = QUARTER + timedelta(days=2) + SETTLE
    assert [count_closed_buckets(now=now) for _ in range(2)] == [2, 0]


def test_long_standstill_is_made_up_in_portions(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run counts no more buckets than it may, the next goes on."""
    monkeypatch.setattr(tallies, "MAX_BUCKETS_PER_RUN", 2)
    for place in range(5):
        question(conversation, QUARTER + place * BUCKET)
    now = QUARTER + 5 * BUCKET + SETTLE
    assert [count_closed_buckets(now=now) for _ in range(4)] == [2, 2, 1, 0]


def test_nothing_asked_counts_nothing() -> None:
    """An empty site has no buckets."""
    assert count_closed_buckets(now=NOW) == 0
