"""Stacked columns over time as values that a template draws: every place in SVG units. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chatbot.reports.spans import Span

COLUMN_WIDTH = 12
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of figure: its name and the class that colours it."""

    key: str
    words: str
    tone: str


@dataclass(frozen=True, slots=True)
class Block:
    """One rectangle of a column."""

    tone: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One moment: its blocks from the bottom up, what it says, and the rows behind it."""

    x: int
    blocks: tuple[Block, ...]
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns, the layers that occur in them, names under the axis, and what the highest column is."""

    label: str
    columns: tuple[Column, ...]
    layers: tuple[Layer, ...]
    ticks: tuple[str, ...]
    highest: str
    width: int
    height: int = HEIGHT


def stacked(
    label: str,
    moments: Sequence[dict[str, int]],
    *,
    layers: Sequence[Layer],
    labels: Sequence[str],
    urls: Sequence[str],
    ticks: Sequence[str],
    highest: str,
) -> Chart:
    """Columns of `moments` (figures by layer key), as high as their share of the highest one."""
    most = max((sum(moment.values()) for moment in moments), default=0) or 1
    columns = []
    for place, moment in enumerate(moments):
        blocks, top = [], float(HEIGHT)
        for layer in layers:
            height = HEIGHT * moment.get(layer.key, 0) / most
            if height:
                top -= height
                blocks.append(Block(layer.tone, round(top, 2), round(height, 2)))
        columns.append(Column(place * COLUMN_WIDTH, tuple(blocks), labels[place], urls[place]))
    seen = {key for moment in moments for key, value in moment.items() if value}
    return Chart(
        label,
        tuple(columns),
        tuple(layer for layer in layers if layer.key in seen),
        tuple(ticks),
        highest,
        width=max(1, len(moments)) * COLUMN_WIDTH,
    )


def moment_name(start: datetime, span: Span) -> str:
    """An hour of one day, or a day."""
    local = start.astimezone(span.zone)
    return f"{local:%H:%M}" if span.days == 1 else f"{local:%Y-%m-%d}"


def tick_names(span: Span) -> list[str]:
    """Names of the first, the middle and the last moment."""
    moments = span.moments()
    return [moment_name(moments[place], span) for place in (0, len(moments) // 2, -1)]
