"""Sums for the summary page, computed from rows by the database.

Read-only; live and simulated rows never mix. Questions count by when they were accepted, calls by
when they started, receipts by when they were written, all in [start, end) of a `Span`. Costs are
those of the calls (the ledger), so a question without an answer still costs what its calls cost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from math import ceil
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Lower, TruncDay, TruncHour

from chatbot.models import Question
from chatbot.report_values import (
    Asked,
    Failure,
    Latency,
    LeftOut,
    Moment,
    Retiring,
    Rows,
    Share,
    Span,
    Spend,
    Totals,
)
from routing.dispatch import usable
from routing.models import Call
from routing.snapshot import access_of, load_routing
from routing.specs import EndpointSpec, ModelSpec

RANGES_DAYS = (1, 7, 30)
# In the order in which they are shown; "" is a question without a decision (open or failed).
HITS = ("exact", "semantic", "confirmed", "joined", "stale")
OUTCOMES = (*HITS, "miss", "bypass", "")
TOP = 8
RETIREMENT_NOTICE = timedelta(days=30)


def totals(rows: Rows) -> Totals:
    """All figures of the top in three queries."""
    questions = rows.questions.aggregate(
        questions=Count("id"),
        hits=Count("id", filter=Q(cache__in=HITS)),
        failed=Count("id", filter=Q(state=Question.FAILED)),
        open=Count("id", filter=Q(state__in=Question.OPEN)),
    )
    calls = rows.calls.aggregate(
        calls=Count("id"),
        failed_calls=Count("id", filter=Q(outcome=Call.FAILED)),
        unpriced_calls=Count("id", filter=Q(priced=False)),
        **{
            name: Sum(name)
            for name in ("input_tokens", "cached_input_tokens", "output_tokens", "cost_nanousd")
        },
    )
    saved = rows.lookups.aggregate(saved_nanousd=Sum("saved_nanousd"))
    return Totals(**{name: value or 0 for name, value in {**questions, **calls, **saved}.items()})


def outcome_shares(rows: Rows) -> list[Share]:
    """How questions were decided, in the order of OUTCOMES, without those that did not occur."""
    counts = dict(rows.questions.values_list("cache").annotate(count=Count("id")))
    known = [(key, counts.pop(key, 0)) for key in OUTCOMES]
    return shares([(key, count) for key, count in (*known, *sorted(counts.items())) if count])


def shares(counts: Sequence[tuple[str, int]]) -> list[Share]:
    """Shares in tenths of a percent that add up exactly: the largest remainders round up."""
    whole = sum(count for _, count in counts)
    if whole == 0:
        return [Share(key, count, 0) for key, count in counts]
    exact = [(1000 * count) // whole for _, count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda place: -(1000 * counts[place][1] % whole))
    for place in by_remainder[: 1000 - sum(exact)]:
        exact[place] += 1
    return [Share(key, count, part) for (key, count), part in zip(counts, exact, strict=True)]


def spend_by_model(rows: Rows) -> list[Spend]:
    """Per endpoint and model that was asked, dearest first."""
    grouped = _spend(rows.calls.values("endpoint_key", "model_asked"))
    return [
        Spend(endpoint_key=row.pop("endpoint_key"), model=row.pop("model_asked"), tier="", **row)
        for row in grouped
    ]


def spend_by_tier(rows: Rows) -> list[Spend]:
    """Per tier, dearest first."""
    grouped = _spend(rows.calls.values("tier"))
    return [Spend(endpoint_key="", model="", tier=row.pop("tier"), **row) for row in grouped]


def _spend(grouped: QuerySet[Call, Any]) -> list[dict[str, Any]]:
    sums = {name: Sum(name) for name in ("input_tokens", "output_tokens", "cost_nanousd")}
    counted = grouped.annotate(
        calls=Count("id"), failed=Count("id", filter=Q(outcome=Call.FAILED)), **sums
    )
    return list(counted.order_by("-cost_nanousd", "-calls"))


def dearest(rows: Rows) -> list[Asked]:
    """The questions whose calls cost most, with all their calls, failed ones too."""
    calls = rows.calls.filter(question_id__isnull=False).values("question_id")
    summed = calls.annotate(cost=Sum("cost_nanousd"), count=Count("id")).filter(cost__gt=0)
    top = list(summed.order_by("-cost", "question_id")[:TOP])
    texts = _texts(row["question_id"] for row in top)
    return [
        Asked(row["question_id"], texts[row["question_id"]], row["count"], row["cost"])
        for row in top
        if row["question_id"] in texts
    ]


def most_asked(rows: Rows) -> list[Asked]:
    """The wordings that were sent most often, letter case aside."""
    return _by_wording(rows.questions, at_least=2)


def unanswered(rows: Rows) -> list[Asked]:
    """The wordings that no article answered, most frequent first."""
    return _by_wording(only_unanswered(rows.questions), at_least=1)


def only_unanswered(questions: QuerySet[Question]) -> QuerySet[Question]:
    """Questions that got the text "no article answers this": a template, after a tier was chosen.

    Greetings and other fixed texts are given before there is a tier.
    """
    return questions.filter(origin="template").exclude(tier="")


def _by_wording(questions: QuerySet[Question], *, at_least: int) -> list[Asked]:
    grouped = questions.annotate(wording=Lower("text")).values("wording")
    counted = grouped.annotate(count=Count("id"), newest=Max("id")).filter(count__gte=at_least)
    top = list(counted.order_by("-count", "-newest")[:TOP])
    texts = _texts(row["newest"] for row in top)
    return [Asked(row["newest"], texts[row["newest"]], row["count"]) for row in top]


def _texts(ids: Iterable[int | None]) -> dict[int, str]:
    return dict(Question.objects.filter(id__in=list(ids)).values_list("id", "text"))


def failed_questions(rows: Rows) -> list[Failure]:
    """Error codes that shoppers saw, most frequent first."""
    failed = rows.questions.filter(state=Question.FAILED).values_list("error_code")
    counted = failed.annotate(count=Count("id")).order_by("-count", "error_code")
    return [Failure(code, count) for code, count in counted]


def failed_calls(rows: Rows) -> list[Failure]:
    """Failed attempts by model, kind and status, most frequent first."""
    names = ("failure", "endpoint_key", "model_asked", "status")
    failed = rows.calls.filter(outcome=Call.FAILED).values_list(*names)
    counted = failed.annotate(count=Count("id")).order_by("-count", *names)[:TOP]
    return [
        Failure(code, count, endpoint_key=endpoint, model=model, status=status)
        for code, endpoint, model, status, count in counted
    ]


def latencies(rows: Rows) -> list[Latency]:
    """For answered questions: all, those served from the cache, those that a model answered."""
    answered = rows.questions.filter(state=Question.ANSWERED, total_ms__isnull=False)
    return [
        _latency("all", answered),
        _latency("cache", answered.filter(cache__in=HITS)),
        _latency("model", answered.filter(origin="model")),
    ]


def _latency(key: str, questions: QuerySet[Question]) -> Latency:
    """Nearest-rank percentiles: the smallest time that at least p of all answers did not exceed."""
    count = questions.count()
    ordered = questions.order_by("total_ms").values_list("total_ms", flat=True)
    p50, p95 = (ordered[ceil(share * count / 100) - 1] if count else None for share in (50, 95))
    return Latency(key, count, p50, p95)


def timeline(rows: Rows) -> list[Moment]:
    """Every hour of one day or every day of several, in local time, empty ones included."""
    by_hour = rows.span.days == 1
    truncate = TruncHour if by_hour else TruncDay
    counted = (
        rows.questions.annotate(moment=truncate("accepted_at", tzinfo=rows.span.zone))
        .values("moment")
        .annotate(all=Count("id"), hits=Count("id", filter=Q(cache__in=HITS)))
    )
    found = {row["moment"]: row for row in counted}
    empty = {"all": 0, "hits": 0}
    return [
        Moment(start, row["hits"], row["all"] - row["hits"])
        for start in rows.span.moments()
        for row in [found.get(start, empty)]
    ]


def default_simulated(span: Span) -> bool:
    """Which rows to show first: live ones, unless the span (else all time) has only simulated."""
    if Rows(span, simulated=False).questions.exists():
        return False
    if Rows(span, simulated=True).questions.exists():
        return True
    return not Question.objects.filter(simulated=False).exists() and Question.objects.exists()


def left_out(*, today: date) -> list[LeftOut]:
    """Models of the chains that may not be called on `today`, with routing's own reason."""
    found: dict[int, tuple[ModelSpec, str]] = {}
    tiers: defaultdict[int, list[str]] = defaultdict(list)
    routing = load_routing()
    for tier, chain in routing.chains.items():
        omissions = usable(chain, today=today, has_key=_has_key, tier=tier, routing=routing)[1]
        for omission in omissions:
            found[omission.model.id] = (omission.model, omission.reason)
            tiers[omission.model.id].append(tier.value)
    return [LeftOut(model, reason, tuple(tiers[key])) for key, (model, reason) in found.items()]


def retiring(*, today: date) -> list[Retiring]:
    """Models of the chains whose last day is at most RETIREMENT_NOTICE away, soonest first."""
    found: dict[int, tuple[ModelSpec, int]] = {}
    tiers: defaultdict[int, list[str]] = defaultdict(list)
    for tier, chain in load_routing().chains.items():
        for model in chain:
            last = model.valid_until
            if last is not None and today <= last <= today + RETIREMENT_NOTICE:
                found[model.id] = (model, (last - today).days)
                tiers[model.id].append(tier.value)
    rows = [Retiring(model, days, tuple(tiers[key])) for key, (model, days) in found.items()]
    return sorted(rows, key=lambda row: (row.days, row.model.label))


def _has_key(endpoint: EndpointSpec) -> bool:
    """Whether the environment holds a key; a key file that cannot be read counts as none."""
    try:
        return access_of(endpoint) is not None
    except ImproperlyConfigured:
        return False
