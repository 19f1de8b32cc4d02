"""Named faults, switched on and off while the simulator runs.

What each one does is in `fault_catalog`. Of faults that exclude each other the one that was put in
force first strikes; all others strike together.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from simulator.catalog import VENDORS, find
from simulator.fault_catalog import BARRED_FIELDS, CONNECTION, LIMIT, SPECS
from simulator.fault_options import FaultError as FaultError
from simulator.fault_options import number, options_of
from simulator.windows import NS_PER_S

ORDER_FIELDS = frozenset(
    {"name", "probability", "vendor", "model", "count", "options"}
    | {"after_s", "for_s", "start_at", "stop_at"}
)
_REFUSED, _RESET = "connection_refused", "reset_at_accept"


@dataclass(slots=True)
class Fault:
    """One ordered fault; `count` is how many more times it may strike, None = no bound.

    It is in force from `from_ns` (included) until `until_ns` (not included) of the monotonic clock.
    `struck` counts the requests or connections it has struck.
    """

    name: str
    probability: float = 1.0
    vendor: str | None = None
    model: str | None = None
    count: int | None = None
    from_ns: int = 0
    until_ns: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    struck: int = 0

    def covers(self, vendor: str | None, *, model: str | None, now_ns: int) -> bool:
        """Whether the fault applies here and now, chance aside."""
        return (
            self.vendor in (None, vendor)
            and self.model in (None, model)
            and self.count != 0
            and self.from_ns <= now_ns
            and (self.until_ns is None or now_ns < self.until_ns)
        )

    def option(self, name: str) -> Any:
        """The value of an option, its default if the order has none."""
        return self.options.get(name, SPECS[self.name].options[name])

    def strike(self) -> None:
        """Count one more request struck."""
        self.struck += 1
        if self.count is not None:
            self.count -= 1


def _check_target(order: Mapping[str, Any]) -> None:
    vendor, model = order.get("vendor"), order.get("model")
    if vendor is not None and vendor not in VENDORS:
        raise FaultError(f"unknown vendor {vendor}; known: {', '.join(VENDORS)}")
    if model is not None and (not isinstance(model, str) or find(model) is None):
        raise FaultError(f"unknown model {model}")


def _moment_ns(
    order: Mapping[str, Any], name: str, *, now_ns: int, now: datetime | None
) -> int | None:
    """An absolute time as monotonic nanoseconds: Unix seconds, or ISO 8601 with an offset."""
    value = order.get(name)
    if value is None:
        return None
    if now is None:
        raise FaultError(f"{name} needs a date and time to count from")
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise FaultError(f"{name} is no ISO 8601 time") from error
        if moment.tzinfo is None:
            raise FaultError(f"{name} needs an offset, for instance Z")
        unix_s: float | None = moment.timestamp()
    else:
        unix_s = number(order, name, None)
    return now_ns + round(((unix_s or 0.0) - now.timestamp()) * NS_PER_S)


def _window(
    order: Mapping[str, Any], *, now_ns: int, now: datetime | None
) -> tuple[int, int | None]:
    """From and until in monotonic nanoseconds."""
    for pair in (("after_s", "start_at"), ("for_s", "stop_at")):
        if all(order.get(name) is not None for name in pair):
            raise FaultError(f"either {pair[0]} or {pair[1]}")
    from_ns = _moment_ns(order, "start_at", now_ns=now_ns, now=now)
    if from_ns is None:
        from_ns = now_ns + round((number(order, "after_s", 0.0) or 0.0) * NS_PER_S)
    until_ns = _moment_ns(order, "stop_at", now_ns=now_ns, now=now)
    for_s = number(order, "for_s", None)
    if for_s is not None:
        until_ns = from_ns + round(for_s * NS_PER_S)
    if until_ns is not None and until_ns < from_ns:
        raise FaultError("it would stop before it starts")
    return from_ns, until_ns


def _shape(order: object) -> Mapping[str, Any]:
    if not isinstance(order, dict):
        raise FaultError("a fault order is a JSON object")
    if unknown := set(order) - ORDER_FIELDS:
        raise FaultError(f"unknown field {sorted(unknown)[0]}")
    name = str(order.get("name"))
    if name not in SPECS:
        raise FaultError(f"unknown fault {name}; known: {', '.join(SPECS)}")
    given = {key for key, value in order.items() if value is not None}
    if barred := given & BARRED_FIELDS.get(name, frozenset()):
        raise FaultError(f"{name} takes no {sorted(barred)[0]}")
    _check_target(order)
    return order


def parse(order: object, *, now_ns: int, now: datetime | None = None) -> Fault:
    """Read a fault order: name, probability, vendor, model, count, options, and its time:
    after_s or start_at, for_s or stop_at.

    `now` is the date that `start_at` and `stop_at` are counted from. Raises FaultError if a field
    is unknown or has a wrong value.
    """
    fields = _shape(order)
    spec = SPECS[str(fields["name"])]
    probability = number(fields, "probability", spec.probability)
    if probability is None or probability > 1:
        raise FaultError("probability must be between 0 and 1")
    count = number(fields, "count", None)
    from_ns, until_ns = _window(fields, now_ns=now_ns, now=now)
    return Fault(
        name=spec.name,
        probability=probability,
        vendor=fields.get("vendor"),
        model=fields.get("model"),
        count=None if count is None else int(count),
        from_ns=from_ns,
        until_ns=until_ns,
        options=options_of(spec, fields.get("options") or {}),
    )


def parse_short(text: str, *, now_ns: int) -> Fault:
    """Read the command-line form NAME[:PROBABILITY[:VENDOR[:MODEL]]]; raises FaultError."""
    name, _, rest = text.partition(":")
    probability, _, rest = rest.partition(":")
    vendor, _, model = rest.partition(":")
    order: dict[str, Any] = {"name": name, "vendor": vendor or None, "model": model or None}
    if probability:
        try:
            order["probability"] = float(probability)
        except ValueError as error:
            raise FaultError(f"probability {probability} is not a number") from error
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
        taken: frozenset[str] = frozenset()
        for fault in self._faults:
            spec = SPECS[fault.name]
            if spec.kind in (LIMIT, CONNECTION) or spec.marks & taken:
                continue
            if not fault.covers(vendor, model=model, now_ns=now_ns):
                continue
            if self._random.random() >= fault.probability:
                continue
            struck[fault.name] = fault
            taken |= spec.marks
            fault.strike()
        return struck

    def choose(self, values: list[int]) -> int:
        """One of the values by the seeded chance."""
        return self._random.choice(values)

    def limit_factor(self, vendor: str, *, model: str, now_ns: int) -> float:
        """What the limits of a model are multiplied with now."""
        factor = 1.0
        for fault in self._faults:
            if SPECS[fault.name].kind == LIMIT and fault.covers(vendor, model=model, now_ns=now_ns):
                factor *= float(fault.option("factor"))
        return factor

    def refuses_connections(self, now_ns: int) -> bool:
        """Whether the listener is to be closed now."""
        return any(
            f.name == _REFUSED and f.covers(None, model=None, now_ns=now_ns) for f in self._faults
        )

    def resets_connection(self, now_ns: int) -> bool:
        """Whether a connection that has just been accepted is to be reset."""
        for fault in self._faults:
            if fault.name != _RESET or not fault.covers(None, model=None, now_ns=now_ns):
                continue
            if self._random.random() < fault.probability:
                fault.strike()
                return True
        return False

    def as_json(self, *, now_ns: int) -> list[dict[str, Any]]:
        """The faults ordered, spent ones included; `in_force` = may strike now."""
        return [
            asdict(fault)
            | {"in_force": fault.covers(fault.vendor, model=fault.model, now_ns=now_ns)}
            for fault in self._faults
        ]
