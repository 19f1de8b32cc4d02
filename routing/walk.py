"""One question on its way down a chain: choose a model, pass its gate, attempt, and again.

Each time a model is chosen, every model left tells how long its queue is, and `chains.choose` takes
the first short one. Every attempt passes the gate of its own target and has its own ledger row.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from base.clock import Clock
from routing.attempt import Ask, Attempt, Target
from routing.chains import choose
from routing.client import Client
from routing.errors import ConfigurationError, Exhausted, Kind, Refused, TooLarge, VendorError
from routing.gate import Gate, OnWait
from routing.ledger import Ledger
from routing.permits import Caller
from routing.pricing import typical_nanousd
from routing.retry import Attempts, RetryBudget, backoff_s
from routing.snapshot import Access
from routing.specs import ModelSpec, Reply
from routing.tokens import Calibration

logger = logging.getLogger(__name__)

SHORTEST_ATTEMPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, who gave it, and what all attempts cost together.

    `attempts` holds (model label, outcome in words) in order, the successful one last.
    """

    reply: Reply
    model: ModelSpec
    cost_nanousd: int
    attempts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a call would take: its typical cost (None: not known) and the wait before it."""

    cost_nanousd: int | None
    wait_s: float


class Parts(Protocol):
    """What a walk needs of the dispatcher: the parts of its process."""

    client: Client
    gate: Gate
    ledger: Ledger
    clock: Clock
    random: Callable[[], float]
    budget: RetryBudget

    def calibration(self, model: ModelSpec) -> Calibration:
        """What is known of a model's way of counting tokens."""
        ...

    def target(self, model: ModelSpec, *, prompt_tokens: int, max_output_tokens: int) -> Target:
        """The model with key, address and size. Raises ConfigurationError or TooLarge."""
        ...


@dataclass(slots=True)
class Candidate:
    target: Target
    stamp: str
    estimated_tokens: int
    made: int = 0

    @property
    def model(self) -> ModelSpec:
        return self.target.model


class Walk:
    """One question on its way down a chain."""

    def __init__(
        self,
        parts: Parts,
        ask: Ask,
        *,
        caller: Caller,
        on_restart: Callable[[], Awaitable[None]],
        on_wait: OnWait,
    ) -> None:
        self._parts = parts
        self._ask = ask
        self._caller = caller
        self._on_restart = on_restart
        self._on_wait = on_wait
        self._began_s = parts.clock.monotonic_s()
        self._candidates: list[Candidate] = []
        self._attempts = Attempts(usable_models=0)
        self._cost_nanousd = 0
        self._shown = False
        self.notes: list[tuple[str, str]] = []

    @property
    def _left_s(self) -> float:
        return self._ask.deadline_s - self._parts.clock.monotonic_s()

    def add(self, model: ModelSpec, *, prompt_tokens: int, max_output_tokens: int) -> None:
        """Let a model take part, or note why it cannot."""
        try:
            target = self._parts.target(
                model, prompt_tokens=prompt_tokens, max_output_tokens=max_output_tokens
            )
        except TooLarge as error:
            self.notes.append((model.label, str(error)))
        except ConfigurationError as error:
            logger.error("%s cannot be called: %s", model.label, error)  # noqa: TRY400  the reason is the whole story
            self.notes.append((model.label, str(error)))
        else:
            stamp = _stamp(target.access)
            self._candidates.append(Candidate(target, stamp, estimated_tokens=prompt_tokens))
            self._attempts.usable_models += 1

    async def run(self) -> Answered:
        """Try models until one answers. Raises Exhausted."""
        while (candidate := self._next()) is not None:
            reply = await self._try(candidate)
            if reply is not None:
                self.notes.append((candidate.model.label, "answered"))
                self._parts.budget.refund()
                return Answered(reply, candidate.model, self._cost_nanousd, tuple(self.notes))
        raise Exhausted(self.notes)

    def prospect(self) -> Prospect | None:
        """What the next attempt would take; None when no model can be called. Calls nothing."""
        candidate = self._next()
        if candidate is None:
            return None
        parts, model = self._parts, candidate.model
        cost_nanousd = typical_nanousd(parts.ledger.routing(), model, day=parts.clock.now().date())
        return Prospect(cost_nanousd=cost_nanousd, wait_s=self._eta_s(candidate))

    def _eta_s(self, candidate: Candidate) -> float:
        return self._parts.gate.eta_s(
            candidate.model,
            tokens=candidate.target.tokens,
            output_tokens=candidate.target.max_output_tokens,
            stamp=candidate.stamp,
            caller=self._caller,
        )

    def _next(self) -> Candidate | None:
        """The model to try now; those that the gate would refuse are dropped."""
        if self._left_s < SHORTEST_ATTEMPT_S and self._candidates:
            self.notes.append((self._candidates[0].model.label, "no time was left"))
            return None
        etas_s: list[float] = []
        for candidate in list(self._candidates):
            try:
                etas_s.append(self._eta_s(candidate))
            except (Refused, TooLarge) as error:
                self._drop(candidate, reason=str(error))
        if not etas_s:
            return None
        return self._candidates[choose(etas_s, left_s=self._left_s)]

    async def _try(self, candidate: Candidate) -> Reply | None:
        """One attempt, or None when another must be made."""
        if self._shown:
            self._shown = False
            await self._on_restart()
        try:
            permit = await self._parts.gate.enter(
                candidate.model,
                tokens=candidate.target.tokens,
                output_tokens=candidate.target.max_output_tokens,
                deadline_s=self._ask.deadline_s - SHORTEST_ATTEMPT_S,
                stamp=candidate.stamp,
                caller=self._caller,
                on_wait=self._on_wait,
            )
        except (Refused, TooLarge) as error:
            self._drop(candidate, reason=str(error))
            return None
        parts = self._parts
        attempt = Attempt(
            candidate.target, client=parts.client, ledger=parts.ledger, clock=parts.clock
        )
        self._attempts.made += 1
        candidate.made += 1
        try:
            reply = await attempt.run(self._ask, permit=permit)
        except Refused as error:  # a budget or quota: nothing was sent
            self._attempts.made -= 1
            self._drop(candidate, reason=str(error))
            return None
        except VendorError as error:
            self._cost_nanousd += attempt.progress.cost_nanousd
            self._shown = bool(attempt.progress.text)
            await self._after(candidate, error)
            return None
        self._cost_nanousd += attempt.progress.cost_nanousd
        if reply.usage is not None:
            parts.calibration(candidate.model).learn(
                estimated_tokens=candidate.estimated_tokens, real_tokens=reply.usage.input_tokens
            )
        return reply

    async def _after(self, candidate: Candidate, error: VendorError) -> None:
        """Note a failure and prepare for the next attempt. Raises Exhausted if there is none."""
        verdict = error.verdict
        status = "" if error.status in (None, 200) else f" ({error.status})"
        reason = f"{verdict.kind.value}{status}: {error}"
        level = logging.ERROR if verdict.alert else logging.WARNING
        logger.log(level, "%s failed: %s", candidate.model.label, reason)
        self._parts.gate.heed(candidate.model, verdict, reason=reason)
        self._parts.ledger.heed(candidate.model, verdict, reason=reason)
        if not self._attempts.fall_back(verdict):
            self.notes.append((candidate.model.label, reason))
            raise Exhausted(self.notes) from error
        if not self._may_retry(candidate, error):
            self._drop(candidate, reason=reason)
            if verdict.wider_only:
                self._drop_narrow(candidate.model.context_tokens)
            return
        self.notes.append((candidate.model.label, reason))
        if verdict.kind is not Kind.RATE:  # after a rate refusal the gate itself makes us wait
            await self._parts.clock.sleep(backoff_s(verdict, random=self._parts.random))

    def _may_retry(self, candidate: Candidate, error: VendorError) -> bool:
        whole_s = max(self._ask.deadline_s - self._began_s, 1e-9)
        return self._attempts.may_retry(
            error.verdict,
            made_here=candidate.made,
            untried=sum(1 for other in self._candidates if other.made == 0),
            left_s=self._left_s,
            gone_share=1 - self._left_s / whole_s,
        ) and self._parts.budget.spend(error.verdict)

    def _drop_narrow(self, tokens: int) -> None:
        """Drop the models whose window is no wider than `tokens`, which did not do."""
        for other in [c for c in self._candidates if c.model.context_tokens <= tokens]:
            self._drop(other, reason=f"its window of {other.model.context_tokens} is no wider")

    def _drop(self, candidate: Candidate, *, reason: str) -> None:
        self.notes.append((candidate.model.label, reason))
        self._candidates.remove(candidate)


def _stamp(access: Access) -> str:
    """A short name for a key and address; it tells neither."""
    text = f"{access.base_url}\n{access.api_key}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
