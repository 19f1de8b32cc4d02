"""What is kept of a span of time: sums by kind, cells of histograms, and the foremost questions. Pure.

Keys are parts joined by SEPARATOR, the first one names the kind:

    q|cache|state|origin|tier|model|error   questions: [count, cost_nanousd]
    c|endpoint|model|tier|outcome|for|failure|status
                                            calls: [calls, input, cached input, output tokens,
                                            cost_nanousd, without a price]; `for` is question or site
    l|outcome                               look-ups: [count, saved_nanousd]
    b|kind|right or wrong                   labels: [count]

Cells are `first|series|cell` and `end|series|cell` (series: cache, model, other) and `wait|calls|cell`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import add
from typing import Any

SEPARATOR = "|"
# In the order in which they are shown; "" is a question without a decision (open or failed).
HITS = ("exact", "semantic", "confirmed", "joined", "stale")
OUTCOMES = (*HITS, "miss", "bypass", "")
QUESTIONS, CALLS, LOOKUPS, LABELS = "q", "c", "l", "b"
# So many of each kind are kept per quarter and per hour.
KEPT = 40


def key_of(*parts: object) -> str:
    """Parts as one key; the separator inside a part becomes a slash."""
    return SEPARATOR.join(str(part).replace(SEPARATOR, "/") for part in parts)


def wording_key(text: str) -> str:
    """Names a wording without holding it: letter case and blanks around it do not matter."""
    return blake2b(text.strip().casefold().encode(), digest_size=8).hexdigest()


@dataclass(slots=True)
class Facts:
    """Sums and histogram cells of a span; merging two spans adds them.

    `busiest_hour` is the most questions that one closed UTC hour of the span had.
    """

    sums: dict[str, list[int]] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    busiest_hour: int = 0

    def add(self, key: str, values: Iterable[int]) -> None:
        """Add figures under a key, place by place."""
        found = self.sums.get(key)
        self.sums[key] = list(values) if found is None else list(map(add, found, values))

    def merge(self, other: Facts) -> None:
        """Take in the figures of another span."""
        for key, values in other.sums.items():
            self.add(key, values)
        self.busiest_hour = max(self.busiest_hour, other.busiest_hour)
        cells = self.cells
        for key, count in other.cells.items():
            cells[key] = cells.get(key, 0) + count

    def of(self, kind: str) -> Iterator[tuple[list[str], list[int]]]:
        """The parts after the kind, and the figures, of every key of a kind."""
        start = kind + SEPARATOR
        for key, values in self.sums.items():
            if key.startswith(start):
                yield key.split(SEPARATOR)[1:], values

    def histogram(self, measure: str, *series: str) -> dict[int, int]:
        """Cells of one measure over some series (none named: all)."""
        found: dict[int, int] = {}
        for key, count in self.cells.items():
            name, kind, cell = key.split(SEPARATOR)
            if name == measure and (not series or kind in series):
                found[int(cell)] = found.get(int(cell), 0) + count
        return found

    def pack(self) -> dict[str, Any]:
        """As it is stored."""
        return {"sums": self.sums, "cells": self.cells, "busiest_hour": self.busiest_hour}

    @classmethod
    def unpack(cls, stored: dict[str, Any]) -> Facts:
        """As it was stored; shares the stored lists, which must not be used elsewhere."""
        return cls(stored.get("sums", {}), stored.get("cells", {}), stored.get("busiest_hour", 0))


@dataclass(slots=True)
class Tops:
    """The foremost wordings and questions of a span.

    `asked`: wording -> [times, newest question]; `gaps`: wording -> [times, of them without an article,
    cost_nanousd, newest question]; `dearest`: question -> [calls, cost_nanousd]. Each part of a span
    kept its KEPT foremost, so a sum over parts is a lower bound once a part had more.
    """

    asked: dict[str, list[int]] = field(default_factory=dict)
    gaps: dict[str, list[int]] = field(default_factory=dict)
    dearest: dict[str, list[int]] = field(default_factory=dict)

    def merge(self, other: Tops) -> None:
        """Take in another span; the newest question of both stays."""
        _add(self.asked, other.asked, newest_last=True)
        _add(self.gaps, other.gaps, newest_last=True)
        _add(self.dearest, other.dearest, newest_last=False)

    def cut(self) -> Tops:
        """Only the KEPT foremost of each kind."""
        return Tops(
            asked=_most(self.asked, by=(0,)),
            gaps=_most(self.gaps, by=(2, 0)),
            dearest=_most(self.dearest, by=(1,)),
        )

    def pack(self) -> dict[str, Any]:
        """As it is stored."""
        return {"asked": self.asked, "gaps": self.gaps, "dearest": self.dearest}

    @classmethod
    def unpack(cls, stored: dict[str, Any]) -> Tops:
        """As it was stored; shares the stored lists."""
        return cls(stored.get("asked", {}), stored.get("gaps", {}), stored.get("dearest", {}))


def _add(into: dict[str, list[int]], more: dict[str, list[int]], *, newest_last: bool) -> None:
    for key, values in more.items():
        found = into.get(key)
        if found is None:
            into[key] = list(values)
            continue
        newest = max(found[-1], values[-1])
        for place, value in enumerate(values):
            found[place] += value
        if newest_last:
            found[-1] = newest


def _most(found: dict[str, list[int]], *, by: tuple[int, ...]) -> dict[str, list[int]]:
    order = sorted(found.items(), key=lambda item: ([-item[1][place] for place in by], item[0]))
    return dict(order[:KEPT])
