"""The live board in words: what one model's card says, translated, ready for the template."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from base.sentences import sentence
from routing.board import Card, Purse
from routing.breaker import State
from routing.models import Hold
from routing.permits import LaneView
from routing.retirement import in_words
from routing.sights import Bucket, Sight

STATES = {
    "closed": (gettext_lazy("Closed: calls pass"), "good"),
    "half_open": (gettext_lazy("Half open: it is being tried"), "warn"),
    "open": (gettext_lazy("Open: no calls"), "bad"),
    "parked": (gettext_lazy("Parked: no calls"), "bad"),
    "tripped": (gettext_lazy("Tripped by hand"), "bad"),
    "held": (gettext_lazy("Parked by hand"), "warn"),
    "unknown": (gettext_lazy("Not known here"), "plain"),
}
BUCKETS = {
    "requests": gettext_lazy("Requests per minute"),
    "tokens": gettext_lazy("Tokens per minute"),
    "input_tokens": gettext_lazy("Input tokens per minute"),
    "output_tokens": gettext_lazy("Output tokens per minute"),
    "requests_per_day": gettext_lazy("Requests per day"),
}
_FULL_PERMILLE, _LOW_PERMILLE = 1000, 800


@dataclass(frozen=True, slots=True)
class Meter:
    """A limit as a bar with its figures."""

    name: str
    used: str
    left: str
    permille: int
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A card's words. `state` is a key of STATES."""

    card: Card
    state: str
    word: str
    tone: str
    details: tuple[str, ...]
    meters: tuple[Meter, ...]
    in_flight: str
    queue: str
    purses: tuple[Meter, ...]
    warning: str
    notes: tuple[str, ...] = ()


def line_of(card: Card, *, now: datetime, notes: tuple[str, ...] = ()) -> Line:
    """One model's card; `notes` say why tiers leave it out."""
    state = state_of(card, now=now)
    word, tone = STATES[state]
    lane = card.lane
    return Line(
        card=card,
        state=state,
        word=str(word),
        tone=tone,
        details=tuple(_details(card, state=state, now=now)),
        meters=tuple(_bucket(one) for one in lane.sight.buckets) if lane else (),
        in_flight=_in_flight(card, lane) if lane else "–",
        queue=_queue(lane) if lane else "–",
        purses=tuple(_purse(one) for one in card.purses),
        warning=in_words(card.retirement),
        notes=notes,
    )


def lane_in_words(lane: LaneView) -> str:
    """How a model's breaker and limits stand, on one line."""
    state = lane.state.state.value
    if lane.state.state in (State.CLOSED, State.HALF_OPEN) and lane.sight.fleet_state:
        state = lane.sight.fleet_state
    meters = (_bucket(one) for one in lane.sight.buckets)
    parts = [
        str(STATES[state][0]),
        *_of_lane(lane),
        *_of_limits(lane.sight),
        *(f"{meter.name}: {meter.used}" for meter in meters),
        _queue(lane),
    ]
    return "; ".join(parts)


def is_held(hold: Hold | None, *, now: datetime) -> bool:
    """Whether staff let nothing through at present."""
    return hold is not None and hold.kind != Hold.RESET and (hold.until is None or now < hold.until)


def state_of(card: Card, *, now: datetime) -> str:
    """A key of STATES: what staff decided stands first, then what this process or the fleet found."""
    if card.hold is not None and is_held(card.hold, now=now):
        return "tripped" if card.hold.kind == Hold.TRIP else "held"
    if card.lane is None:
        return "unknown"
    own = card.lane.state.state
    if own in (State.CLOSED, State.HALF_OPEN) and card.lane.sight.fleet_state:
        return card.lane.sight.fleet_state
    return own.value


def _details(card: Card, *, state: str, now: datetime) -> list[str]:
    found, hold, lane = [], card.hold, card.lane
    if hold is not None and state in ("tripped", "held"):
        found.append(_("by %(who)s: %(reason)s") % {"who": hold.by, "reason": hold.reason})
        found.append(
            _("until %(moment)s") % {"moment": _moment(hold.until)}
            if hold.until is not None
            else _("until somebody resets it")
        )
    elif lane is not None:
        found += _of_lane(lane)
    if lane is not None:
        found += _of_limits(lane.sight)
    return found


def _of_lane(lane: LaneView) -> list[str]:
    reason = lane.state.reason or lane.sight.fleet_reason
    found = [sentence(reason)] if reason else []
    wait_s: float | None = lane.state.open_for_s
    if not wait_s and lane.sight.fleet_state:
        wait_s = lane.sight.fleet_for_s
    if wait_s is None or math.isinf(wait_s):
        found.append(_("until its key, its row or the vendor changes"))
    elif wait_s > 0:
        found.append(_("asked again in %(time)s") % {"time": duration(wait_s)})
    return found


def _of_limits(sight: Sight) -> list[str]:
    found = []
    if sight.factor < 1:
        share = round(100 * sight.factor)
        found.append(_("slowed to %(share)d %% after a refusal") % {"share": share})
    if sight.paused_s > 0:
        found.append(
            _("the vendor asked for a pause: %(time)s") % {"time": duration(sight.paused_s)}
        )
    if sight.degraded:
        found.append(_("the shared state is away: only this process's part is shown"))
    return found


def _bucket(bucket: Bucket) -> Meter:
    permille = min(_FULL_PERMILLE, 1000 * bucket.used // max(1, bucket.limit))
    return Meter(
        name=str(BUCKETS[bucket.name]),
        used=_("%(used)s of %(limit)s")
        % {"used": f"{bucket.used:,}", "limit": f"{bucket.limit:,}"},
        left=_("%(left)s left") % {"left": f"{bucket.left:,}"},
        permille=permille,
        tone=_tone(permille),
    )


def _purse(purse: Purse) -> Meter:
    scope = purse.scope
    kind = _("Budget") if scope.kind == "budget" else _("Quota")
    gone_at = purse.forecast.gone_at
    if purse.used_permille >= _FULL_PERMILLE:
        note = _("used up until %(moment)s") % {"moment": _moment(scope.span.end)}
    elif gone_at is not None:
        note = _("at the present pace gone at %(moment)s") % {"moment": _moment(gone_at)}
    elif purse.forecast.idle:
        note = _("nothing was spent in the last 15 minutes")
    else:
        note = _("lasts at the present pace")
    return Meter(
        name=f"{kind}: {scope.label}",
        used=scope.used_in_words(nanousd=purse.used_nanousd, tokens=purse.used_tokens),
        left="",
        permille=purse.used_permille,
        tone=_tone(purse.used_permille),
        note=note,
    )


def _tone(permille: int) -> str:
    if permille >= _FULL_PERMILLE:
        return "danger"
    return "model" if permille >= _LOW_PERMILLE else "hit"


def _in_flight(card: Card, lane: LaneView) -> str:
    cap, flying = card.model.limits.in_flight, lane.sight.in_flight
    if cap is None:
        return str(flying)
    return _("%(used)s of %(limit)s") % {"used": flying, "limit": cap}


def _queue(lane: LaneView) -> str:
    """Who waits here; of other processes only whether they wait is known."""
    waiting = lane.state.waiting
    others = max(0, lane.sight.waiting_processes - (1 if waiting else 0))
    parts = [_("%(count)d waiting") % {"count": waiting} if waiting else _("nobody waits")]
    if others:
        parts.append(
            ngettext("another process waits too", "%(count)d other processes wait too", others)
            % {"count": others}
        )
    if lane.eta_s > 0 and math.isfinite(lane.eta_s):
        parts.append(_("a new call waits %(time)s") % {"time": duration(lane.eta_s)})
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """12 s, 3 min, 2 h."""
    whole = math.ceil(seconds)
    if whole < 120:
        return _("%(count)d s") % {"count": whole}
    if whole < 7_200:
        return _("%(count)d min") % {"count": whole // 60}
    return _("%(count)d h") % {"count": whole // 3_600}


def _moment(at: datetime) -> str:
    local = timezone.localtime(at)
    near = abs(at - timezone.now()) < timedelta(hours=20)
    return f"{local:%H:%M}" if near else f"{local:%Y-%m-%d %H:%M}"
