"""Figures of the first page against rows that were counted by hand, and against plain SQL over random rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.models import Question
from chatbot.reports import configured, figures, foremost
from chatbot.reports.aggregates import Reading, read
from chatbot.reports.histograms import ERROR_SHARE, ROUNDING_MS
from chatbot.reports.spans import Span
from chatbot.tallies import count_closed_buckets
from routing.models import Call, Chain
from routing.snapshot import load_routing
from tests.chatbot.admin_rows import NOON, a_call, a_conversation, a_model, a_question

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPAN = Span.last(7, zone=SHANGHAI, now=NOON)


def _live() -> Reading:
    """What the page reads once the worker has counted."""
    while count_closed_buckets(now=NOON + timedelta(minutes=20)):
        pass
    return read(SPAN.start, SPAN.end, simulated=False, now=NOON, moments=SPAN.moments())


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=9))
def test_shares_add_up_exactly(counts: list[int]) -> None:
    """Shares of any counts add up to 100.0 %, and to nothing when there is nothing."""
    found = figures.shares([(str(place), count) for place, count in enumerate(counts)])

    assert sum(share.permille for share in found) == (1000 if sum(counts) else 0)
    assert all(abs(share.permille - 1000 * share.count / (sum(counts) or 1)) < 1 for share in found)


@pytest.mark.parametrize(
    ("days", "now", "start", "end"),
    [
        (1, "2026-11-20T15:59:00", "2026-11-19T16:00:00", "2026-11-20T16:00:00"),
        (1, "2026-11-20T16:00:00", "2026-11-20T16:00:00", "2026-11-21T16:00:00"),
        (7, "2026-11-20T12:00:00", "2026-11-13T16:00:00", "2026-11-20T16:00:00"),
    ],
    ids=["before midnight in Shanghai", "at midnight in Shanghai", "a week"],
)
def test_days_are_the_shops_days(days: int, now: str, start: str, end: str) -> None:
    """A span begins and ends at midnight in the site's zone."""
    at, first, last = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, start, end)
    )
    span = Span.last(days, zone=SHANGHAI, now=at)

    assert (span.start, span.end) == (first, last)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["spring", "autumn"]
)
def test_a_day_of_another_length_has_its_own_hours(day: date, hours: int) -> None:
    """Where clocks change, the plot has 23 or 25 hours."""
    zone = ZoneInfo("Europe/Berlin")
    span = Span.last(1, zone=zone, now=datetime(day.year, day.month, day.day, 12, tzinfo=zone))

    assert len(span.moments()) == hours


def test_span_before_is_as_long_and_ends_at_the_same_time() -> None:
    """Today's figures are compared with yesterday's up to this hour."""
    today = Span.last(1, zone=SHANGHAI, now=NOON)

    assert today.before(now=NOON).end == NOON - timedelta(days=1)
    assert today.before(now=NOON).start == today.start - timedelta(days=1)


@pytest.fixture
def week(db: None) -> None:
    """Ten live questions with calls, one simulated, one too old."""
    talk = a_conversation(1)
    outcomes = ["exact"] * 3 + ["semantic"] * 2 + ["joined", "miss", "miss", "bypass", ""]
    for place, cache in enumerate(outcomes):
        failed = not cache
        a_question(
            talk,
            text="Which Courier?"
            if place < 2
            else ("which courier?" if place == 2 else f"Question {place}"),
            cache=cache,
            total_ms=10 * (place + 1),
            state=Question.FAILED if failed else Question.ANSWERED,
            error_code="deadline" if failed else "",
            origin="template"
            if place == 6
            else "model"
            if cache in ("miss", "bypass")
            else "cache",
            tier="FAQ" if place == 6 else "",
        )
    a_question(a_conversation(2, simulated=True), cache="exact")
    a_question(talk, cache="exact", accepted_at=SPAN.start - timedelta(seconds=1))


@pytest.fixture
def spending(week: None) -> None:
    """Four live calls, one of them failed; a simulated one; one too old."""
    first, second = Question.objects.filter(cache="miss").order_by("pk")
    a_call("a", question_id=first.pk, cost_nanousd=100, input_tokens=10, output_tokens=1)
    a_call("b", question_id=first.pk, cost_nanousd=30, tier="COMPLEX", model_asked="m-2")
    a_call("c", question_id=second.pk, cost_nanousd=200, input_tokens=5, model_asked="m-2")
    a_call("d", question_id=second.pk, outcome=Call.FAILED, failure="rate", status=429)
    a_call("e", cost_nanousd=999, simulated=True)
    a_call("f", cost_nanousd=999, started_at=SPAN.start - timedelta(seconds=1))


def test_outcomes_are_counted_and_add_up(week: None) -> None:
    """Every live question of the span is in exactly one outcome."""
    found = {share.key: share.count for share in figures.outcome_shares(_live().facts)}

    assert found == {"exact": 3, "semantic": 2, "joined": 1, "miss": 2, "bypass": 1, "": 1}
    assert sum(share.permille for share in figures.outcome_shares(_live().facts)) == 1000


def test_hits_are_what_was_served_or_joined(week: None) -> None:
    """6 of 10 questions: exact, semantic and joined ones."""
    totals = figures.totals(_live().facts)

    assert (totals.questions, totals.hits, totals.hit_permille, totals.failed) == (10, 6, 600, 1)


def test_cost_is_the_sum_of_the_calls(spending: None) -> None:
    """The total, the models and the tiers all add up to the ledger's rows."""
    ledger = sum(Call.objects.filter(attempt_id__in="abcd").values_list("cost_nanousd", flat=True))
    by_model, by_tier = figures.spend_by_model(_live().facts), figures.spend_by_tier(_live().facts)

    assert ledger == figures.totals(_live().facts).cost_nanousd == 330
    assert (
        sum(row.cost_nanousd for row in by_model) == sum(row.cost_nanousd for row in by_tier) == 330
    )
    assert sum(row.calls for row in by_model) == sum(row.calls for row in by_tier) == 4


def test_models_come_dearest_first_with_their_failures(spending: None) -> None:
    """Calls, failed calls and tokens of each model."""
    found = [
        (row.model, row.calls, row.failed, row.input_tokens)
        for row in figures.spend_by_model(_live().facts)
    ]

    assert found == [("m-2", 2, 0, 5), ("m-1", 2, 1, 10)]


def test_dearest_question_is_the_one_whose_calls_cost_most(spending: None) -> None:
    """All attempts of a question count, failed ones too."""
    found = [
        (asked.text, asked.cost_nanousd, asked.count) for asked in foremost.dearest(_live().tops)
    ]

    assert found == [("Question 7", 200, 2), ("Question 6", 130, 2)]


def test_most_asked_counts_a_wording_whatever_its_case(week: None) -> None:
    """Three questions in two spellings are one wording."""
    assert [asked.count for asked in foremost.most_asked(_live().tops)] == [3]


def test_gap_is_what_no_article_answered_or_a_model_had_to(week: None) -> None:
    """Both misses are gaps, one of them without an article; hits are none."""
    found = {
        gap.wordings[0].text: (gap.count, gap.without_article)
        for gap in foremost.gaps(_live().tops)
    }

    assert found == {"Question 6": (1, 1), "Question 7": (1, 0)}


def test_wordings_about_the_same_are_one_gap_ranked_by_money(db: None) -> None:
    """Rewordings join; an unanswered question is worth what an average answered one cost."""
    talk = a_conversation(1)
    miss = {"cache": "miss", "tier": "FAQ"}
    for text in ("Do you rent kayaks?", "Can I rent a kayak?", "你们出租皮划艇吗"):
        a_question(talk, text, origin="template", **miss)
    a_question(talk, "How do I fold the tent?", origin="model", cost_nanousd=300, **miss)
    found = [
        (len(gap.wordings), gap.without_article, gap.cost_nanousd, gap.worth_nanousd)
        for gap in foremost.gaps(_live().tops)
    ]

    assert found == [(2, 2, 0, 600), (1, 0, 300, 300), (1, 1, 0, 300)]


def test_failures_are_counted_by_kind(spending: None) -> None:
    """Errors that shoppers saw, and calls that failed."""
    questions = [(row.code, row.count) for row in figures.failed_questions(_live().facts)]
    calls = [
        (row.code, row.model, row.status, row.count) for row in figures.failed_calls(_live().facts)
    ]

    assert questions == [("deadline", 1)]
    assert calls == [("rate", "m-1", 429, 1)]


def test_percentiles_are_nearest_ranks_within_their_cells(week: None) -> None:
    """Of 10, 20, ... 90 ms the median is 50 and the 95th percentile 90, as near as cells tell."""
    everything = figures.latencies(_live().facts)[0]

    assert everything.count == 9
    assert everything.end_ms[0] == pytest.approx(50, rel=ERROR_SHARE, abs=ROUNDING_MS)
    assert everything.end_ms[1] == pytest.approx(90, rel=ERROR_SHARE, abs=ROUNDING_MS)


def test_percentiles_of_nothing_are_none(db: None) -> None:
    """Without an answer there is no percentile."""
    assert {row.end_ms for row in figures.latencies(_live().facts)} == {(None, None, None)}


def test_moments_hold_every_question_once(week: None) -> None:
    """Seven days, empty ones too; the days add up to the total."""
    days = [figures.totals(day) for day in _live().moments]

    assert len(days) == 7
    assert [(day.hits, day.questions) for day in days if day.questions] == [(6, 10)]


def test_retiring_and_left_out_models(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is announced up to its last day and left out from the next; one without a key is left out."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-something")
    last = NOON.date()
    Chain.objects.create(tier="FAQ", position=1, model=a_model("old", valid_until=last))
    soon = [
        (row.model.name, row.days, row.tiers)
        for row in configured.retiring(load_routing(), today=last)
    ]
    tomorrow = last + timedelta(days=1)

    assert soon == [("old", 0, ("FAQ",))]
    assert configured.left_out(load_routing(), today=last) == []
    assert [
        (row.model.name, row.tiers) for row in configured.left_out(load_routing(), today=tomorrow)
    ] == [("old", ("FAQ",))]


def test_model_without_a_key_is_left_out(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Chain.objects.create(tier="FAQ", position=1, model=a_model())

    assert "OPENAI_API_KEY" in configured.left_out(load_routing(), today=NOON.date())[0].reason
