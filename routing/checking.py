"""One tiny call per model of the chains: does it answer, with this key, at this address, by this id?

Each call goes the way of every other attempt: host and key are checked, gate, client, and a row of
its own in the ledger. Models that cannot be called today, for want of a key or by their dates, are
named with the reason and not called.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from django.core.exceptions import ImproperlyConfigured

from base.clock import Clock
from routing.attempt import Ask, Attempt, Target
from routing.chains import usable
from routing.client import Client
from routing.errors import ConfigurationError, Kind, Refused, TooLarge, VendorError
from routing.gate import Gate
from routing.hosts import check_host, check_key
from routing.ledger import Ledger
from routing.snapshot import Access
from routing.specs import EndpointSpec, Message, ModelSpec, Prompt, RoutingSnapshot, Tier, host_of
from routing.tokens import estimate_prompt_tokens

PROMPT = Prompt("Answer with one word.", (Message("user", "Say: ready"),))
MAX_OUTPUT_TOKENS = 64  # room for models that think before their first word
DEADLINE_S = 15.0

_TO_DO = {
    Kind.CONNECT: "Check name, network and firewall between this machine and {host}.",
    Kind.RESET: "Try again; if it stays, look for a proxy or gateway before {host}.",
    Kind.TIMEOUT: "Try again; if it stays, see the vendor's status page.",
    Kind.TRUNCATED: "Try again; if it stays, look for a proxy or gateway before {host}.",
    Kind.BAD_BODY: "Check the endpoint's kind and address: what came is no answer of its protocol.",
    Kind.INVALID: "Check API version, temperature and extra parameters of the model in the admin.",
    Kind.CONTEXT_LENGTH: "Check the model's limits in the admin.",
    Kind.AUTH: "Put a valid key into {key_env}.",
    Kind.PAYMENT: "Top up the account that the key in {key_env} belongs to.",
    Kind.QUOTA: "Raise the quota of the key in {key_env}, or wait until it renews.",
    Kind.MODEL_GONE: "Correct the id {model} in the admin, or disable the model.",
    Kind.RATE: "Wait a minute; if it stays, lower the model's limits in the admin.",
    Kind.SERVER: "Try again later; see the vendor's status page.",
    Kind.OVERLOADED: "Try again later; see the vendor's status page.",
    Kind.REDIRECT: "Correct the endpoint's address: redirects are not followed.",
}
_OTHERWISE = "See the call in the ledger in the admin."


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about one model. `first_content_ms` is None unless it answered."""

    model: str
    endpoint: str
    tiers: tuple[str, ...]
    status: Status
    problem: str = ""
    to_do: str = ""
    first_content_ms: int | None = None

    def line(self) -> str:
        """The check for people to read."""
        what = f"{self.model} ({self.endpoint}), {', '.join(self.tiers)}"
        if self.status is Status.OK:
            return f"ok       {what}: first content after {self.first_content_ms} ms"
        return f"{self.status.value:<8} {what}: {self.problem} {self.to_do}".rstrip()


class Checker:
    """Checks models; `keys` gives key and address of an endpoint, None without a key."""

    def __init__(
        self,
        *,
        client: Client,
        ledger: Ledger,
        keys: Callable[[EndpointSpec], Access | None],
        clock: Clock,
        allowed_hosts: Collection[str],
        allow_loopback: bool,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._keys = keys
        self._clock = clock
        self._allowed_hosts = allowed_hosts
        self._allow_loopback = allow_loopback
        self._deadline_s = deadline_s
        self._gate = Gate(clock=clock, random=random.random)

    async def check_all(self, snapshot: RoutingSnapshot) -> list[Check]:
        """Every model of the chains once, in the order of the chains; the calls run side by side."""
        models: dict[tuple[str, str], ModelSpec] = {}
        tiers: dict[tuple[str, str], list[Tier]] = {}
        for tier, chain in snapshot.chains.items():
            for model in chain:
                key = (model.endpoint.key, model.name)
                models[key] = model
                tiers.setdefault(key, []).append(tier)
        checks = (self._check(model, tiers=tuple(tiers[key])) for key, model in models.items())
        return list(await asyncio.gather(*checks))

    async def _check(self, model: ModelSpec, *, tiers: tuple[Tier, ...]) -> Check:
        found = Check(
            model.name, model.endpoint.name, tuple(tier.value for tier in tiers), Status.FAILED
        )
        try:
            reason = self._left_out(model, tier=tiers[0])
            if reason:
                return replace(found, status=Status.SKIPPED, problem=reason)
            return await self._call(found, self._target(model), tier=tiers[0])
        except (ConfigurationError, ImproperlyConfigured, Refused, TooLarge) as error:
            return replace(found, problem=f"{error}.")

    def _left_out(self, model: ModelSpec, *, tier: Tier) -> str:
        """Why the model is not called today; empty when it is."""
        _, omissions = usable(
            (model,),
            today=self._clock.now().date(),
            has_key=lambda endpoint: self._keys(endpoint) is not None,
            tier=tier,
        )
        return f"{omissions[0].reason}." if omissions else ""

    def _target(self, model: ModelSpec) -> Target:
        access = self._keys(model.endpoint)
        assert access is not None
        check_host(access.base_url, self._allowed_hosts, allow_loopback=self._allow_loopback)
        key_env, host = model.endpoint.key_env, host_of(access.base_url)
        check_key(access.api_key, key_env=key_env, host=host)
        return Target(
            model=model,
            access=access,
            prompt_tokens=estimate_prompt_tokens(PROMPT),
            max_output_tokens=min(MAX_OUTPUT_TOKENS, model.max_output_tokens),
        )

    async def _call(self, found: Check, target: Target, *, tier: Tier) -> Check:
        deadline_s = self._clock.monotonic_s() + self._deadline_s
        ask = Ask(
            prompt=PROMPT,
            tier=tier,
            question_id=None,
            site_id=None,
            deadline_s=deadline_s,
            end_user="",
            on_delta=_unheard,
        )
        permit = await self._gate.enter(target.model, tokens=target.tokens, deadline_s=deadline_s)
        attempt = Attempt(target, client=self._client, ledger=self._ledger, clock=self._clock)
        try:
            await attempt.run(ask, permit=permit)
        except VendorError as error:
            return replace(found, problem=_in_words(error), to_do=_to_do(error, target))
        first_ms, total_ms = attempt.progress.times_ms(self._clock.monotonic_s())
        waited_ms = total_ms if first_ms is None else first_ms
        return replace(found, status=Status.OK, first_content_ms=waited_ms)


def _in_words(error: VendorError) -> str:
    status = "" if error.status in (None, 200) else f" ({error.status})"
    return f"{error.verdict.kind.value}{status}: {error}."


def _to_do(error: VendorError, target: Target) -> str:
    return _TO_DO.get(error.verdict.kind, _OTHERWISE).format(
        host=host_of(target.access.base_url),
        key_env=target.model.endpoint.key_env,
        model=target.model.name,
    )


async def _unheard(text: str) -> None:
    """Nobody watches a check."""
