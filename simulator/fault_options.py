"""Checks the options of a fault order against the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.fault_catalog import BAD_REQUEST_KINDS, BODIES, RATE_KINDS, WAIT_FORMS, FaultSpec

_KINDS = {"429": RATE_KINDS, "400": BAD_REQUEST_KINDS}
BROWN_OUT_STATUSES = (500, 503, 504, 529)


class FaultError(ValueError):
    """A fault order that cannot be carried out."""


def number(order: Mapping[str, Any], name: str, default: float | None) -> float | None:
    """A field that is a number of at least 0, null = not set; raises FaultError."""
    value = order.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise FaultError(f"{name} must be a number of at least 0")
    return float(value)


def _one_of(value: object, name: str, *, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise FaultError(f"{name} must be one of {', '.join(choices)}")


def _check_number(value: object, name: str) -> None:
    number({name: value}, name, None)


def _check_whole(value: object, name: str) -> None:
    if type(value) is not int or value < 1:
        raise FaultError(f"{name} must be a whole number of at least 1")


def _check_headers(value: object, name: str) -> None:
    if not isinstance(value, dict):
        raise FaultError(f"{name} is a JSON object")


def _check_text(value: object, name: str) -> None:
    if not isinstance(value, str):
        raise FaultError(f"{name} is a text")


def _check_statuses(value: object, name: str) -> None:
    if not isinstance(value, list) or not value or set(value) - set(BROWN_OUT_STATUSES):
        raise FaultError(f"{name} is a list of {', '.join(map(str, BROWN_OUT_STATUSES))}")


def _verbatim(value: object, name: str) -> None:
    """Whatever is given is sent as it is."""


_CHECKS: dict[str, Callable[[object, str], None]] = {
    "retry_after": _verbatim,
    "headers": _check_headers,
    "location": _check_text,
    "content_type": _check_text,
    "statuses": _check_statuses,
    "bytes": _check_whole,
    "every": _check_whole,
    "wait_form": lambda value, name: _one_of(value, name, choices=WAIT_FORMS),
    "body": lambda value, name: _one_of(value, name, choices=BODIES),
}


def options_of(spec: FaultSpec, options: object) -> Mapping[str, Any]:
    """The options of an order as given; raises FaultError on an unknown one or a wrong value."""
    if not isinstance(options, dict):
        raise FaultError("options is a JSON object")
    if unknown := set(options) - set(spec.options):
        known = ", ".join(spec.options) or "none"
        raise FaultError(f"unknown option {sorted(unknown)[0]} of {spec.name}; known: {known}")
    for name, value in options.items():
        if name == "kind":
            _one_of(value, name, choices=_KINDS[spec.name])
        else:
            _CHECKS.get(name, _check_number)(value, name)
    return options
