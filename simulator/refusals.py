"""The error answers that faults order, before a wire protocol puts them in its own form."""

from __future__ import annotations

from simulator.exchange import Problem
from simulator.faults import Fault
from simulator.windows import REQUESTS, Refusal

_FAULT_WAIT_S = 5.0

_STATUS_FAULTS: dict[str, tuple[str, int, str]] = {
    "400": ("invalid", 400, "The request could not be understood"),
    "401": ("bad_key", 401, "Incorrect API key provided"),
    "402": ("balance", 402, "Insufficient Balance"),
    "404": ("unknown_model", 404, "The model does not exist"),
    "500": ("server", 500, "The server had an error while processing your request"),
    "500_html": ("html", 500, "Internal Server Error"),
    "502_html": ("html", 502, "Bad Gateway"),
    "503": ("unavailable", 503, "The model is overloaded, please try again later"),
    "504": ("timeout", 504, "The request took too long"),
    "529": ("overloaded", 529, "Overloaded"),
}


def _extra_headers(fault: Fault) -> dict[str, str]:
    return {str(name): str(value) for name, value in fault.options.get("headers", {}).items()}


def rate_problem(fault: Fault) -> Problem:
    """The 429 a fault orders: a rate, or with kind `quota` a spent quota."""
    options = fault.options
    kind = str(options.get("kind", REQUESTS))
    retry_after = options.get("retry_after")
    try:
        wait_s = float(str(retry_after))
    except ValueError:
        wait_s = _FAULT_WAIT_S
    return Problem(
        "quota" if kind == "quota" else "rate",
        "You exceeded your current quota" if kind == "quota" else "Rate limit reached",
        status=429,
        refusal=Refusal(kind, limit=1, used=1, asked=1, wait_s=wait_s),
        retry_after=None if retry_after is None else str(retry_after),
        silent_wait="retry_after" in options and retry_after is None,
        extra_headers=_extra_headers(fault),
    )


def status_problem(fault: Fault) -> Problem | None:
    """The error answer a fault orders, None if it orders none."""
    if fault.name not in _STATUS_FAULTS:
        return None
    kind, status, message = _STATUS_FAULTS[fault.name]
    retry_after = fault.options.get("retry_after")
    return Problem(
        kind,
        message,
        status=status,
        retry_after=None if retry_after is None else str(retry_after),
        extra_headers=_extra_headers(fault),
    )
