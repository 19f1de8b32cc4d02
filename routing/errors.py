"""What can go wrong between a question and a model.

    RoutingError
    +-- ConfigurationError      a setting or a row makes the call impossible; names what to change
    +-- TooLarge                the request can never fit the model's window or its minute's limit
    +-- Refused                 the gate did not let the call through (nothing was sent)
    |   +-- BreakerOpen
    |   +-- Parked              key, balance or model needs a person; no probe until that changes
    |   +-- WouldMissDeadline   the limiter's wait is longer than the time left
    |   +-- OverBudget          the call might exceed what the shop is willing to spend
    |   +-- OverQuota           the call might exceed what the key may use in its period
    +-- VendorError             an attempt was made and failed; carries `verdict`
    |   +-- TruncatedStream     the stream ended without a finish reason
    +-- Exhausted               every model of the chain was tried or refused; carries the attempts

Callers act on `VendorError.verdict` only: it is derived from status and parsed fields
(`vendors/classify.py`), never from message text. Messages of vendors are for staff, not for shoppers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class RoutingError(Exception):
    """Root of the tree."""


class ConfigurationError(RoutingError):
    """A setting or row makes the call impossible. The message says which, and what to do."""


class TooLarge(RoutingError):
    """The request exceeds what the model or its limit can ever take."""


class Refused(RoutingError):
    """The gate refused: nothing was sent to the vendor."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class BreakerOpen(Refused):
    """The breaker of this endpoint and model is open."""


class Parked(Refused):
    """The model is parked until its configuration changes or its quota period ends."""


class WouldMissDeadline(Refused):
    """The computed wait for the limiter is longer than the time left."""


class _OverLimit(Refused):
    """`row_id` is the budget or quota; `retry_after_s` the time until its period begins anew."""

    def __init__(self, reason: str, *, retry_after_s: float, row_id: int) -> None:
        super().__init__(reason, retry_after_s=retry_after_s)
        self.row_id = row_id


class OverBudget(_OverLimit):
    """The call might exceed what the shop is willing to spend."""


class OverQuota(_OverLimit):
    """The call might exceed what the key may use in its period."""


class Kind(StrEnum):
    """What kind of failure an attempt met; the row of the decision table (docs/errors.md).

    TIMEOUT is our own patience running out, UPSTREAM_TIMEOUT a server that says the same of a
    server behind it.
    """

    CONNECT = "connect"
    RESET = "reset"
    TIMEOUT = "timeout"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    TRUNCATED = "truncated"
    BAD_BODY = "bad_body"
    INVALID = "invalid"
    PARAMETERS = "parameters"
    CONTEXT_LENGTH = "context_length"
    CONTENT = "content"
    AUTH = "auth"
    PAYMENT = "payment"
    MODEL_GONE = "model_gone"
    CONFLICT = "conflict"
    RATE = "rate"
    QUOTA = "quota"
    SERVER = "server"
    OVERLOADED = "overloaded"
    REDIRECT = "redirect"
    CANCELLED = "cancelled"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What callers may do after a failed attempt.

    `fall_back_once`: passing the question on for this reason is allowed once, a second time the
    fault is ours. `wider_only`: only models with a larger window are worth asking. `alert`: a
    person has to do something. `retry_after_s` is there only where waiting can help.
    """

    kind: Kind
    retry_same: bool
    fall_back: bool
    breaker_failure: bool
    park: bool = False
    maybe_billed: bool = False
    retry_after_s: float | None = None
    fall_back_once: bool = False
    wider_only: bool = False
    alert: bool = False


class VendorError(RoutingError):
    """An attempt failed. `status` is None when no response arrived."""

    def __init__(
        self,
        message: str,
        *,
        verdict: Verdict,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.status = status
        self.code = code
        self.request_id = request_id


class TruncatedStream(VendorError):
    """The stream ended without a finish reason; what was shown must not be stored."""


class Exhausted(RoutingError):
    """No model of the chain gave an answer. `attempts` holds (model label, reason) in order."""

    def __init__(self, attempts: Sequence[tuple[str, str]]) -> None:
        super().__init__(
            "; ".join(f"{label}: {reason}" for label, reason in attempts) or "the chain is empty"
        )
        self.attempts = tuple(attempts)
