"""Aggregates: figures equal plain SQL, whatever is closed and whatever is open; long tables are not read."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from chatbot.models import Aggregate, Question
from chatbot.reports import figures, foremost, waterfall
from chatbot.reports.aggregates import BUCKET, SETTLE, Reading, read, recount
from chatbot.reports.histograms import ERROR_SHARE, ROUNDING_MS, cell_of, percentile
from chatbot.reports.quality import wilson, wrong_hits
from chatbot.reports.spans import Span
from chatbot.tallies import count_closed_buckets
from routing.models import Call
from tests.chatbot.admin_rows import NOON, a_call, a_conversation, a_question
from tests.chatbot.report_rows import DAYS, START, random_rows

END = START + timedelta(days=DAYS)


def _sql(query: str, *, start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"start": start, "end": end})
        return list(cursor.fetchall())


def _count(now: datetime) -> None:
    while count_closed_buckets(now=now):
        pass


@pytest.fixture
def rows(db: None) -> None:
    """Three days of random rows."""
    random_rows(7, questions=300)


@pytest.mark.parametrize(
    ("zone", "open_for"),
    [
        ("UTC", timedelta(0)),
        ("Asia/Shanghai", timedelta(minutes=95)),
        ("Asia/Kolkata", timedelta(minutes=40)),
    ],
)
def test_figures_equal_plain_sql(rows: None, zone: str, open_for: timedelta) -> None:
    """Questions, calls, money, receipts, labels and tops of two days in any zone, counted or still open."""
    span = Span.between(START.date(), START.date() + timedelta(days=1), zone=ZoneInfo(zone))
    _count(span.end - open_for + SETTLE)
    found = read(span.start, span.end, simulated=False, now=span.end, moments=span.moments())
    _equal_to_sql(found, start=span.start, end=span.end)


def _equal_to_sql(found: Reading, *, start: datetime, end: datetime) -> None:
    def sql(query: str) -> list[tuple[Any, ...]]:
        return _sql(query, start=start, end=end)

    asked = "from chatbot_question where not simulated and accepted_at >= %(start)s and accepted_at < %(end)s"
    called = (
        "from routing_call where not simulated and started_at >= %(start)s and started_at < %(end)s"
    )
    looked = "from cache_lookup where not simulated and at >= %(start)s and at < %(end)s"
    outcomes = {share.key: share.count for share in figures.outcome_shares(found.facts)}
    totals = figures.totals(found.facts)
    assert outcomes == dict(sql(f"select cache, count(*) {asked} group by cache"))
    assert [sum(figures.totals(part).questions for part in found.moments)] == [totals.questions]
    money = "sum(input_tokens), sum(output_tokens), sum(cost_nanousd), count(*)"
    assert sql(f"select {money} {called}") == [
        (totals.input_tokens, totals.output_tokens, totals.cost_nanousd, totals.calls)
    ]
    assert sql(f"select sum(saved_nanousd) {looked}") == [(totals.saved_nanousd,)]
    by_model = {
        (row.endpoint_key, row.model): row.cost_nanousd
        for row in figures.spend_by_model(found.facts)
    }
    grouped = sql(f"select endpoint_key, model_asked, sum(cost_nanousd) {called} group by 1, 2")
    assert by_model == {(endpoint, model): cost for endpoint, model, cost in grouped}
    top = sql(f"select text, count(*) {asked} group by text order by 2 desc, max(id) desc limit 8")
    assert [(row.text, row.count) for row in foremost.most_asked(found.tops)] == top
    dear = sql(
        f"select question_id, sum(cost_nanousd) {called} and question_id is not null group by 1 "
        "order by 2 desc, 1 limit 8"
    )
    assert [(row.question_id, row.cost_nanousd) for row in foremost.dearest(found.tops)] == dear
    judged = "from cache_label where partition like '%%/live' and at >= %(start)s and at < %(end)s"
    labels = sql(f'select count(*), count(*) - sum("right") {judged}')
    assert [(row.labels, row.wrong) for row in wrong_hits(found.facts)][-1:] == labels


def test_waterfall_ends_at_the_ledger(rows: None) -> None:
    """Whole plus steps is the ledger's total to the nano-dollar, and no step of the cache costs."""
    _count(END + SETTLE)
    facts = read(START, END, simulated=False, now=END).facts
    ledger = sum(Call.objects.filter(simulated=False).values_list("cost_nanousd", flat=True))
    steps = waterfall.steps(
        waterfall.counts(facts), waterfall.measured(facts), baseline_nanousd=10**9 + 1
    )

    assert sum(step.nanousd for step in steps[:-1]) == steps[-1].nanousd == ledger
    assert all(step.nanousd <= 0 for step in steps if step.key in waterfall.SERVED)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**12))
def test_waterfall_adds_up_for_any_figures(hits: int, missed: int, calls: int, paid: int) -> None:
    """Rounding leaves nothing over."""
    served = dict.fromkeys(waterfall.SERVED, 0) | {"exact": hits}
    found = waterfall.Counts(hits + missed, served, 0, 0, 1, 5, 2, 7)
    used = waterfall.Measured(calls=calls, cost_nanousd=paid)
    steps = waterfall.steps(found, used, baseline_nanousd=3 * paid)

    assert sum(step.nanousd for step in steps[:-1]) == paid + 5 + 7


def test_without_a_completed_call_nothing_is_claimed() -> None:
    """No measured tokens: the levels above the failures are 0."""
    found = waterfall.Counts(10, dict.fromkeys(waterfall.SERVED, 2), 0, 0, 1, 5, 0, 0)
    steps = waterfall.steps(found, waterfall.Measured(), baseline_nanousd=0)

    assert [step.level for step in steps if step.level] == [5, 5, 5]


def test_what_ends_late_is_counted_again(db: None) -> None:
    """A call that was open when its bucket closed is in the figures once it has ended."""
    talk = a_conversation(1)
    a_question(talk, state=Question.WORKING)
    call = a_call("a", outcome=Call.STARTED)
    _count(NOON + BUCKET + SETTLE)
    assert figures.totals(_at_noon().facts).cost_nanousd == 0

    Question.objects.update(state=Question.ANSWERED)
    Call.objects.filter(pk=call.pk).update(outcome=Call.COMPLETED, cost_nanousd=77)
    _count(NOON + BUCKET + SETTLE)
    assert figures.totals(_at_noon().facts).cost_nanousd == 77
    assert not Aggregate.objects.filter(open=True).exists()


def _at_noon() -> Reading:
    end = NOON + timedelta(hours=1)
    return read(NOON, end, simulated=False, now=end)


def test_rows_of_the_past_are_counted_when_told(rows: None) -> None:
    """Inserted history shows after `recount`, in quarters and in hours."""
    _count(END + SETTLE)
    late = a_question(a_conversation(3), accepted_at=START + timedelta(hours=1, minutes=5))
    before = figures.totals(read(START, END, simulated=False, now=END).facts).questions
    recount(late.accepted_at, late.accepted_at + timedelta(minutes=1))
    after = figures.totals(read(START, END, simulated=False, now=END).facts).questions

    assert (after - before) == 1


def test_a_worker_that_is_behind_is_told(rows: None) -> None:
    """Rows are read for two hours beyond what was counted, and the figures say where they end."""
    _count(START + timedelta(hours=6) + SETTLE)
    found = read(START, END, simulated=False, now=END)

    assert (found.behind, found.until) == (True, START + timedelta(hours=8))


@given(st.lists(st.integers(1, 600_000), min_size=1, max_size=60), st.sampled_from([50, 95, 99]))
def test_percentile_is_within_its_bound(times_ms: list[int], share: int) -> None:
    """Read from cells, a nearest-rank percentile is off by at most ERROR_SHARE and the rounding."""
    exact = sorted(times_ms)[-(-share * len(times_ms) // 100) - 1]
    found = percentile(Counter(map(cell_of, times_ms)), share=share)

    assert found == pytest.approx(exact, rel=ERROR_SHARE, abs=ROUNDING_MS + exact * ERROR_SHARE)


def test_interval_of_few_labels() -> None:
    """Wilson's interval for 1 of 10 is 1.8 % to 40.4 %; without labels nothing is known."""
    low, high = wilson(1, 10)

    assert (round(low, 3), round(high, 3)) == (0.018, 0.404)
    assert wilson(0, 0) == (0.0, 1.0)


def test_page_reads_aggregates_and_the_open_bucket_only(
    admin_client: Client, rows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every query of the page over questions, calls, look-ups and labels goes by a time, an id or not at all."""
    _count(END + SETTLE)
    with CaptureQueriesContext(connection) as captured:
        url = f"{reverse('admin:index')}?rows=live&from={START.date()}&to={END.date()}"
        assert admin_client.get(url).status_code == 200
    long = ("chatbot_question", "routing_call", "cache_lookup", "cache_label")
    plans = {
        detail
        for query in captured
        if any(table in query["sql"] for table in long)
        for *_, detail in _plan(query["sql"])
        if any(table in detail for table in long)
    }

    assert plans
    by_time_or_id = re.compile(r"(by_time|_at_[0-9a-f]+) \(|PRIMARY KEY|rowid|question_id")
    assert {detail for detail in plans if not by_time_or_id.search(detail)} == set()


def _plan(sql: str) -> list[tuple[Any, ...]]:
    if connection.vendor != "sqlite":
        pytest.skip("plans are read from SQLite")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return list(cursor.fetchall())
