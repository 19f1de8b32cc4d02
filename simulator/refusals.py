"""The error answers that faults order, before a wire protocol puts them in its own form."""

from __future__ import annotations

from simulator.exchange import Problem, Telling
from simulator.faults import Fault
from simulator.windows import REQUESTS_PER_DAY, Refusal

_WAIT_S = {"day": 7_200.0, "quota": 36_000.0}
_DEFAULT_WAIT_S = 5.0
_DIMENSIONS = {"day": REQUESTS_PER_DAY}

_STATUS_FAULTS: dict[str, tuple[str, int, str]] = {
    "302": ("redirect", 302, "Found"),
    "401": ("bad_key", 401, "Incorrect API key provided"),
    "402": ("balance", 402, "Insufficient Balance"),
    "403": ("forbidden", 403, "Country, region, or territory not supported"),
    "404": ("unknown_model", 404, "The model does not exist"),
    "408": ("timeout", 408, "The request timed out"),
    "409": ("conflict", 409, "The request conflicts with another one"),
    "413": ("too_large", 413, "The request is too large"),
    "422": ("unprocessable", 422, "The parameters cannot be processed"),
    "500": ("server", 500, "The server had an error while processing your request"),
    "500_html": ("html", 500, "Internal Server Error"),
    "502_html": ("html", 502, "Bad Gateway"),
    "503": ("unavailable", 503, "The model is overloaded, please try again later"),
    "504": ("timeout", 504, "The request took too long"),
    "529": ("overloaded", 529, "Overloaded"),
}
_BAD_REQUESTS: dict[str, tuple[str, str]] = {
    "invalid": ("invalid", "The request could not be understood"),
    "context_length": ("context", "This model's maximum context length is exceeded"),
    "content_policy": ("content", "The request was rejected by the content policy"),
    "key_invalid": ("bad_key", "Incorrect API key provided"),
}


def _stated_wait_s(fault: Fault, *, kind: str) -> float:
    for value in (fault.option("wait_s"), fault.option("retry_after")):
        try:
            return float(str(value))
        except ValueError:
            continue
    return _WAIT_S.get(kind, _DEFAULT_WAIT_S)


def _telling(fault: Fault, *, kind: str = "") -> Telling:
    retry_after, form = fault.options.get("retry_after"), str(fault.option("wait_form"))
    headers = {str(k): str(v) for k, v in fault.option("headers").items()}
    if fault.name == "302":
        headers = {"location": str(fault.option("location"))} | headers
    if form == "usual" and fault.name != "429" and fault.option("wait_s") is not None:
        form = "seconds"
    return Telling(
        retry_after=None if retry_after is None else str(retry_after),
        silent_wait=form != "usual" or ("retry_after" in fault.options and retry_after is None),
        wait_form=form,
        wait_s=_stated_wait_s(fault, kind=kind),
        extra_headers=headers,
        body=str(fault.option("body")),
        fault=fault.name,
    )


def rate_problem(fault: Fault) -> Problem:
    """The 429 a fault orders: a rate, or with kind `quota` a spent quota."""
    kind = str(fault.option("kind"))
    telling = _telling(fault, kind=kind)
    dimension = _DIMENSIONS.get(kind, kind)
    return Problem(
        "quota" if kind == "quota" else "rate",
        "You exceeded your current quota" if kind == "quota" else "Rate limit reached",
        status=429,
        refusal=Refusal(dimension, limit=1, used=1, asked=1, wait_s=telling.wait_s),
        telling=telling,
    )


def status_problem(fault: Fault, *, status: int | None = None) -> Problem | None:
    """The error answer a fault orders, None if it orders none; `status` is a brown-out's choice."""
    if fault.name == "400":
        kind, message = _BAD_REQUESTS[str(fault.option("kind"))]
        return Problem(kind, message, status=400, telling=_telling(fault))
    name = str(status) if fault.name == "brown_out" else fault.name
    if name not in _STATUS_FAULTS:
        return None
    kind, status, message = _STATUS_FAULTS[name]
    return Problem(kind, message, status=status, telling=_telling(fault))
