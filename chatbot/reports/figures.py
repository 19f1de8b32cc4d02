"""Facts as figures: totals, shares, spending, times, pressure. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from chatbot.reports.facts import CALLS, HITS, LOOKUPS, OUTCOMES, QUESTIONS, Facts
from chatbot.reports.histograms import percentile

OPEN = ("accepted", "working", "waiting", "confirming")
ANSWERED, HANDED_OVER, FAILED_STATE = "answered", "handed_over", "failed"
COMPLETED, FAILED = "completed", "failed"
PARTS = {"cache": 0, "state": 1, "origin": 2, "tier": 3, "model": 4, "error": 5}
ENDPOINT, MODEL, TIER, OUTCOME, WHOSE, FAILURE, STATUS = range(7)
SHED = ("busy", "no_model")


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures at the top."""

    questions: int = 0
    hits: int = 0
    failed: int = 0
    open: int = 0
    calls: int = 0
    failed_calls: int = 0
    unpriced_calls: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    saved_nanousd: int = 0

    @property
    def hit_permille(self) -> int:
        """Share of all questions that a stored or joined answer served, in tenths of a percent."""
        return round(1000 * self.hits / self.questions) if self.questions else 0


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole: all `permille` add up to exactly 1000, or 0 when there is nothing."""

    key: str
    count: int
    permille: int


@dataclass(frozen=True, slots=True)
class Spend:
    """Calls, tokens and cost of one model at one endpoint, or of one tier (without names)."""

    endpoint_key: str
    model: str
    tier: str
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed calls of one kind at one model, or questions with one error (without names)."""

    code: str
    count: int
    endpoint_key: str = ""
    model: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds to the first words and to the whole of `count` answers, at p50, p95 and p99.

    Read from cells: see `histograms` for how exact they are. None without any answer.
    """

    key: str
    count: int
    first_ms: tuple[int | None, int | None, int | None]
    end_ms: tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Pressure:
    """What did not get its model at once: waits, questions shed, questions handed to a person."""

    calls: int
    waited: int
    wait_ms: tuple[int | None, int | None, int | None]
    stood_in: int
    shed: int
    handed_over: int


def totals(facts: Facts) -> Totals:
    """All figures of the top."""
    calls = [0] * 6
    failed = 0
    for parts, values in facts.of(CALLS):
        calls = [a + b for a, b in zip(calls, values, strict=True)]
        failed += values[0] if parts[OUTCOME] == FAILED else 0
    by_cache, by_state = question_counts(facts, "cache"), question_counts(facts, "state")
    return Totals(
        questions=sum(by_cache.values()),
        hits=sum(by_cache.get(hit, 0) for hit in HITS),
        failed=by_state.get(FAILED_STATE, 0),
        open=sum(by_state.get(state, 0) for state in OPEN),
        calls=calls[0],
        failed_calls=failed,
        unpriced_calls=calls[5],
        input_tokens=calls[1],
        cached_input_tokens=calls[2],
        output_tokens=calls[3],
        cost_nanousd=calls[4],
        saved_nanousd=sum(values[1] for _, values in facts.of(LOOKUPS)),
    )


def question_counts(facts: Facts, part: str) -> dict[str, int]:
    """Questions by one of PARTS."""
    counts: dict[str, int] = defaultdict(int)
    for parts, values in facts.of(QUESTIONS):
        counts[parts[PARTS[part]]] += values[0]
    return counts


def outcome_shares(facts: Facts) -> list[Share]:
    """How questions were decided, in the order of OUTCOMES, without those that did not occur."""
    counts = question_counts(facts, "cache")
    known = [(key, counts.pop(key, 0)) for key in OUTCOMES]
    return shares([(key, count) for key, count in (*known, *sorted(counts.items())) if count])


def answer_shares(facts: Facts, part: str) -> list[Share]:
    """Answered questions by origin, tier or model, most first."""
    counts: dict[str, int] = defaultdict(int)
    for parts, values in facts.of(QUESTIONS):
        if parts[PARTS["state"]] == ANSWERED:
            counts[parts[PARTS[part]]] += values[0]
    return shares(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


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


def spend_by_model(facts: Facts) -> list[Spend]:
    """Per endpoint and model that was asked, dearest first."""
    return _spend(facts, (ENDPOINT, MODEL))


def spend_by_tier(facts: Facts) -> list[Spend]:
    """Per tier, dearest first."""
    return _spend(facts, (TIER,))


def cost_by(facts: Facts, place: int) -> dict[str, int]:
    """Nano-dollars of all calls by ENDPOINT, MODEL or TIER."""
    costs: dict[str, int] = defaultdict(int)
    for parts, values in facts.of(CALLS):
        costs[parts[place]] += values[4]
    return costs


def _spend(facts: Facts, places: tuple[int, ...]) -> list[Spend]:
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for parts, (calls, tokens_in, _, tokens_out, cost, _) in facts.of(CALLS):
        name = tuple(parts[place] if place in places else "" for place in (ENDPOINT, MODEL, TIER))
        failed = calls if parts[OUTCOME] == FAILED else 0
        found = grouped.setdefault((name[0], name[1], name[2]), [0] * 5)
        figures = (calls, failed, tokens_in, tokens_out, cost)
        found[:] = [a + b for a, b in zip(found, figures, strict=True)]
    rows = [Spend(*name, *figures) for name, figures in grouped.items()]
    return sorted(rows, key=lambda row: (-row.cost_nanousd, -row.calls, row.model, row.tier))


def failed_questions(facts: Facts) -> list[Failure]:
    """Error codes that shoppers saw, most frequent first."""
    counts: dict[str, int] = defaultdict(int)
    for parts, values in facts.of(QUESTIONS):
        if parts[PARTS["state"]] == FAILED_STATE:
            counts[parts[PARTS["error"]]] += values[0]
    return [Failure(*item) for item in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def failed_calls(facts: Facts, *, top: int = 8) -> list[Failure]:
    """Failed attempts by model, kind and status, most frequent first."""
    counts: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for parts, values in facts.of(CALLS):
        if parts[OUTCOME] == FAILED:
            counts[parts[FAILURE], parts[ENDPOINT], parts[MODEL], parts[STATUS]] += values[0]
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        Failure(code, count, endpoint, model, int(status) if status else None)
        for (code, endpoint, model, status), count in ordered[:top]
    ]


def latencies(facts: Facts) -> list[Latency]:
    """For answered questions: all, those served from the cache, those that a model answered."""
    return [
        _latency(facts, "all"),
        _latency(facts, "cache", "cache"),
        _latency(facts, "model", "model"),
    ]


def _latency(facts: Facts, key: str, *series: str) -> Latency:
    first, end = facts.histogram("first", *series), facts.histogram("end", *series)
    return Latency(key, sum(end.values()), _percentiles(first), _percentiles(end))


def _percentiles(cells: dict[int, int]) -> tuple[int | None, int | None, int | None]:
    p50, p95, p99 = (percentile(cells, share=share) for share in (50, 95, 99))
    return p50, p95, p99


def pressure(facts: Facts) -> Pressure:
    """Queue, shed questions and hand-offs."""
    waits = facts.histogram("wait")
    stood_in = shed = handed_over = 0
    for parts, values in facts.of(QUESTIONS):
        _, state, origin, tier, _, error = parts
        stood_in += values[0] if origin == "article" and tier else 0
        shed += values[0] if state == FAILED_STATE and error in SHED else 0
        handed_over += values[0] if state == HANDED_OVER else 0
    return Pressure(
        calls=totals(facts).calls,
        waited=sum(waits.values()),
        wait_ms=_percentiles(waits),
        stood_in=stood_in,
        shed=shed,
        handed_over=handed_over,
    )
