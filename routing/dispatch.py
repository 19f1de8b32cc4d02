"""The fallback chain: from a prompt to one model's answer, inside one deadline.

The walk itself (which model, its gate, the attempt, what follows a failure) is `walk.py`. A failure
is repeated or passed on as its verdict says; when text was shown already, the shopper is told to
forget it first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from base.clock import Clock
from routing.attempt import Ask, Target
from routing.chains import usable
from routing.client import Client
from routing.errors import ConfigurationError, TooLarge
from routing.gate import Gate, OnWait
from routing.hosts import check_host, check_key
from routing.ledger import Ledger
from routing.permits import Caller
from routing.pricing import TYPICAL
from routing.retry import RetryBudget
from routing.shaper import Urgency
from routing.snapshot import Access
from routing.specs import EndpointSpec, ModelSpec, Omission, Prompt, Tier, host_of
from routing.tokens import Calibration, estimate_prompt_tokens
from routing.walk import Answered, Prospect, Walk

__all__ = ["Answered", "Dispatcher", "Prospect", "usable"]

Keys = Callable[[EndpointSpec], Access | None]


class Dispatcher:
    """Answers prompts with the models of a chain; one per process."""

    def __init__(
        self,
        *,
        client: Client,
        gate: Gate,
        ledger: Ledger,
        keys: Keys,
        clock: Clock,
        random: Callable[[], float],
        allowed_hosts: Collection[str],
        allow_loopback: bool,
    ) -> None:
        self.client = client
        self.gate = gate
        self.ledger = ledger
        self.clock = clock
        self.random = random
        self.budget = RetryBudget()
        self._keys = keys
        self._allowed_hosts = allowed_hosts
        self._allow_loopback = allow_loopback
        self._calibrations: dict[tuple[str, str], Calibration] = {}

    async def complete(  # noqa: PLR0913  one question is what it is made of
        self,
        prompt: Prompt,
        *,
        chain: Sequence[ModelSpec],
        tier: Tier,
        question_id: int | None,
        site_id: int | None,
        deadline_s: float,
        max_output_tokens: int,
        end_user: str = "",
        on_delta: Callable[[str], Awaitable[None]],
        on_restart: Callable[[], Awaitable[None]],
        on_wait: OnWait,
    ) -> Answered:
        """Walk the chain until a model answers.

        `deadline_s` is a reading of the clock's `monotonic_s`. Text goes to `on_delta` as it comes;
        `on_restart` takes all of it back before another attempt. Raises Exhausted, which lists the
        models that were left out, refused or failed; WriterBusy when no ledger row can be written.
        Being cancelled closes the attempt in progress and books it as aborted.
        """
        ask = Ask(prompt, tier, question_id, site_id, deadline_s, end_user, on_delta)
        models, omissions = self._usable(chain, tier=tier)
        caller = Caller(flow=end_user, urgency=_urgency(tier, question_id=question_id))
        walk = Walk(self, ask, caller=caller, on_restart=on_restart, on_wait=on_wait)
        walk.notes += [(omission.model.label, omission.reason) for omission in omissions]
        prompt_tokens = estimate_prompt_tokens(prompt)
        for model in models:
            walk.add(model, prompt_tokens=prompt_tokens, max_output_tokens=max_output_tokens)
        return await walk.run()

    def prospect(
        self, chain: Sequence[ModelSpec], *, tier: Tier, deadline_s: float
    ) -> Prospect | None:
        """What a typical call down the chain would take now; None when no model can be called."""
        ask = Ask(Prompt("", ()), tier, None, None, deadline_s, "", _unheard)
        caller = Caller(urgency=_urgency(tier, question_id=1))
        walk = Walk(self, ask, caller=caller, on_restart=_unheard, on_wait=_unheard)
        for model in self._usable(chain, tier=tier)[0]:
            walk.add(
                model,
                prompt_tokens=TYPICAL.input_tokens,
                max_output_tokens=TYPICAL.output_tokens,
            )
        return walk.prospect()

    def _usable(
        self, chain: Sequence[ModelSpec], *, tier: Tier
    ) -> tuple[tuple[ModelSpec, ...], tuple[Omission, ...]]:
        return usable(
            chain,
            today=self.clock.now().date(),
            has_key=lambda endpoint: self._keys(endpoint) is not None,
            tier=tier,
            routing=self.ledger.routing(),
        )

    def calibration(self, model: ModelSpec) -> Calibration:
        """What is known of a model's way of counting tokens."""
        return self._calibrations.setdefault((model.endpoint.key, model.name), Calibration())

    def target(self, model: ModelSpec, *, prompt_tokens: int, max_output_tokens: int) -> Target:
        """The model with key, address and size. Raises ConfigurationError or TooLarge."""
        access = self._keys(model.endpoint)
        if access is None:
            message = f"{model.endpoint.key_env} is not set"
            raise ConfigurationError(message)
        check_host(access.base_url, self._allowed_hosts, allow_loopback=self._allow_loopback)
        host = host_of(access.base_url)
        check_key(access.api_key, key_env=model.endpoint.key_env, host=host)
        target = Target(
            model=model,
            access=access,
            prompt_tokens=self.calibration(model).apply(prompt_tokens),
            max_output_tokens=min(max_output_tokens, model.max_output_tokens),
        )
        if target.tokens > model.context_tokens:
            message = f"{target.tokens} tokens do not fit its window of {model.context_tokens}"
            raise TooLarge(message)
        return target


def _urgency(tier: Tier, *, question_id: int | None) -> Urgency:
    """A shopper's hard case first, then usual questions, then what nobody waits for."""
    if question_id is None:
        return Urgency.BACKGROUND
    return Urgency.COMPLEX if tier in (Tier.COMPLEX, Tier.HIGH) else Urgency.USUAL


async def _unheard(*_: object) -> None:
    """Nobody listens: nothing is called."""
