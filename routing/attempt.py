"""One attempt at one model, from the ledger row before it to the settlement after it.

However it ends (an answer, a vendor's failure, the caller being cancelled) the permit is closed
once, with what was used, and the row is completed once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from base.clock import Clock
from routing.breaker import DEFAULT_POLICY, Outcome
from routing.client import Client
from routing.errors import Kind, Refused, VendorError
from routing.gate import Permit
from routing.ledger import Ending, Entry, Ledger
from routing.models import Call
from routing.snapshot import Access
from routing.specs import FinishReason, ModelSpec, Prompt, Reply, Tier, Usage
from routing.tokens import estimate_tokens
from routing.vendors.base import TextDelta
from routing.vendors.classify import VERDICTS

_MAY_BE_EMPTY = frozenset({FinishReason.REFUSAL, FinishReason.FILTER})


@dataclass(frozen=True, slots=True)
class Ask:
    """What one question asks of the chain."""

    prompt: Prompt
    tier: Tier
    question_id: int | None
    site_id: int | None
    deadline_s: float
    end_user: str
    on_delta: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """The model to ask, how to reach it, and what the call may use."""

    model: ModelSpec
    access: Access = field(repr=False)
    prompt_tokens: int
    max_output_tokens: int

    @property
    def tokens(self) -> int:
        """What is reserved for the call."""
        return self.prompt_tokens + self.max_output_tokens


@dataclass(slots=True)
class Progress:
    """How far an attempt has come. `cost_nanousd` is known once its row is completed."""

    began_s: float
    sent: bool = False
    text: str = ""
    first_content_s: float | None = None
    cost_nanousd: int = 0

    def usage(self, target: Target) -> Usage:
        """What it has used so far, estimated."""
        if not self.sent:
            return Usage(0, 0)
        return Usage(target.prompt_tokens, estimate_tokens(self.text))

    def times_ms(self, now_s: float) -> tuple[int | None, int]:
        """Milliseconds to the first content (None without any) and altogether."""
        first_ms = None
        if self.first_content_s is not None:
            first_ms = round((self.first_content_s - self.began_s) * 1000)
        return first_ms, round((now_s - self.began_s) * 1000)


class Attempt:
    """One attempt; `progress` may be read at any time, also after it failed."""

    def __init__(self, target: Target, *, client: Client, ledger: Ledger, clock: Clock) -> None:
        self._target = target
        self._client = client
        self._ledger = ledger
        self._clock = clock
        self._entry: Entry = ledger.entry(target.model)
        self.progress = Progress(began_s=clock.monotonic_s())

    async def run(self, ask: Ask, *, permit: Permit) -> Reply:
        """The reply, streamed to `ask.on_delta` on the way.

        Raises VendorError; Refused when a budget or quota does not cover it: nothing was sent.
        """
        booked = False
        with permit:
            try:
                await self._open(ask, permit=permit)
                reply = await self._stream(ask, permit=permit)
                booked = True
                await self._book_reply(reply, permit=permit)
            except Refused:
                booked = True
                permit.close(outcome=Outcome.IGNORED, used_tokens=0)
                raise
            except VendorError as error:
                if not booked:
                    booked = True
                    await self._book_failure(error, permit=permit)
                raise
            finally:
                if not booked:
                    self._abandon()
        return reply

    async def _open(self, ask: Ask, *, permit: Permit) -> None:
        await self._ledger.open(
            self._entry,
            tier=ask.tier,
            question_id=ask.question_id,
            site_id=ask.site_id,
            wait_ms=round(permit.waited_s * 1000),
            at_most=Usage(self._target.prompt_tokens, self._target.max_output_tokens),
            deadline_s=ask.deadline_s,
        )

    async def _stream(self, ask: Ask, *, permit: Permit) -> Reply:
        target, progress = self._target, self.progress
        progress.began_s, progress.sent = self._clock.monotonic_s(), True
        events = self._client.stream(
            target.model,
            ask.prompt,
            api_key=target.access.api_key,
            base_url=target.access.base_url,
            max_output_tokens=target.max_output_tokens,
            deadline_s=ask.deadline_s,
            clock=self._clock,
            end_user=ask.end_user,
            attempt_id=self._entry.attempt_id,
            on_rate=permit.observe,
        )
        async with aclosing(events) as stream:
            async for event in stream:
                if not isinstance(event, TextDelta):
                    return event.reply
                if progress.first_content_s is None:
                    progress.first_content_s = self._clock.monotonic_s()
                progress.text += event.text
                await ask.on_delta(event.text)
        raise _empty()

    async def _book_reply(self, reply: Reply, *, permit: Permit) -> None:
        """Settle an answer. Raises VendorError when it says nothing, whatever it cost."""
        usage = reply.usage or self.progress.usage(self._target)
        first_ms, total_ms = self.progress.times_ms(self._clock.monotonic_s())
        is_empty = not reply.text.strip() and reply.finish_reason not in _MAY_BE_EMPTY
        slow = first_ms is not None and first_ms > DEFAULT_POLICY.slow_after_s * 1000
        outcome = Outcome.SLOW if slow else Outcome.SUCCESS
        permit.close(
            outcome=Outcome.FAILURE if is_empty else outcome,
            used_tokens=None if reply.usage is None else usage.input_tokens + usage.output_tokens,
            used_output_tokens=usage.output_tokens,
        )
        await self._close(
            Ending(
                outcome=Call.COMPLETED,
                usage=usage,
                estimated=reply.usage is None,
                estimate=self.progress.usage(self._target),
                model_served=reply.model,
                finish_reason=reply.finish_reason.value,
                failure=Kind.BAD_BODY.value if is_empty else "",
                status=200,
                request_id=reply.request_id,
                first_content_ms=first_ms,
                total_ms=total_ms,
            )
        )
        if is_empty:
            raise _empty()

    async def _book_failure(self, error: VendorError, *, permit: Permit) -> None:
        """Settle a failed attempt; one that may have been billed keeps its tokens charged."""
        verdict = error.verdict
        permit.close(
            outcome=Outcome.FAILURE if verdict.breaker_failure else Outcome.IGNORED,
            used_tokens=None if verdict.maybe_billed else 0,
        )
        first_ms, total_ms = self.progress.times_ms(self._clock.monotonic_s())
        await self._close(
            Ending(
                outcome=Call.UNKNOWN if verdict.maybe_billed else Call.FAILED,
                usage=self.progress.usage(self._target) if verdict.maybe_billed else Usage(0, 0),
                estimated=verdict.maybe_billed,
                failure=verdict.kind.value,
                status=error.status,
                vendor_code=error.code,
                request_id=error.request_id,
                first_content_ms=first_ms,
                total_ms=total_ms,
            )
        )

    async def _close(self, ending: Ending) -> None:
        cost = await self._ledger.close(self._entry, ending)
        self.progress.cost_nanousd = cost.cost_nanousd

    def _abandon(self) -> None:
        """The caller is going: book what was sent and shown, without waiting."""
        first_ms, total_ms = self.progress.times_ms(self._clock.monotonic_s())
        self._ledger.abandon(
            self._entry,
            Ending(
                outcome=Call.ABORTED,
                usage=self.progress.usage(self._target),
                estimated=True,
                failure=Kind.CANCELLED.value,
                first_content_ms=first_ms,
                total_ms=total_ms,
            ),
        )


def _empty() -> VendorError:
    message = "the answer is empty"
    return VendorError(message, verdict=VERDICTS[Kind.BAD_BODY], status=200)
