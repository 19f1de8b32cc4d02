"""How the limits of a lane stand at one moment, for people to look at. Pure values."""

from __future__ import annotations

from dataclasses import dataclass

DAY_REQUESTS = "requests_per_day"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit: what counts against it now. `name` is a dimension per minute, or DAY_REQUESTS."""

    name: str
    limit: int
    used: int

    @property
    def left(self) -> int:
        """What may still be taken; never below nothing."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Sight:
    """All limits together, of the whole fleet where it shares them.

    `fleet_state` says what other processes found: "" (nothing), "open" or "parked", for so long (None =
    until something changes). `degraded`: the shared state is away and this is the process's own part.
    """

    buckets: tuple[Bucket, ...]
    in_flight: int
    factor: float
    paused_s: float = 0.0
    waiting_processes: int = 0
    degraded: bool = False
    fleet_state: str = ""
    fleet_for_s: float | None = 0.0
    fleet_reason: str = ""
