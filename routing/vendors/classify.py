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
_SPEND = "spend"
_MOST_WRAPPINGS = 6
_MESSAGES = ("message", "error", "detail")

# R retry the same model, F fall back to the next (1: once a question, W: to a wider window only),
# B counts as a failure for the breaker, P park until a person or a new period changes something,
# $ may have been billed, A a person has to act.
_TABLE = {
    Kind.CONNECT: "R F B",
    Kind.RESET: "R F B $",
    Kind.TIMEOUT: "R F B $",
    Kind.UPSTREAM_TIMEOUT: "R F B $",
    Kind.TRUNCATED: "R F B $",
    Kind.BAD_BODY: "R F B $",
    Kind.INVALID: "F 1",
    Kind.PARAMETERS: "F",
    Kind.CONTEXT_LENGTH: "F W",
    Kind.CONTENT: "",
    Kind.AUTH: "F P A",
    Kind.PAYMENT: "F P A",
    Kind.MODEL_GONE: "F P A",
    Kind.QUOTA: "F P A",
    Kind.CONFLICT: "R F",
    Kind.RATE: "R F",
    Kind.SERVER: "R F B",
    Kind.OVERLOADED: "R F B",
    Kind.REDIRECT: "F B A",
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
        fall_back_once="1" in marks,
        wider_only="W" in marks,
        alert="A" in marks,
    )
    for kind, marks in _TABLE.items()
}

# Names that say more than the status 400 under which they come.
_KINDS_OF_400: dict[Kind, frozenset[str]] = {
    Kind.CONTEXT_LENGTH: frozenset({"context_length_exceeded", "request_too_large"}),
    Kind.CONTENT: frozenset(
        {
            "content_policy_violation",
            "content_filter",
            "content_policy",
            "responsibleaipolicyviolation",
            "moderation_blocked",
            "data_inspection_failed",
        }
    ),
    Kind.AUTH: frozenset(
        {"api_key_invalid", "invalid_api_key", "authentication_error", "no_db_connection"}
    ),
    Kind.QUOTA: frozenset(
        {
            "insufficient_quota",
            "insufficient_user_quota",
            "quota_exceeded",
            "budget_exceeded",
            "billing_hard_limit_reached",
            "spend_limit",
            "spend_limit_reached",
            "enforced_spend_limit_reached",
            "contract_spend_limit_reached",
            "organization_on_hold",
        }
    ),
    Kind.PAYMENT: frozenset({"billing_error", "insufficient_balance", "failed_precondition"}),
    Kind.MODEL_GONE: frozenset({"model_not_found", "not_found_error"}),
}
_QUOTA_NAMES = _KINDS_OF_400[Kind.QUOTA]
_KIND_BY_STATUS = {
    401: Kind.AUTH,
    402: Kind.PAYMENT,
    403: Kind.AUTH,
    404: Kind.MODEL_GONE,
    408: Kind.UPSTREAM_TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.CONTEXT_LENGTH,
    422: Kind.PARAMETERS,
    499: Kind.CANCELLED,
    504: Kind.UPSTREAM_TIMEOUT,
    529: Kind.OVERLOADED,
}
# The status that a name stands for where an error comes inside an answer, which began with 200.
_STATUS_BY_NAME = {name: 400 for names in _KINDS_OF_400.values() for name in names} | {
    "invalid_request_error": 400,
    "invalid_argument": 400,
    "authentication_error": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "conflict_error": 409,
    "aborted": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "throttling_error": 429,
    "tpm_exceeded": 429,
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
    error = _innermost(value)
    if isinstance(error, str):
        return ErrorFields(message=fields.storable(error))
    details = [item for item in fields.items(error, "details") if isinstance(item, dict)]
    stated = [
        *(fields.text(item, "reason") for item in details),
        fields.text(error, "details", "error_code"),
        _code(error),
        fields.text(error, "innererror", "code"),
        fields.text(error, "type"),
        fields.text(error, "status"),
    ]
    named = [name for name in stated if name]
    violations = [item for detail in details for item in fields.items(detail, "violations")]
    return ErrorFields(
        message=next((m for name in _MESSAGES if (m := fields.text(error, name))), ""),
        code=named[0] if named else "",
        names=frozenset(name.lower() for name in named),
        status=_numeric(fields.dig(error, "code")),
        quotas=tuple((fields.text(v, "quotaId"), _plain(v, "quotaValue")) for v in violations),
        retry_delay=next((d for item in details if (d := fields.text(item, "retryDelay"))), ""),
    )


def _innermost(value: object) -> object:
    """The error itself: an object or a bare string, out of the lists and objects around it."""
    for _ in range(_MOST_WRAPPINGS):
        if isinstance(value, list):
            value = value[0] if value else None
            continue
        inner = fields.dig(value, "error")
        if not isinstance(inner, dict | list) and not fields.text(value, "message"):
            inner = fields.dig(value, "detail")
        if not isinstance(inner, dict | list) or not inner:
            break
        value = inner
    return value


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
    only where repeating can help. A wait is kept only where waiting can help: what one bad request
    is told must not hold up the requests of others.
    """
    if status == 200:
        status = _stated_status(stated)
    verdict = VERDICTS[_kind(status, stated)]
    waiting_helps = verdict.retry_same or verdict.park
    return replace(
        verdict,
        retry_same=verdict.retry_same and should_retry is not False,
        retry_after_s=retry_after_s if waiting_helps else None,
    )


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
    kinds = (kind for kind, names in _KINDS_OF_400.items() if stated.names & names)
    return next(kinds, Kind.INVALID)


def _stated_status(stated: ErrorFields) -> int:
    """The status that an error inside a stream would have had; unknown ones count as 500."""
    if stated.status is not None and 400 <= stated.status < 600:
        return stated.status
    known = [_STATUS_BY_NAME[name] for name in sorted(stated.names) if name in _STATUS_BY_NAME]
    return max(known, default=429 if stated.is_quota else 500)


def _long_quota(quota_id: str, *, value: str) -> bool:
    period = _QUOTA_PERIOD.search(quota_id)
    refills_late = period is not None and period[1] not in _RATE_PERIODS
    return value == "0" or refills_late or _SPEND in quota_id.lower()


def _plain(value: object, name: str) -> str:
    """A field as text, be it a string or a whole number."""
    found = fields.dig(value, name)
    return str(found) if isinstance(found, int) else fields.text(value, name)


def _code(error: object) -> str:
    """The `code` of an error when it is a word; a number is a status, not a name."""
    code = fields.text(error, "code")
    return "" if code.isdecimal() else code


def _numeric(code: object) -> int | None:
    if isinstance(code, str) and code.isdecimal() and len(code) <= 3:
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
