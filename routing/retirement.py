"""Models that their vendors end: by a date within RETIREMENT_NOTICE, or because one was not known any more.

That a vendor does not know a model is decided on status and parsed code (`vendors/classify.py`) when a call
fails, and kept as an alert; a call that succeeded since takes the warning back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from routing import alerts, notices
from routing.errors import Kind
from routing.models import Alert, Call
from routing.snapshot import load_routing
from routing.specs import ModelSpec

RETIREMENT_NOTICE = timedelta(days=30)
_GONE = f"parked:{Kind.MODEL_GONE.value}:"


@dataclass(frozen=True, slots=True)
class Retirement:
    """`ends`: `day` is the last one; `ended`: it was; `gone`: the vendor said so on `day`."""

    kind: Literal["ends", "ended", "gone"]
    model: ModelSpec
    day: date
    days_left: int = 0


def retirements(models: Iterable[ModelSpec], *, now: datetime) -> dict[int, Retirement]:
    """By the model's row; those without a warning are left out."""
    gone, today = _gone_lately(now), now.date()
    found = {}
    for model in models:
        last = model.valid_until
        if last is not None and last < today:
            found[model.id] = Retirement("ended", model, last)
        elif (said := gone.get((model.endpoint.key, model.name))) is not None:
            found[model.id] = Retirement("gone", model, said.date())
        elif last is not None and last - today <= RETIREMENT_NOTICE:
            found[model.id] = Retirement("ends", model, last, (last - today).days)
    return found


def in_words(warning: Retirement | None) -> str:
    """The warning as a sentence; empty without one."""
    if warning is None:
        return ""
    if warning.kind == "gone":
        return _("Its vendor did not know it on %(day)s: correct its name or end its validity.") % {
            "day": warning.day
        }
    if warning.kind == "ended":
        return _("Its last day was %(day)s: it is not asked any more.") % {"day": warning.day}
    if warning.days_left == 0:
        return _("Today is its last day.")
    return ngettext(
        "It ends in %(days)d day, after %(day)s.",
        "It ends in %(days)d days, after %(day)s.",
        warning.days_left,
    ) % {"days": warning.days_left, "day": warning.day}


def warn(*, now: datetime) -> int:
    """Raise an alert for every model of the chains that ends soon; returns how many there are.

    Those that vendors do not know any more have theirs from the call that failed.
    """
    chains = load_routing().chains.values()
    models = {model.id: model for chain in chains for model in chain}
    ending = [one for one in retirements(models.values(), now=now).values() if one.kind == "ends"]
    for one in ending:
        notice = notices.ends_soon(one.model, last=one.day, days_left=one.days_left, now=now)
        alerts.record(notice, now=now)
    return len(ending)


def _gone_lately(now: datetime) -> dict[tuple[str, str], datetime]:
    """(endpoint key, model name) -> when its vendor last did not know it."""
    rows = Alert.objects.filter(cause__startswith=_GONE, last_at__gt=now - RETIREMENT_NOTICE)
    found: dict[tuple[str, str], datetime] = {}
    for cause, last_at in rows.order_by("last_at").values_list("cause", "last_at"):
        endpoint_key, _, name = cause.removeprefix(_GONE).partition(":")
        found[endpoint_key, name] = last_at
    return {key: at for key, at in found.items() if not _answered_since(key, at)}


def _answered_since(key: tuple[str, str], at: datetime) -> bool:
    calls = Call.objects.filter(started_at__gt=at, endpoint_key=key[0], model_asked=key[1])
    return calls.filter(outcome=Call.COMPLETED).exists()
