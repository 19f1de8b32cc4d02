"""Claims about calls whose process died: booked once, as unknown, with the whole estimate."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from routing.lost import GRACE, book_lost
from routing.models import Call, Price, Spending
from tests.chatbot.admin_rows import a_call, a_model
from tests.routing.helpers import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Call:
    """A started call with a reservation in one budget, its deadline just over."""
    endpoint = a_model().endpoint
    Price.objects.create(
        endpoint=endpoint,
        model_name="m-1",
        valid_from=date(2026, 1, 1),
        input_nano_per_token=10,
        cached_input_nano_per_token=1,
        output_nano_per_token=20,
    )
    spending = Spending.objects.create(
        kind="budget",
        row_id=1,
        period_start=NOW,
        period_end=NOW + timedelta(days=1),
        reserved_nanousd=1_500,
        reserved_tokens=100,
    )
    return a_call(
        "lost",
        outcome=Call.STARTED,
        started_at=NOW,
        deadline_at=NOW,
        reserved_input_tokens=50,
        reserved_output_tokens=25,
        reserved_nanousd=1_000,
        held_in=[spending.pk],
    )


def test_a_lost_call_is_unknown_with_its_whole_estimate(row: Call) -> None:
    """Flagged as an estimate; the reservation becomes spending; a second run books nothing."""
    after = NOW + GRACE + timedelta(seconds=1)
    assert [book_lost(now=after), book_lost(now=after)] == [1, 0]
    row.refresh_from_db()
    assert (row.outcome, row.failure, row.tokens_estimated) == (Call.UNKNOWN, "lost", True)
    assert (row.input_tokens, row.output_tokens, row.cost_nanousd) == (50, 25, 1_000)
    spending = Spending.objects.get()
    assert (spending.spent_nanousd, spending.reserved_nanousd) == (1_000, 500)
    assert (spending.spent_tokens, spending.reserved_tokens) == (75, 25)


def test_a_call_in_time_is_left_alone(row: Call) -> None:
    """Its process may still be writing."""
    assert book_lost(now=NOW + GRACE) == 0


def test_a_row_without_deadline_is_lost_after_an_hour(row: Call) -> None:
    """Rows of earlier versions have none."""
    Call.objects.update(deadline_at=None)
    assert book_lost(now=NOW + timedelta(minutes=59)) == 0
    assert book_lost(now=NOW + timedelta(minutes=61)) == 1
