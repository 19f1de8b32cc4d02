"""What this process believes of a fleet's limits between two words with Redis: enough for an estimate.

Pure but for the clock it is given. The view is as old as the last reply; buckets are carried forward
at their rate. Other processes that wait are expected to get as many turns as this one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from base.clock import Clock
from routing.buckets import SHARE
from routing.limits import AMOUNTS
from routing.sights import DAY_REQUESTS, Bucket, Sight
from routing.specs import Need

_GAIN = 0.1
_USUAL_HOLD_S = 2.0


class Carried:
    """What calls usually hold and use, learnt from those that ended."""

    def __init__(self) -> None:
        self.hold_s = _USUAL_HOLD_S
        self.used_share = 1.0

    def learn(self, *, need: Need, used: Need | None, held_s: float) -> None:
        """One call ended after `held_s`."""
        self.hold_s += _GAIN * (max(0.0, held_s) - self.hold_s)
        if used is not None:
            share = min(1.0, used.tokens / max(1, need.tokens))
            self.used_share += _GAIN * (share - self.used_share)


@dataclass(slots=True)
class _Reply:
    at_s: float
    in_flight: int = 0
    factor: float = 1.0
    processes: int = 1
    levels: dict[str, float] = field(default_factory=dict)


class FleetView:
    """The last known state of one lane."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._reply = _Reply(at_s=clock.monotonic_s())
        self._paused_until_s = -math.inf
        self._carried = Carried()

    @property
    def in_flight(self) -> int:
        """Calls of the whole fleet as of the last reply."""
        return self._reply.in_flight

    @property
    def factor(self) -> float:
        """The share of the limits in use as of the last reply."""
        return self._reply.factor

    def hear(self, values: list[str], *, names: list[str]) -> None:
        """Take over a reply: in flight, factor, waiting processes, epoch, pause, levels by name."""
        now_s = self._clock.monotonic_s()
        in_flight, factor, processes, _, paused_s, *levels = values
        self._reply = _Reply(
            at_s=now_s,
            in_flight=int(in_flight),
            factor=float(factor),
            processes=max(1, int(processes)),
            levels={name: float(level) for name, level in zip(names, levels, strict=True)},
        )
        self._paused_until_s = now_s + float(paused_s)

    def see(self, reply: list[str], *, kept: Mapping[str, int]) -> Sight:
        """Take over a whole look: a reply as `hear` knows it, then sums, day, opening and parking."""
        names = list(kept)
        _, _, *values = reply
        told, sums = values[: 5 + len(names)], values[5 + len(names) : 5 + 2 * len(names)]
        per_day, day, open_s, parked_s, reason = values[5 + 2 * len(names) :]
        self.hear(told, names=names)
        buckets = [
            Bucket(name, kept[name], int(used)) for name, used in zip(names, sums, strict=True)
        ]
        if int(per_day) >= 0:
            buckets.append(Bucket(DAY_REQUESTS, int(per_day), int(day)))
        state, for_s = "", None
        if float(parked_s) != 0:
            state, for_s = "parked", None if float(parked_s) < 0 else float(parked_s)
        elif float(open_s) > 0:
            state, for_s = "open", float(open_s)
        return Sight(
            buckets=tuple(buckets),
            in_flight=self.in_flight,
            factor=self.factor,
            paused_s=max(0.0, float(told[4])),
            waiting_processes=int(told[2]),
            fleet_state=state,
            fleet_for_s=for_s,
            fleet_reason=reason,
        )

    def pause(self, *, until_s: float) -> None:
        """This process was told to pause."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def settled(self, *, need: Need, used: Need | None, held_s: float) -> None:
        """A call of this process ended."""
        self._carried.learn(need=need, used=used, held_s=held_s)

    def eta_s(
        self,
        need: Need,
        *,
        kept: Mapping[str, int],
        in_flight: int | None,
        requests_ahead: int,
        ahead: Need,
    ) -> float:
        """The wait to expect behind `requests_ahead` calls of this process."""
        now_s, reply, share = self._clock.monotonic_s(), self._reply, self._carried.used_share
        before = reply.processes * requests_ahead
        waits_s = [0.0, self._paused_until_s - now_s]
        for name, limit in kept.items():
            rate_per_s = limit * SHARE * reply.factor / 60.0
            burst = max(1.0, rate_per_s)
            gained = max(0.0, now_s - reply.at_s) * rate_per_s
            level = min(burst, reply.levels.get(name, burst) + gained)
            queued = (
                before if name == "requests" else reply.processes * AMOUNTS[name](ahead) * share
            )
            waits_s.append((queued + min(float(AMOUNTS[name](need)), burst) - level) / rate_per_s)
        if in_flight is not None:
            cap = max(1, math.floor(in_flight * reply.factor))
            surplus = reply.in_flight + before + 1 - cap
            waits_s.append(self._carried.hold_s * surplus / cap)
        return max(waits_s)
