"""The frozen values that routing works on. Rows become these once per configuration revision.

Money: prices are nano-units (1e-9) of the vendor's currency per token, as integers. A list price of
0.30 per million tokens is 300 nano-units per token, so every published price is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def host_of(base_url: str) -> str:
    """The host name of an address, lower case; empty when there is none."""
    return urlsplit(base_url).hostname or ""


class Tier(StrEnum):
    """How hard a question is; each tier has its own chain of models."""

    FAQ = "FAQ"
    REGULAR = "REGULAR"
    COMPLEX = "COMPLEX"
    HIGH = "HIGH"


class Period(StrEnum):
    """How long a budget or quota lasts; it begins at a local midnight."""

    DAY = "day"
    MONTH = "month"


class VendorKind(StrEnum):
    """The wire protocol that an endpoint speaks."""

    CHAT_COMPLETIONS = "chat_completions"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


class FinishReason(StrEnum):
    """Why a model stopped; only STOP may be stored for others."""

    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"
    FILTER = "filter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a prompt."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to a model: the system text, then turns that start and end with the user."""

    system: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as billed. `input_tokens` includes cached ones; `output_tokens` includes reasoning."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer of a model: it ended with a finish reason."""

    text: str
    finish_reason: FinishReason
    usage: Usage | None
    model: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor allows for one key and model; None means that the vendor states no such limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    in_flight: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    requests_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What one call takes from the limits: reserved before it, or used after it."""

    input_tokens: int
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both together, for vendors that count them in one bucket."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class RateState:
    """What a response told about the limits; None where it told nothing (of use).

    `*_reset_s` is the time until the bucket is FULL again, not until one call fits.
    """

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests_s: float | None = None
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens_s: float | None = None
    limit_input_tokens: int | None = None
    remaining_input_tokens: int | None = None
    reset_input_tokens_s: float | None = None
    limit_output_tokens: int | None = None
    remaining_output_tokens: int | None = None
    reset_output_tokens_s: float | None = None

    @property
    def reset_s(self) -> float | None:
        """How long until every dimension of which nothing is left is whole again; None = none is.

        Longer than one call needs, but the only wait that a refusal without Retry-After names.
        """
        waits_s = [
            wait_s
            for name in ("requests", "tokens", "input_tokens", "output_tokens")
            if getattr(self, f"remaining_{name}") == 0
            and (wait_s := getattr(self, f"reset_{name}_s")) is not None
        ]
        return max(waits_s, default=None)


@dataclass(frozen=True, slots=True)
class PriceSpec:
    """A dated price in nano-units of `currency` per token."""

    endpoint_key: str
    model_name: str
    valid_from: date
    currency: str
    input_nano_per_token: int
    cached_input_nano_per_token: int
    output_nano_per_token: int


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """An address that answers, and the NAME of the environment variable that holds its key."""

    id: int
    key: str
    name: str
    kind: VendorKind
    base_url: str
    key_env: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model at one endpoint. `name` is what goes over the wire."""

    id: int
    name: str
    endpoint: EndpointSpec
    limits: Limits = Limits()
    api_version: str = ""
    context_tokens: int = 128_000
    max_output_tokens: int = 4_096
    temperature: float | None = None
    extra_parameters: tuple[tuple[str, object], ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def label(self) -> str:
        """The model as people see it, for instance `deepseek-flash (DeepSeek)`."""
        return f"{self.name} ({self.endpoint.name})"

    def valid_on(self, day: date) -> bool:
        """Whether the vendor serves this model on `day` (both bounds included)."""
        after_start = self.valid_from is None or self.valid_from <= day
        return after_start and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Omission:
    """A chain entry that is left out, with the reason in words for staff and shoppers."""

    tier: Tier
    model: ModelSpec
    code: Literal["no_key", "not_yet", "retired", "disabled", "too_dear"]
    reason: str


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """What the shop is willing to spend per period; None stands for every site, tier or model."""

    id: int
    label: str
    period: Period
    zone: str
    limit_nanousd: int
    site_id: int | None = None
    tier: Tier | None = None
    model_id: int | None = None


@dataclass(frozen=True, slots=True)
class QuotaSpec:
    """What one key may use per period; None stands for no such limit."""

    id: int
    label: str
    endpoint_key: str
    period: Period
    zone: str
    limit_tokens: int | None = None
    limit_nanousd: int | None = None


@dataclass(frozen=True, slots=True)
class HoldSpec:
    """What staff decided by hand about one model; it stands above the model's breaker.

    `trip` and `park` let no call pass, until `until` where that is set. `reset` ends either, and closes
    the breaker once in every process that has not seen it yet; `at` tells two resets apart.
    """

    endpoint_key: str
    model_name: str
    kind: Literal["trip", "park", "reset"]
    at: datetime
    until: datetime | None = None
    reason: str = ""

    def bars_at(self, now: datetime) -> bool:
        """Whether no call passes because of it."""
        return self.kind != "reset" and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class RoutingSnapshot:
    """Everything that routing decides on, frozen at one revision.

    `chains` hold every configured entry in order; which of them may be called today is decided per
    question from dates and keys (`usable`).
    """

    chains: dict[Tier, tuple[ModelSpec, ...]]
    prices: tuple[PriceSpec, ...] = ()
    usd_rates: tuple[tuple[str, date, str], ...] = ()
    budgets: tuple[BudgetSpec, ...] = ()
    quotas: tuple[QuotaSpec, ...] = ()
    holds: tuple[HoldSpec, ...] = ()
    loaded_at: datetime | None = None
    parameters: dict[str, float] = field(default_factory=dict)
