"""What people must be told about money and models: the causes, their words, and how long each lasts. Pure.

A notice becomes an `Alert` row (`routing.alerts`). The cause tells events apart: the same cause within
`quiet_until` is the same event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from routing.errors import Kind, Verdict
from routing.quota import Scope
from routing.specs import ModelSpec

DAY = timedelta(days=1)
PARKED_FOR = timedelta(hours=6)
ENDS_FOR = timedelta(days=7)
ENDS_AT_ONCE_DAYS = 7
DANGER_PERCENT = 90
LOW_PERCENT = 20

_WHAT_TO_DO = {
    Kind.AUTH: "its key was refused: correct {key} and restart, or edit the endpoint",
    Kind.PAYMENT: "the account has no balance: top it up; it is asked again by itself",
    Kind.MODEL_GONE: "the vendor does not know it any more: end its validity or correct its name",
    Kind.QUOTA: "the key's quota is used up: raise it at the vendor; it is asked again by itself",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `page` names the admin page that puts it right: (app_model, row or None = list)."""

    cause: str
    severe: bool
    text: str
    page: tuple[str, int | None]
    quiet_until: datetime


Alarm = Callable[[Notice], None]


def unheard(notice: Notice) -> None:
    """The alarm of parts that stand alone: nobody is told."""


def parked(model: ModelSpec, verdict: Verdict, *, reason: str, now: datetime) -> Notice:
    """A model that is not asked until something changes."""
    todo = _WHAT_TO_DO.get(verdict.kind, "{key} is not accepted for it").format(
        key=model.endpoint.key_env
    )
    of_key = verdict.kind is not Kind.MODEL_GONE
    page = ("routing_endpoint", model.endpoint.id) if of_key else ("routing_model", model.id)
    return Notice(
        cause=f"parked:{verdict.kind.value}:{model.endpoint.key}:{model.name}",
        severe=True,
        text=f"{model.label} is left out; {todo}. The vendor said: {reason}",
        page=page,
        quiet_until=now + PARKED_FOR,
    )


def reached(scope: Scope, percent: int, *, nanousd: int, tokens: int) -> Notice:
    """A mark of a budget or quota, in per cent used."""
    used = scope.used_in_words(nanousd=nanousd, tokens=tokens)
    if percent >= 100:
        words = "is used up; calls that fall under it are not made until it begins anew"
    elif scope.kind == "budget":
        words = f"is used to {percent} %"
    else:
        words = f"has less than {100 - percent} % left"
    return Notice(
        cause=f"{scope.kind}:{scope.row_id}:{percent}",
        severe=percent >= DANGER_PERCENT,
        text=f"The {scope.kind} {scope.label} {words} ({used}).",
        page=(f"routing_{scope.kind}", scope.row_id),
        quiet_until=scope.span.end,
    )


def refused(scope: Scope, reason: str) -> Notice:
    """A call was not made because of a budget or quota; `reason` is the refusal's own."""
    return Notice(
        cause=f"{scope.kind}:{scope.row_id}:100",
        severe=True,
        text=f"A call was not made: {reason}.",
        page=(f"routing_{scope.kind}", scope.row_id),
        quiet_until=scope.span.end,
    )


def no_price(model_name: str, *, endpoint_key: str, now: datetime) -> Notice:
    """A model answered, or was to be asked, whose price nobody has entered."""
    return Notice(
        cause=f"no-price:{endpoint_key}:{model_name}"[:200],
        severe=False,
        text=f"No price is known for {model_name[:120]} at {endpoint_key}: its calls are booked at "
        "another model's price or at none. Add a row under Prices.",
        page=("routing_price", None),
        quiet_until=now + DAY,
    )


def no_rate(currency: str, *, now: datetime) -> Notice:
    """A currency without a dollar rate."""
    return Notice(
        cause=f"no-rate:{currency}",
        severe=False,
        text=f"No dollar rate is known for {currency}: its calls are booked at no dollars. "
        "Add a row under Exchange rates.",
        page=("routing_exchangerate", None),
        quiet_until=now + DAY,
    )


def drift(name: str, endpoint_key: str, *, share: float, now: datetime) -> Notice:
    """A vendor counted something else than our ledger."""
    return Notice(
        cause=f"drift:{endpoint_key}",
        severe=False,
        text=f"{name} counted {share:.1%} more or less than our ledger since the last reading. Check "
        "the prices, whether the key is used elsewhere, and the calls of unknown outcome.",
        page=("routing_statement", None),
        quiet_until=now + DAY,
    )


def account_empty(name: str, endpoint_key: str, *, now: datetime) -> Notice:
    """The vendor says that the account can pay for nothing more."""
    return Notice(
        cause=f"account:{endpoint_key}:100",
        severe=True,
        text=f"The account at {name} has no balance left: top it up at the vendor.",
        page=("routing_statement", None),
        quiet_until=now + DAY,
    )


def account_low(name: str, endpoint_key: str, *, left_percent: int, until: datetime) -> Notice:
    """The vendor's own limit is nearly reached: 20 % or 10 % left."""
    mark = 90 if left_percent <= LOW_PERCENT // 2 else 80
    return Notice(
        cause=f"account:{endpoint_key}:{mark}",
        severe=mark >= DANGER_PERCENT,
        text=f"{name} says that {left_percent} % of the key's own limit is left.",
        page=("routing_statement", None),
        quiet_until=until,
    )


def own_mistakes(*, invalid: int, calls: int, now: datetime) -> Notice:
    """Vendors refuse requests as malformed: that is our making, and no retry helps."""
    return Notice(
        cause="invalid-requests",
        severe=False,
        text=f"{invalid} of {calls:,} calls of the last hour were refused as invalid requests: a "
        "parameter or a size in the model's row is wrong. The calls name the model and the code.",
        page=("routing_call", None),
        quiet_until=now + PARKED_FOR,
    )


def ends_soon(model: ModelSpec, *, last: date, days_left: int, now: datetime) -> Notice:
    """A model of the chains whose vendor ends it within days."""
    when = f"in {days_left} days, after {last.day} {last:%B %Y}" if days_left else "today"
    return Notice(
        cause=f"ends:{model.endpoint.key}:{model.name}:{last}"[:200],
        severe=days_left <= ENDS_AT_ONCE_DAYS,
        text=f"{model.label} ends {when}: put its successor into the chains and enter its price.",
        page=("routing_model", model.id),
        quiet_until=now + ENDS_FOR,
    )
