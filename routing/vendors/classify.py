"""What a failed attempt means: status and parsed fields in, a verdict out.

This table is the only place that decides whether a failure is retried, passed on to the next model,
counted as ill health, or needs a person. It never looks into message text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from routing.errors import Kind, Verdict
from routing.vendors import fields

_QUOTA_PERIOD = re.compile(r"Per(Second|Minute|Hour|Day|Week|Month|Year)")
_RATE_PERIODS = frozenset({"Second", "Minute"})

# R retry the same model, F fall back to the next, B counts as a failure for the breaker,
# P park until a person or a new period changes something, $ may have been billed.
_TABLE = {
    Kind.CONNECT: "R F B",
    Kind.RESET: "R F B $",
    Kind.TIMEOUT: "R F B $",
    Kind.TRUNCATED: "R F B $",
    Kind.BAD_BODY: "R F B $",
    Kind.INVALID: "F",
    Kind.CONTEXT_LENGTH: "F",
    Kind.CONTENT: "",
    Kind.AUTH: "F P",
    Kind.PAYMENT: "F P",
    Kind.MODEL_GONE: "F P",
    Kind.QUOTA: "F P",
    Kind.CONFLICT: "R F",
    Kind.RATE: "R F",
    Kind.SERVER: "R F B",
    Kind.OVERLOADED: "R F B",
    Kind.REDIRECT: "F B",
    Kind.CANCELLED: "F",
    Kind.OTHER: "F",
}
VERDICTS: dict[Kind, Verdict] = {
    kind: Verdict(
        kind,
        retry_same="R" in marks,
        fall_back="F" in marks,
        breaker_failure="B" in marks,
        park="P" in marks,
        maybe_billed="$" in marks,
    )
    for kind, marks in _TABLE.items()
}

_CONTEXT_NAMES = frozenset({"context_length_exceeded", "request_too_large"})
_CONTENT_NAMES = frozenset({"content_policy_violation", "content_filter", "content_policy"})
_KEY_NAMES = frozenset({"api_key_invalid", "invalid_api_key", "authentication_error"})
_GONE_NAMES = frozenset({"model_not_found", "not_found_error"})
_PAYMENT_NAMES = frozenset({"billing_error", "insufficient_balance", "failed_precondition"})
_QUOTA_NAMES = frozenset(
    {
        "insufficient_quota",
        "quota_exceeded",
        "billing_hard_limit_reached",
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
        "organization_on_hold",
    }
)
_KIND_BY_STATUS = {
    401: Kind.AUTH,
    402: Kind.PAYMENT,
    403: Kind.AUTH,
    404: Kind.MODEL_GONE,
    408: Kind.TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.CONTEXT_LENGTH,
    422: Kind.INVALID,
    499: Kind.CANCELLED,
    504: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}
_STATUS_BY_NAME = {
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "authentication_error": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "throttling_error": 429,
    "requests": 429,
    "tokens": 429,
    "cancelled": 499,
    "unavailable": 503,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, slots=True)
class ErrorFields:
    """What an error body states. `names` are its types and codes in lower case."""

    message: str = ""
    code: str = ""
    names: frozenset[str] = frozenset()
    status: int | None = None
    quotas: tuple[tuple[str, str], ...] = ()
    retry_delay: str = ""

    @property
    def is_quota(self) -> bool:
        """Whether a quota ran out that does not refill within minutes."""
        if self.names & _QUOTA_NAMES:
            return True
        return any(_long_quota(quota_id, value=value) for quota_id, value in self.quotas)


def parse_error(body: bytes) -> ErrorFields:
    """Fields of an error body; empty ones where it is not JSON or not of a known shape."""
    try:
        return error_fields(fields.load(body))
    except ValueError:
        return ErrorFields()


def error_fields(value: object) -> ErrorFields:
    """Fields of an error in any of the shapes that vendors and gateways send."""
    if isinstance(value, list):
        value = value[0] if value else None
    error = fields.dig(value, "error") or value
    if isinstance(error, str):
        return ErrorFields(message=error)
    details = [item for item in fields.items(error, "details") if isinstance(item, dict)]
    stated = [
        *(fields.text(item, "reason") for item in details),
        fields.text(error, "details", "error_code"),
        _code(error),
        fields.text(error, "type"),
        fields.text(error, "status"),
    ]
    named = [name for name in stated if name]
    violations = [item for detail in details for item in fields.items(detail, "violations")]
    return ErrorFields(
        message=fields.text(error, "message") or fields.text(error, "detail"),
        code=named[0] if named else "",
        names=frozenset(name.lower() for name in named),
        status=_numeric(fields.dig(error, "code")),
        quotas=tuple((fields.text(v, "quotaId"), fields.text(v, "quotaValue")) for v in violations),
        retry_delay=next((d for item in details if (d := fields.text(item, "retryDelay"))), ""),
    )


def verdict_of(
    status: int,
    stated: ErrorFields,
    *,
    retry_after_s: float | None = None,
    should_retry: bool | None = None,
) -> Verdict:
    """The verdict on an error answer.

    `status` 200 means that the error came inside an answer that had begun: then the error's own
    code or type says what it is. `should_retry` is the vendor's own word: `False` is obeyed, `True`
    only where repeating can help.
    """
    if status == 200:
        status = _stated_status(stated)
    verdict = VERDICTS[_kind(status, stated)]
    if should_retry is False:
        verdict = replace(verdict, retry_same=False)
    return replace(verdict, retry_after_s=retry_after_s)


def _kind(status: int, stated: ErrorFields) -> Kind:
    if status == 400:
        return _kind_of_400(stated)
    if status in (403, 429) and stated.is_quota:
        return Kind.QUOTA
    if status == 429:
        return Kind.RATE
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if 300 <= status < 400:
        return Kind.REDIRECT
    if 200 <= status < 300:
        return Kind.BAD_BODY
    return Kind.SERVER if status >= 500 else Kind.OTHER


def _kind_of_400(stated: ErrorFields) -> Kind:
    for names, kind in (
        (_CONTEXT_NAMES, Kind.CONTEXT_LENGTH),
        (_CONTENT_NAMES, Kind.CONTENT),
        (_KEY_NAMES, Kind.AUTH),
        (_QUOTA_NAMES, Kind.QUOTA),
        (_PAYMENT_NAMES, Kind.PAYMENT),
        (_GONE_NAMES, Kind.MODEL_GONE),
    ):
        if stated.names & names:
            return kind
    return Kind.INVALID


def _stated_status(stated: ErrorFields) -> int:
    """The status that an error inside a stream would have had; unknown ones count as 500."""
    if stated.status is not None and 400 <= stated.status < 600:
        return stated.status
    known = [_STATUS_BY_NAME[name] for name in sorted(stated.names) if name in _STATUS_BY_NAME]
    return max(known, default=429 if stated.is_quota else 500)


def _long_quota(quota_id: str, *, value: str) -> bool:
    period = _QUOTA_PERIOD.search(quota_id)
    return value == "0" or (period is not None and period[1] not in _RATE_PERIODS)


def _code(error: object) -> str:
    """The `code` of an error when it is a word; a number is a status, not a name."""
    code = fields.text(error, "code")
    return "" if code.isdecimal() else code


def _numeric(code: object) -> int | None:
    if isinstance(code, str) and code.isdecimal() and len(code) <= 3:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
