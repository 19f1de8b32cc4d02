"""Which rule set decides at a moment: the published sets with their windows, told by the clock alone. Pure.

Of the sets whose window holds the moment, the one that took effect last decides: a set takes effect when it is
published or when its window begins, whichever is later. So a scheduled set begins by itself and gives way
to the one before when it ends, and what is published during it takes over at once. No job is
needed, and every process with the same clock comes to the same set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

T = TypeVar("T")
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Edition(Generic[T]):
    """A published set with its window; None leaves an end open."""

    version: int
    published_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    content: T

    @property
    def takes_effect(self) -> tuple[datetime, int]:
        """When it takes over from others; of two at the same moment the newer version."""
        return max(self.published_at or _BEGINNING, self.starts_at or _BEGINNING), self.version

    def holds(self, at: datetime) -> bool:
        """Whether its window holds the moment; the end is outside."""
        return (self.starts_at or _BEGINNING) <= at < (self.ends_at or _END)


def in_force(editions: Iterable[Edition[T]], *, at: datetime) -> Edition[T] | None:
    """The set that decides at `at`; None when none does."""
    standing = (edition for edition in editions if edition.holds(at))
    return max(standing, key=lambda edition: edition.takes_effect, default=None)


def still_needed(editions: Sequence[Edition[T]], *, now: datetime) -> tuple[Edition[T], ...]:
    """Those that decide now or at some moment to come."""
    turns = [edge for edition in editions for edge in (edition.starts_at, edition.ends_at) if edge]
    moments = [now, *(turn for turn in turns if turn > now)]
    deciding = {
        found.version for moment in moments if (found := in_force(editions, at=moment)) is not None
    }
    return tuple(edition for edition in editions if edition.version in deciding)


class RuleBook(Generic[T]):
    """What decides at each moment, until rows change. `built_in` stands where no set does."""

    def __init__(
        self, editions: Sequence[Edition[T]], *, built_in: T, killed: bool = False
    ) -> None:
        """`killed`: the switch is on, so the built-in one decides whatever is published."""
        self._editions = () if killed else tuple(editions)
        self._built_in = built_in

    def at(self, moment: datetime) -> T:
        """What decides at an aware moment."""
        found = in_force(self._editions, at=moment)
        return self._built_in if found is None else found.content
