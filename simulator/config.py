"""What can be set about the simulator, and how it is read from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from simulator.catalog import VENDORS, find
from simulator.windows import BURST as BURST
from simulator.windows import MINUTE, Limits, Window

_LONGEST_MINUTE_S = 60
_UNIT_NANO = 1_000_000_000


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one simulator.

    `limits` is keyed by "vendor/model", "vendor" or "*", the narrowest one wins as a whole.
    `credit_units` is the prepaid credit of each key at a vendor in whole units of its currency
    (absent = endless); DeepSeek and the gateway report it. `minute_s` is how long a minute of the
    limits really is: every window, and every wait and reset told, shrinks with it.
    """

    limits: Mapping[str, Limits] = field(default_factory=dict)
    windows: tuple[Window, ...] = (MINUTE,)
    credit_units: Mapping[str, int] = field(default_factory=dict)
    first_ms: float = 0.0
    chunk_ms: float = 0.0
    seed: int = 0
    today: date | None = None
    default_max_tokens: int = 1024
    prompt_cache_ttl_s: float = 300.0
    minute_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.minute_s <= _LONGEST_MINUTE_S:
            raise ConfigError("minute_s must be above 0 and at most 60")

    def credit_nano(self, vendor: str) -> int | None:
        """The credit of each key in nano-units, None = endless."""
        units = self.credit_units.get(vendor)
        return None if units is None else units * _UNIT_NANO


def _check_name(name: str) -> None:
    vendor, _, model = name.partition("/")
    if name != "*" and (vendor not in VENDORS or (model and find(model) is None)):
        raise ConfigError(f"limits of {name}: neither *, nor a vendor, nor vendor/model")


def parse_limits(value: object) -> dict[str, Limits]:
    """Read `{"vendor/model" | "vendor" | "*": {"rpm": n, ...}}`; raises ConfigError."""
    known = {item.name for item in fields(Limits)}
    if not isinstance(value, dict):
        raise ConfigError("limits is an object")
    limits = {}
    for name, figures in value.items():
        _check_name(str(name))
        if not isinstance(figures, dict) or set(figures) - known:
            raise ConfigError(f"limits of {name}: an object with {', '.join(sorted(known))}")
        bad = [k for k, n in figures.items() if n is not None and (type(n) is not int or n < 1)]
        if bad:
            raise ConfigError(f"limits of {name}: {bad[0]} must be a whole number of at least 1")
        limits[str(name)] = Limits(**figures)
    return limits


def _windows(value: Any) -> tuple[Window, ...]:
    try:
        windows = tuple(Window(int(length_s), float(factor)) for length_s, factor in value)
    except (TypeError, ValueError) as error:
        raise ConfigError("windows is a list of [seconds, factor]") from error
    if not windows or windows[0] != MINUTE:
        raise ConfigError("the first of windows must be [60, 1.0]")
    return windows


def parse_config(value: object) -> dict[str, Any]:
    """Read a configuration file's JSON into keyword arguments of `Config`; raises ConfigError."""
    known = {item.name for item in fields(Config)}
    if not isinstance(value, dict) or set(value) - known:
        raise ConfigError(f"the configuration is an object with {', '.join(sorted(known))}")
    settings = dict(value)
    if "limits" in settings:
        settings["limits"] = parse_limits(settings["limits"])
    if "windows" in settings:
        settings["windows"] = _windows(settings["windows"])
    minute_s = settings.get("minute_s", 60)
    if isinstance(minute_s, bool) or not isinstance(minute_s, int | float):
        raise ConfigError("minute_s is a number of seconds")
    if settings.get("today"):
        settings["today"] = date.fromisoformat(settings["today"])
    return settings
