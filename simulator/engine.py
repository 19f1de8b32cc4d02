"""Decides what happens to a request: model, credit, faults, limits, answer, and what it costs.

Free of HTTP and of the wire protocols. Lives in one event loop.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

from simulator import composer, judge, rewriter, tricks
from simulator.arrivals import Arrivals, Connections
from simulator.bill import ABORTED, COMPLETED, ERROR, REFUSED, Bill, Row
from simulator.catalog import ModelSpec, Vendor, served
from simulator.clock import Clock
from simulator.config import Config
from simulator.counting import count_tokens, cut_to
from simulator.exchange import Ask, Exchange, Problem, Reply, Usage
from simulator.faults import Fault, FaultBook
from simulator.prompt_cache import PromptCache
from simulator.refusals import rate_problem, status_problem
from simulator.windows import (
    INPUT_TOKENS,
    NS_PER_S,
    OUTPUT_TOKENS,
    REQUESTS,
    REQUESTS_PER_DAY,
    TOKENS,
    Gate,
    Level,
    Limits,
    Ticket,
)

_THOUGHT_TOKENS = 48
_NOMINAL_MINUTE_S = 60.0


@dataclass(slots=True)
class Admission:
    """An admitted request with its place in the limits."""

    exchange: Exchange
    ticket: Ticket


def _amounts(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {
        TOKENS: input_tokens + output_tokens,
        INPUT_TOKENS: input_tokens,
        OUTPUT_TOKENS: output_tokens,
    }


def _thought_tokens(ask: Ask, *, model: ModelSpec) -> int:
    """Thinking comes first and eats of the tokens allowed."""
    if not (ask.thinks and model.thinks):
        return 0
    return min(_THOUGHT_TOKENS, ask.max_tokens or _THOUGHT_TOKENS)


def _reason(problem: Problem) -> str:
    """What refused a request: the fault that ordered it, a limit (`requests/2s`), or its kind."""
    if problem.telling.fault is not None:
        return f"fault:{problem.telling.fault}"
    return problem.refusal.reason if problem.refusal is not None else problem.kind


class Simulator:
    """The state behind the endpoints: limits in force, faults, bill, turn counter."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.limits: dict[str, Limits] = dict(config.limits)
        self.faults = FaultBook(config.seed)
        self._start()

    def _start(self) -> None:
        self.bill = Bill()
        self.arrivals = Arrivals()
        self.connections = Connections()
        self.in_flight = 0
        self._gate = Gate(self.config.windows, scale=self.config.minute_s / _NOMINAL_MINUTE_S)
        self._turns = itertools.count()
        self._prompts = PromptCache(ttl_s=self.config.prompt_cache_ttl_s)

    def reset(self) -> None:
        """Forget bill, windows, faults and turns, and return to the configured limits."""
        self.limits = dict(self.config.limits)
        self.faults.reset()
        self._start()

    def limits_for(self, vendor: Vendor, *, model: str) -> Limits:
        """Limits in force now for a model asked of a vendor."""
        names = (f"{vendor.name}/{model}", vendor.name, "*")
        limits = next((self.limits[name] for name in names if name in self.limits), Limits())
        now_ns = self.clock.monotonic_ns()
        factor = self.faults.limit_factor(vendor.name, model=model, now_ns=now_ns)
        return limits if factor == 1 else limits.scaled(factor)

    def open_row(self, vendor: Vendor, *, key: str, client_request_id: str | None) -> Row:
        """A row for a request that has just arrived."""
        now = self.clock.now()
        row = Row(
            request_id=uuid.uuid4().hex,
            client_request_id=client_request_id,
            vendor=vendor.name,
            currency=vendor.currency,
            key=key,
            started_at=now.isoformat(),
            arrived_s=now.timestamp(),
            arrived_monotonic_s=self.clock.monotonic_ns() / NS_PER_S,
        )
        self.arrivals.add(row)
        return row

    def levels(self, row: Row, *, vendor: Vendor, model: str) -> dict[str, Level]:
        """What is left of the limits of this key and model."""
        limits = self.limits_for(vendor, model=model)
        meter = self._gate.meter((vendor.name, row.key, model))
        return meter.levels(limits, now_ns=self.clock.monotonic_ns())

    def admit(self, ask: Ask, *, vendor: Vendor, row: Row) -> Admission:
        """Let the request in and plan its answer; raises Problem if it gets none."""
        model = served(ask.model, vendor=vendor, today=self.clock.now().date())
        if model is None:
            raise Problem("unknown_model", f"The model {ask.model} does not exist", status=404)
        input_tokens = sum(count_tokens(text) for text in ask.prompt_text)
        self._check(ask, vendor=vendor, model=model, row=row, input_tokens=input_tokens)
        struck, ticket = self._enter(ask, vendor=vendor, row=row, input_tokens=input_tokens)
        thought_tokens = _thought_tokens(ask, model=model)
        reply = self._reply(ask, struck=struck, thought_tokens=thought_tokens)
        row.model_served = model.id
        exchange = Exchange(
            ask=ask,
            vendor=vendor,
            model=model,
            row=row,
            reply=reply,
            usage=Usage(
                input_tokens,
                self._cached_tokens(ask, vendor=vendor, model=model, row=row),
                reply.tokens + thought_tokens,
                thought_tokens,
            ),
            now=self.clock.now(),
            levels=self.levels(row, vendor=vendor, model=ask.model),
            faults=struck,
        )
        self.in_flight += 1
        self.arrivals.count(row)
        return Admission(exchange, ticket)

    def finish(self, admission: Admission, *, complete: bool) -> None:
        """Bill and settle: the whole answer, or only what was sent of an aborted one."""
        exchange = admission.exchange
        usage, row = exchange.usage, exchange.row
        sent_tokens = exchange.sent_tokens and exchange.sent_tokens + usage.thought_tokens
        output_tokens = usage.output_tokens if complete else sent_tokens
        row.status = COMPLETED if complete else ABORTED
        row.input_tokens, row.cached_tokens = usage.input_tokens, usage.cached_tokens
        row.output_tokens = output_tokens
        row.cost_nano = exchange.model.price.cost_nano(
            usage.input_tokens, cached_tokens=usage.cached_tokens, output_tokens=output_tokens
        )
        amounts = _amounts(usage.input_tokens, output_tokens)
        admission.ticket.settle(amounts, now_ns=self.clock.monotonic_ns())
        self.in_flight -= 1
        self._close(row)

    def fail(self, row: Row, *, problem: Problem, http_status: int) -> None:
        """Bill nothing for a request that got an error answer."""
        row.status = REFUSED if problem.status == 429 else ERROR
        row.http_status = http_status
        row.error = problem.kind
        row.reason = _reason(problem)
        self.arrivals.count(row, reason=row.reason)
        self._close(row)

    def _close(self, row: Row) -> None:
        row.ended_s = self.clock.now().timestamp()
        self.bill.close(row)

    def _check(
        self, ask: Ask, *, vendor: Vendor, model: ModelSpec, row: Row, input_tokens: int
    ) -> None:
        if ask.sampling and not model.takes_sampling:
            message = f"temperature, top_p and top_k are not supported by {model.id}"
            raise Problem("invalid", message, status=400)
        if input_tokens + (ask.max_tokens or 0) > model.context_tokens:
            message = f"The maximum context length is {model.context_tokens} tokens"
            raise Problem("context", message, status=400)
        credit_nano = self.config.credit_nano(vendor.name)
        if credit_nano is None or self.bill.spent_nano(vendor.name, key=row.key) < credit_nano:
            return
        if vendor.name == "deepseek":
            raise Problem("balance", "Insufficient Balance", status=402)
        raise Problem("quota", "You exceeded your current quota", status=429)

    def _enter(
        self, ask: Ask, *, vendor: Vendor, row: Row, input_tokens: int
    ) -> tuple[dict[str, Fault], Ticket]:
        """Draw faults and charge the limits; a request that then fails counts as a request."""
        now_ns = self.clock.monotonic_ns()
        struck = self.faults.draw(vendor.name, model=ask.model, now_ns=now_ns)
        row.faults = list(struck)
        if "429" in struck:
            raise rate_problem(struck["429"])
        ticket = self._ticket(ask, vendor=vendor, row=row, input_tokens=input_tokens)
        for fault in struck.values():
            if problem := self._ordered_problem(fault):
                ticket.settle(_amounts(0, 0), now_ns=now_ns)
                raise problem
        return struck, ticket

    def _ordered_problem(self, fault: Fault) -> Problem | None:
        status = None
        if fault.name == "brown_out":
            status = self.faults.choose(list(fault.option("statuses")))
        return status_problem(fault, status=status)

    def _cached_tokens(self, ask: Ask, *, vendor: Vendor, model: ModelSpec, row: Row) -> int:
        if model.price.cached_nano is None:
            return 0
        account = (vendor.name, row.key, model.id)
        now_ns = self.clock.monotonic_ns()
        return self._prompts.hit_tokens(account, text=ask.system, now_ns=now_ns)

    def _ticket(self, ask: Ask, *, vendor: Vendor, row: Row, input_tokens: int) -> Ticket:
        output_tokens = ask.max_tokens or self.config.default_max_tokens
        outcome = self._gate.admit(
            (vendor.name, row.key, ask.model),
            amounts={REQUESTS: 1, REQUESTS_PER_DAY: 1} | _amounts(input_tokens, output_tokens),
            limits=self.limits_for(vendor, model=ask.model),
            now_ns=self.clock.monotonic_ns(),
        )
        if isinstance(outcome, Ticket):
            return outcome
        message = (
            f"Rate limit reached for {ask.model} on {outcome.dimension}: Limit {outcome.limit},"
            f" Used {outcome.used}, Requested {outcome.asked}."
            f" Please try again in {outcome.wait_s:.3f}s."
        )
        raise Problem("rate", message, status=429, refusal=outcome)

    def _reply(self, ask: Ask, *, struck: dict[str, Fault], thought_tokens: int) -> Reply:
        turn = next(self._turns)
        if "empty" in struck:
            return Reply("")
        if "refusal" in struck:
            return Reply(composer.refusal(ask.question), "refusal")
        if giant := struck.get("giant"):
            return tricks.giant_reply(int(giant.option("bytes")))
        text = self._text(ask, turn=turn, struck=struck)
        allowed_tokens = count_tokens(text)
        if ask.max_tokens is not None:
            allowed_tokens = ask.max_tokens - thought_tokens
        if "length" in struck:
            allowed_tokens = min(allowed_tokens, count_tokens(text) // 2)
        if count_tokens(text) <= allowed_tokens:
            return Reply(text)
        return Reply(cut_to(text, max_tokens=allowed_tokens), "length")

    def _text(self, ask: Ask, *, turn: int, struck: dict[str, Fault]) -> str:
        """What an obedient model would write, before it is cut to its length."""
        if "does_not_know" in struck:
            return composer.unknown(ask.question)
        rewritten = rewriter.rewrite(ask.question, system=ask.system)
        if rewritten is not None:
            return rewritten
        verdict = judge.judge(ask.question, system=ask.system)
        if verdict is not None:
            return verdict
        return composer.compose(
            ask.question,
            system=ask.system,
            turn=turn,
            seed=self.config.seed,
            invents="invents" in struck,
        ).text
