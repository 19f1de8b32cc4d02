"""When the pieces of a stream are due, and what the pieces are."""

from __future__ import annotations

from simulator.clock import Clock
from simulator.counting import pieces
from simulator.exchange import Exchange, Reply
from simulator.windows import NS_PER_S

_GIANT_PIECE_BYTES = 65_536
_MADE_UP_PIECES = 50


def stream_parts(reply: Reply) -> list[str]:
    """The text of a reply cut into pieces for a stream."""
    if reply.times == 1:
        return pieces(reply.text)
    per_piece = max(1, _GIANT_PIECE_BYTES // len(reply.text))
    whole, rest = divmod(reply.times, per_piece)
    parts = [reply.text * per_piece] * whole
    return [*parts, reply.text * rest] if rest else parts


def first_wait_s(exchange: Exchange, *, usual_s: float, now_ns: int) -> float:
    """The time to the first text: the usual one, or where a drifting latency stands now."""
    drift = exchange.faults.get("latency_drift")
    if drift is None:
        return usual_s
    from_s, to_s = float(drift.option("from_s")), float(drift.option("to_s"))
    over_ns = float(drift.option("over_s")) * NS_PER_S
    share = min(1.0, (now_ns - drift.from_ns) / over_ns) if over_ns else 1.0
    return from_s + (to_s - from_s) * share


class Pace:
    """Keeps a stream to its planned length: what the machine is late by is made up for.

    Where pieces are due at once (`gap_s` 0) or the clock stands still, nothing is ever late.
    """

    def __init__(self, clock: Clock, *, gap_s: float) -> None:
        self._clock = clock
        self._gap_ns = round(gap_s * NS_PER_S)
        self._due_ns = clock.monotonic_ns()

    def next_wait_s(self) -> float | None:
        """How long to wait after this piece; None = the next one is due already, send both."""
        now_ns, gap_ns = self._clock.monotonic_ns(), self._gap_ns
        if not gap_ns:
            return 0.0
        earliest_ns = now_ns - gap_ns * _MADE_UP_PIECES
        self._due_ns = min(max(self._due_ns, earliest_ns), now_ns) + gap_ns
        return (self._due_ns - now_ns) / NS_PER_S if self._due_ns > now_ns else None
