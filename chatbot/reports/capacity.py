"""What the vendors' limits allow, and how much has to be answered without a model. Pure.

A model that grants R requests, T tokens, I input tokens and O output tokens per minute, D requests per day
and F calls in flight allows min(R/60, T/(60 (i+o)), I/(60 i), O/(60 o), D/86400, F/s) calls per second of i
input and o output tokens that take s seconds each; a limit that it does not state does not count. Models at
one endpoint are taken as limited each by itself, as the vendors state their limits per model.
With a offered questions and c allowed calls per second and n calls per question, at least 1 - c / (a n) of the
questions must be answered without a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.specs import Limits, ModelSpec

FITS, TIGHT, SHORT, IMPOSSIBLE, UNLIMITED = "fits", "tight", "short", "impossible", "unlimited"
# Above this share of what the limits allow it is called tight.
TIGHT_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in: questions per second, and what one question takes from models.

    `current_share` (0..1) of questions is answered without a model today; None when nothing was asked.
    """

    questions_per_s: float
    input_tokens: int
    output_tokens: int
    call_s: float
    calls_per_question: float = 1.0
    current_share: float | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """One model's calls per second, and which limit binds; None when it states no limit."""

    label: str
    calls_per_s: float | None
    binding: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """The whole: `calls_per_s` None when a model states no limit at all.

    `calls_now_per_s` is what the load takes at today's share of questions without a model.
    """

    models: tuple[Allowed, ...]
    calls_per_s: float | None
    needed_share: float
    calls_now_per_s: float
    verdict: str


def allowed(model: ModelSpec, load: Load) -> Allowed:
    """Calls per second that one model's limits allow."""
    bounds = {
        name: bound for name, bound in _bounds(model.limits, load).items() if bound is not None
    }
    if not bounds:
        return Allowed(model.label, None, "")
    binding = min(bounds, key=lambda name: bounds[name])
    return Allowed(model.label, bounds[binding], binding)


def _bounds(limits: Limits, load: Load) -> dict[str, float | None]:
    tokens = load.input_tokens + load.output_tokens
    return {
        "requests per minute": _rate(limits.requests_per_minute, 60),
        "tokens per minute": _rate(limits.tokens_per_minute, 60 * tokens),
        "input tokens per minute": _rate(limits.input_tokens_per_minute, 60 * load.input_tokens),
        "output tokens per minute": _rate(limits.output_tokens_per_minute, 60 * load.output_tokens),
        "requests per day": _rate(limits.requests_per_day, 86_400),
        "calls in flight": _rate(limits.in_flight, load.call_s),
    }


def _rate(limit: int | None, each: float) -> float | None:
    return None if limit is None or each <= 0 else limit / each


def capacity(models: Sequence[ModelSpec], load: Load) -> Capacity:
    """What all models together allow, and the share that must be answered without one."""
    found = tuple(allowed(model, load) for model in models)
    rates = [model.calls_per_s for model in found]
    known = [rate for rate in rates if rate is not None]
    calls_per_s = None if len(known) < len(rates) else sum(known)
    needed = load.questions_per_s * load.calls_per_question
    share = needed_share(needed, calls_per_s)
    calls_now_per_s = needed * (1 - (load.current_share or 0.0))
    verdict = _verdict(calls_now_per_s, allowed_per_s=calls_per_s, needed=share)
    return Capacity(found, calls_per_s, share, calls_now_per_s, verdict)


def needed_share(calls_per_s: float, allowed_per_s: float | None) -> float:
    """The share of questions (0..1) that must be answered without a model."""
    if allowed_per_s is None or calls_per_s <= allowed_per_s:
        return 0.0
    return 1 - allowed_per_s / calls_per_s


def _verdict(calls_now_per_s: float, *, allowed_per_s: float | None, needed: float) -> str:
    if allowed_per_s is None:
        return UNLIMITED
    if needed >= 1:
        return IMPOSSIBLE
    if calls_now_per_s > allowed_per_s:
        return SHORT
    return TIGHT if calls_now_per_s > TIGHT_SHARE * allowed_per_s else FITS
