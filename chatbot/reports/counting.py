"""Facts from rows: the same counting for a closed bucket and for the rows of the open one.

Every query is bounded by an indexed time, so it reads the span's rows and no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Lower

from cache.models import Label, Lookup
from chatbot.models import Question
from chatbot.reports.facts import (
    CALLS,
    HITS,
    KEPT,
    LABELS,
    LOOKUPS,
    QUESTIONS,
    Facts,
    Tops,
    key_of,
    wording_key,
)
from chatbot.reports.histograms import cell_of
from routing.models import Call

_QUESTION_PARTS = ("cache", "state", "origin", "tier", "model", "error_code")
_CALL_SUMS = ("input_tokens", "cached_input_tokens", "output_tokens", "cost_nanousd")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of [start, end), either live or simulated ones."""

    start: datetime
    end: datetime
    simulated: bool

    @property
    def questions(self) -> QuerySet[Question]:
        """Accepted in the span."""
        return Question.objects.filter(
            simulated=self.simulated, accepted_at__gte=self.start, accepted_at__lt=self.end
        ).order_by()

    @property
    def calls(self) -> QuerySet[Call]:
        """Started in the span."""
        return Call.objects.filter(
            simulated=self.simulated, started_at__gte=self.start, started_at__lt=self.end
        ).order_by()

    @property
    def lookups(self) -> QuerySet[Lookup]:
        """Written in the span."""
        return Lookup.objects.filter(
            simulated=self.simulated, at__gte=self.start, at__lt=self.end
        ).order_by()

    @property
    def labels(self) -> QuerySet[Label]:
        """Given in the span; a partition's last part says whether it is simulated."""
        rows = Label.objects.filter(at__gte=self.start, at__lt=self.end).order_by()
        simulated = Q(partition__endswith="/simulated")
        return rows.filter(simulated if self.simulated else ~simulated)

    @property
    def has_any(self) -> bool:
        """Whether there is anything to count."""
        return any(
            rows.exists() for rows in (self.questions, self.calls, self.lookups, self.labels)
        )

    @property
    def has_open(self) -> bool:
        """Whether a question or a call of the span has not ended yet."""
        return (
            self.questions.filter(state__in=Question.OPEN).exists()
            or self.calls.filter(outcome=Call.STARTED).exists()
        )


def only_unanswered(questions: QuerySet[Question]) -> QuerySet[Question]:
    """Questions that got the text "no article answers this": a template, after a tier was chosen.

    Greetings and other fixed texts are given before there is a tier.
    """
    return questions.filter(origin="template").exclude(tier="")


def facts_of(rows: Rows) -> Facts:
    """Sums and cells of the rows of a span."""
    facts = Facts()
    counted = rows.questions.values_list(*_QUESTION_PARTS).annotate(
        Count("id"), Sum("cost_nanousd")
    )
    for *parts, count, cost in counted:
        facts.add(key_of(QUESTIONS, *parts), (count, cost))
    for outcome, count, saved in rows.lookups.values_list("outcome").annotate(
        Count("id"), Sum("saved_nanousd")
    ):
        facts.add(key_of(LOOKUPS, outcome), (count, saved))
    for kind, right, count in rows.labels.values_list("kind", "right").annotate(Count("id")):
        facts.add(key_of(LABELS, kind, "right" if right else "wrong"), (count,))
    _count_calls(facts, rows)
    _count_times(facts, rows)
    return facts


def _count_calls(facts: Facts, rows: Rows) -> None:
    whose = Case(When(question_id__isnull=True, then=Value("site")), default=Value("question"))
    parts = ("endpoint_key", "model_asked", "tier", "outcome", "whose", "failure", "status")
    counted = (
        rows.calls.annotate(whose=whose)
        .values(*parts)
        .annotate(
            calls=Count("id"),
            unpriced=Count("id", filter=Q(priced=False)),
            **{f"sum_{name}": Sum(name) for name in _CALL_SUMS},
        )
    )
    for row in counted:
        status = row["status"] or ""
        key = key_of(CALLS, *(row[part] for part in parts[:-1]), status)
        sums = (row[f"sum_{name}"] for name in _CALL_SUMS)
        facts.add(key, (row["calls"], *sums, row["unpriced"]))


def _count_times(facts: Facts, rows: Rows) -> None:
    """What was shown at once was first seen when it was whole."""
    series = Case(
        When(cache__in=HITS, then=Value("cache")),
        When(origin="model", then=Value("model")),
        default=Value("other"),
    )
    timed = rows.questions.annotate(
        series=series, first=Coalesce("first_content_ms", "total_ms")
    ).values_list("state", "series", "first", "total_ms")
    for state, kind, first_ms, end_ms, count in timed.annotate(Count("id")):
        # Sorted out here: a condition on the state would lead a planner to an index over all answered ones.
        if state != Question.ANSWERED or end_ms is None:
            continue
        for measure, ms in (("first", first_ms), ("end", end_ms)):
            key = key_of(measure, kind, cell_of(ms))
            facts.cells[key] = facts.cells.get(key, 0) + count
    waited = rows.calls.filter(wait_ms__gt=0).values_list("wait_ms")
    for wait_ms, count in waited.annotate(Count("id")):
        key = key_of("wait", "calls", cell_of(wait_ms))
        facts.cells[key] = facts.cells.get(key, 0) + count


def tops_of(rows: Rows) -> Tops:
    """The foremost wordings and the dearest questions of a span, KEPT of each."""
    tops = Tops()
    wordings = rows.questions.annotate(wording=Lower("text")).values("wording")
    asked = wordings.annotate(times=Count("id"), newest=Max("id")).order_by("-times", "-newest")
    for row in asked[:KEPT]:
        _note(tops.asked, row["wording"], [row["times"], row["newest"]])
    unanswered = Q(origin="template") & ~Q(tier="")
    gaps = wordings.filter(Q(cache="miss") | unanswered).annotate(
        times=Count("id"),
        without=Count("id", filter=unanswered),
        cost=Sum("cost_nanousd"),
        newest=Max("id"),
    )
    for row in gaps.order_by("-cost", "-times", "-newest")[:KEPT]:
        _note(tops.gaps, row["wording"], [row["times"], row["without"], row["cost"], row["newest"]])
    spent = rows.calls.filter(question_id__isnull=False).values("question_id")
    summed = spent.annotate(calls=Count("id"), cost=Sum("cost_nanousd")).filter(cost__gt=0)
    for spending in summed.order_by("-cost", F("question_id"))[:KEPT]:
        tops.dearest[str(spending["question_id"])] = [spending["calls"], spending["cost"]]
    return tops


def _note(into: dict[str, list[int]], wording: str, values: list[int]) -> None:
    """Wordings that differ in blanks around them, or in the case of letters the database folds not, are one."""
    found = into.setdefault(wording_key(wording), [0] * len(values))
    newest = max(found[-1], values[-1])
    found[:] = [*(a + b for a, b in zip(found[:-1], values[:-1], strict=True)), newest]
