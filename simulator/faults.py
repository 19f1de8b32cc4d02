"""Named faults, switched on and off while the simulator runs.

Each fault belongs to one kind: REFUSE ends the request before an answer, ANSWER changes what is
said, WIRE changes how it is sent. A request gets at most one REFUSE fault and any of the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from simulator.catalog import VENDORS, find
from simulator.windows import NS_PER_S

REFUSE, ANSWER, WIRE = "refuse", "answer", "wire"

KINDS: dict[str, str] = {
    "429": REFUSE,
    "400": REFUSE,
    "401": REFUSE,
    "402": REFUSE,
    "404": REFUSE,
    "500": REFUSE,
    "500_html": REFUSE,
    "502_html": REFUSE,
    "503": REFUSE,
    "504": REFUSE,
    "529": REFUSE,
    "hang": REFUSE,
    "invents": ANSWER,
    "does_not_know": ANSWER,
    "length": ANSWER,
    "refusal": ANSWER,
    "empty": ANSWER,
    "no_usage": WIRE,
    "truncate": WIRE,
    "cut": WIRE,
    "error_mid_stream": WIRE,
    "json_to_stream": WIRE,
    "bad_json": WIRE,
    "slow": WIRE,
    "stall": WIRE,
}


class FaultError(ValueError):
    """A fault order that cannot be carried out."""


@dataclass(slots=True)
class Fault:
    """One ordered fault; `count` is how many more times it may strike, None = no bound.

    Options: `retry_after` (refusals: sent verbatim, null = no header), `headers` (refusals: sent
    besides), `kind` (429: requests, tokens, concurrency, ramp or quota), `factor` (slow),
    `after_pieces` (truncate, cut, error_mid_stream, stall), `every_s` (stall: signs of life that
    carry no text come that often; absent = silence), `max_s` (hang).
    """

    name: str
    probability: float = 1.0
    vendor: str | None = None
    model: str | None = None
    count: int | None = None
    from_ns: int = 0
    until_ns: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def covers(self, vendor: str, *, model: str, now_ns: int) -> bool:
        """Whether the fault applies here and now, chance aside."""
        return (
            self.vendor in (None, vendor)
            and self.model in (None, model)
            and self.count != 0
            and self.from_ns <= now_ns
            and (self.until_ns is None or now_ns < self.until_ns)
        )


_FIELDS = {"name", "probability", "vendor", "model", "count", "after_s", "for_s", "options"}


_TEXT_OPTIONS = {"retry_after", "kind", "headers"}
_NUMBER_OPTIONS = {"factor", "after_pieces", "every_s", "max_s"}


def _number(order: Mapping[str, Any], name: str, default: float | None) -> float | None:
    value = order.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise FaultError(f"{name} must be a number of at least 0")
    return float(value)


def _check_target(order: Mapping[str, Any]) -> None:
    vendor, model = order.get("vendor"), order.get("model")
    if vendor is not None and vendor not in VENDORS:
        raise FaultError(f"unknown vendor {vendor}; known: {', '.join(VENDORS)}")
    if model is not None and (not isinstance(model, str) or find(model) is None):
        raise FaultError(f"unknown model {model}")


def _options(options: object) -> Mapping[str, Any]:
    if not isinstance(options, dict):
        raise FaultError("options is a JSON object")
    if unknown := set(options) - _TEXT_OPTIONS - _NUMBER_OPTIONS:
        raise FaultError(f"unknown option {sorted(unknown)[0]}")
    for name in _NUMBER_OPTIONS & set(options):
        _number(options, name, None)
    if not isinstance(options.get("headers", {}), dict):
        raise FaultError("headers is a JSON object")
    return options


def parse(order: object, *, now_ns: int) -> Fault:
    """Read a fault order: name, probability, vendor, model, count, after_s, for_s, options.

    Raises FaultError if a field is unknown or has a wrong value.
    """
    if not isinstance(order, dict):
        raise FaultError("a fault order is a JSON object")
    if unknown := set(order) - _FIELDS:
        raise FaultError(f"unknown field {sorted(unknown)[0]}")
    name = str(order.get("name"))
    if name not in KINDS:
        raise FaultError(f"unknown fault {name}; known: {', '.join(KINDS)}")
    probability = _number(order, "probability", 1.0)
    if probability is None or probability > 1:
        raise FaultError("probability must be between 0 and 1")
    _check_target(order)
    count = _number(order, "count", None)
    from_ns = now_ns + round((_number(order, "after_s", 0.0) or 0.0) * NS_PER_S)
    for_s = _number(order, "for_s", None)
    return Fault(
        name=name,
        probability=probability,
        vendor=order.get("vendor"),
        model=order.get("model"),
        count=None if count is None else int(count),
        from_ns=from_ns,
        until_ns=None if for_s is None else from_ns + round(for_s * NS_PER_S),
        options=_options(order.get("options") or {}),
    )


def parse_short(text: str, *, now_ns: int) -> Fault:
    """Read the command-line form NAME[:PROBABILITY[:VENDOR[:MODEL]]]; raises FaultError."""
    name, _, rest = text.partition(":")
    probability, _, rest = rest.partition(":")
    vendor, _, model = rest.partition(":")
    try:
        chance = float(probability or 1)
    except ValueError as error:
        raise FaultError(f"probability {probability} is not a number") from error
    order = {"name": name, "probability": chance, "vendor": vendor or None, "model": model or None}
    return parse(order, now_ns=now_ns)


class FaultBook:
    """The faults in force, drawn with a seeded chance."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force beside the others."""
        self._faults.append(fault)

    def remove(self, name: str | None = None) -> int:
        """Lift all faults of a name, or all; returns how many."""
        kept = [f for f in self._faults if name is not None and f.name != name]
        removed = len(self._faults) - len(kept)
        self._faults = kept
        return removed

    def reset(self) -> None:
        """Lift everything and start the seeded chance again."""
        self._faults = []
        self._random = random.Random(self._seed)

    def draw(self, vendor: str, *, model: str, now_ns: int) -> dict[str, Fault]:
        """Faults that strike this request, by name, in the order they were put in force."""
        struck: dict[str, Fault] = {}
        refused = False
        for fault in self._faults:
            refuses = KINDS[fault.name] == REFUSE
            if (refuses and refused) or not fault.covers(vendor, model=model, now_ns=now_ns):
                continue
            if self._random.random() >= fault.probability:
                continue
            struck[fault.name] = fault
            refused = refused or refuses
            if fault.count is not None:
                fault.count -= 1
        return struck

    def as_json(self) -> list[dict[str, Any]]:
        """The faults in force, spent ones included."""
        return [asdict(fault) for fault in self._faults]
