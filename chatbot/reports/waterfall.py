"""From "every question to the dearest model" down to the ledger's total, exact to the nano-dollar. Pure.

Let Q be all questions, N the completed calls that were made for questions, B what those calls' tokens
would have cost at the baseline model's list price, A what they did cost, and r(k, X) = X * k / N rounded
half up. Then

    r(Q, B)                           every question to the baseline model, at the average measured tokens
    - (r(Q, B) - r(Q, A))             routing: the models that answered cost A instead of B
    - (r(k, A) - r(k - n, A)) ...     the n questions of each kind that needed no call, one kind after the other
    + (r(N, A) - r(M, A))             M questions were left to models, which took N calls
    + calls that did not complete, + calls that no question caused
    = the ledger

Every step is a difference of two neighbouring levels, r(N, A) = A, and the last two are sums of the ledger's
rows; so the steps add up to the ledger by construction, and nothing is left over. What the steps above A
are worth is an estimate (it was not spent); what follows A was. Without a completed call there is nothing
measured, and the levels above are 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chatbot.reports.facts import CALLS, QUESTIONS, Facts
from chatbot.reports.figures import COMPLETED, OPEN, OUTCOME, PARTS, WHOSE

SERVED = ("exact", "semantic", "confirmed", "joined", "stale")
Kind = Literal["whole", "saving", "extra", "total"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line: how many questions or calls it is about, and what it adds to the level before."""

    key: str
    count: int
    nanousd: int
    level: int
    estimated: bool
    kind: Kind


@dataclass(frozen=True, slots=True)
class Measured:
    """Tokens and cost of the completed calls that were made for questions."""

    calls: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What the steps are about."""

    questions: int
    served: dict[str, int]
    without_model: int
    unanswered: int
    failed_calls: int
    failed_nanousd: int
    own_calls: int
    own_nanousd: int

    @property
    def to_models(self) -> int:
        """Questions that a model answered."""
        kept_away = sum(self.served.values()) + self.without_model + self.unanswered
        return self.questions - kept_away


def measured(facts: Facts) -> Measured:
    """The completed calls that were made for questions."""
    sums = [0] * 6
    for parts, values in facts.of(CALLS):
        if parts[OUTCOME] == COMPLETED and parts[WHOSE] == "question":
            sums = [a + b for a, b in zip(sums, values, strict=True)]
    return Measured(*sums[:5])


def counts(facts: Facts) -> Counts:
    """Questions by what became of them, and the calls that answered nobody."""
    served = dict.fromkeys(SERVED, 0)
    whole = without_model = unanswered = 0
    for parts, values in facts.of(QUESTIONS):
        cache, state, origin = (parts[PARTS[name]] for name in ("cache", "state", "origin"))
        whole += values[0]
        if cache in served:
            served[cache] += values[0]
        elif origin and origin != "model":
            without_model += values[0]
        elif not origin or state in OPEN:
            unanswered += values[0]
    failed, own = [0, 0], [0, 0]
    for parts, values in facts.of(CALLS):
        into = own if parts[WHOSE] != "question" else failed
        if into is own or parts[OUTCOME] != COMPLETED:
            into[0] += values[0]
            into[1] += values[4]
    return Counts(whole, served, without_model, unanswered, *failed, *own)


def steps(found: Counts, used: Measured, *, baseline_nanousd: int) -> list[Step]:
    """The waterfall; `baseline_nanousd` is B, the price of the measured tokens at the baseline model.

    The last step's level is the ledger's total.
    """
    left = found.questions
    level = _level(left, baseline_nanousd, used.calls)
    lines = [Step("baseline", left, level, level, estimated=True, kind="whole")]

    def go_to(key: str, count: int, target: int, *, estimated: bool) -> None:
        change = target - lines[-1].level
        kind: Kind = "extra" if change > 0 else "saving"
        lines.append(Step(key, count, change, target, estimated=estimated, kind=kind))

    go_to("routing", used.calls, _level(left, used.cost_nanousd, used.calls), estimated=True)
    kept_away = {
        **found.served,
        "without_model": found.without_model,
        "unanswered": found.unanswered,
    }
    for key, count in kept_away.items():
        left -= count
        go_to(key, count, _level(left, used.cost_nanousd, used.calls), estimated=True)
    go_to("calls_per_answer", used.calls, used.cost_nanousd, estimated=True)
    go_to("failed", found.failed_calls, lines[-1].level + found.failed_nanousd, estimated=False)
    go_to("own", found.own_calls, lines[-1].level + found.own_nanousd, estimated=False)
    total = lines[-1].level
    calls = used.calls + found.failed_calls + found.own_calls
    return [*lines, Step("ledger", calls, total, total, estimated=False, kind="total")]


def _level(questions: int, nanousd: int, calls: int) -> int:
    """questions * nanousd / calls, rounded half up; 0 without a call."""
    return (2 * questions * nanousd + calls) // (2 * calls) if calls else 0
