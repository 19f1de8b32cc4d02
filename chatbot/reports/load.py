"""The load of the last days, as the capacity card starts from it."""

from __future__ import annotations

from datetime import datetime

from chatbot.report_zone import site_zone
from chatbot.reports.aggregates import read
from chatbot.reports.capacity import Load
from chatbot.reports.figures import latencies
from chatbot.reports.spans import Span
from chatbot.reports.waterfall import counts, measured
from routing.pricing import TYPICAL

DAYS = 7
_HOUR_S = 3_600
TYPICAL_CALL_S = 3.0


def recent_load(*, simulated: bool, now: datetime) -> Load:
    """The busiest hour, the average call and the share without a model of the last DAYS days, today included.

    What was not seen is TYPICAL (one question per second when nothing was asked at all).
    """
    span = Span.last(DAYS, zone=site_zone(), now=now)
    found = read(
        span.start,
        span.end,
        simulated=simulated,
        now=now,
        moments=span.moments(),
        with_tops=False,
        with_rows=False,
    )
    busiest = found.facts.busiest_hour
    whole, used = counts(found.facts), measured(found.facts)
    models = latencies(found.facts)[2]
    call_ms = models.end_ms[0]
    return Load(
        questions_per_s=busiest / _HOUR_S if busiest else 1.0,
        input_tokens=round(used.input_tokens / used.calls) if used.calls else TYPICAL.input_tokens,
        output_tokens=(
            round(used.output_tokens / used.calls) if used.calls else TYPICAL.output_tokens
        ),
        call_s=call_ms / 1_000 if call_ms else TYPICAL_CALL_S,
        calls_per_question=used.calls / whole.to_models if used.calls and whole.to_models else 1.0,
        current_share=1 - whole.to_models / whole.questions if whole.questions else None,
    )
