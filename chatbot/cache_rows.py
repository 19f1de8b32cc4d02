"""Stored answers as lines of a file, CSV or JSON Lines by the name's ending. Pure.

One line is one answer with all its wordings. In CSV, wordings and sources stand one below the other in their
cell, a source as `key locale version`; a cell that a spreadsheet would take for a formula is
written with an apostrophe before it, which is taken off again when it is read.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import Any

SourceKey = tuple[str, str, int]
CSV, JSONL = ".csv", ".jsonl"
_FORMULA = ("=", "+", "-", "@")
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why."""


class BadLine(Exception):
    """One line cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One answer with its wordings and the parts of its partition; empty texts mean the usual value."""

    site: str
    language: str
    wordings: tuple[str, ...]
    answer: str
    sources: tuple[SourceKey, ...] = ()
    pinned: bool = False
    audience: str = "everyone"
    prompt_version: str = ""
    mode: str = "live"
    origin: str = "staff"
    model: str = ""
    tier: str = ""
    expires_at: str = ""


COLUMNS = tuple(field.name for field in fields(StoredRow))
_NEEDED = ("site", "language", "wordings", "answer")


def kind_of(name: str) -> str:
    """`.csv` or `.jsonl`. Raises BadFile for anything else."""
    ending = PurePath(name).suffix.lower()
    if ending not in (CSV, JSONL):
        message = f"{name}: the name must end with {CSV} or {JSONL}"
        raise BadFile(message)
    return ending


def written(rows: Iterable[StoredRow], *, kind: str) -> Iterator[str]:
    """The file's text, piece by piece."""
    if kind == JSONL:
        for row in rows:
            yield json.dumps(asdict(row), ensure_ascii=False) + "\n"
        return
    yield _csv_line(COLUMNS)
    for row in rows:
        yield _csv_line(_cells(row))


def read(text: str, *, kind: str) -> Iterator[tuple[int, StoredRow | BadLine]]:
    """Line number and row, or what is wrong with that line. Raises BadFile without the columns."""
    lines = _jsonl(text) if kind == JSONL else _csv(text)
    for number, values in lines:
        try:
            yield number, _row(values)
        except BadLine as error:
            yield number, error


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _cells(row: StoredRow) -> list[str]:
    values: dict[str, Any] = {
        **{name: getattr(row, name) for name in COLUMNS},
        "wordings": "\n".join(row.wordings),
        "sources": "\n".join(" ".join(map(str, source)) for source in row.sources),
        "pinned": "true" if row.pinned else "false",
    }
    return [_shielded(str(values[name])) for name in COLUMNS]


def _shielded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _unshielded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(_FORMULA) else cell


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any] | BadLine]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        message = f"the first line lacks the columns {', '.join(missing)}"
        raise BadFile(message)
    number = 2
    for cells in reader:
        named = {name: _unshielded(cell or "") for name, cell in cells.items() if name in COLUMNS}
        split = {name: named.get(name, "").splitlines() for name in ("wordings", "sources")}
        yield number, {**named, **split}
        number = reader.line_num + 1


def _jsonl(text: str) -> Iterator[tuple[int, dict[str, Any] | BadLine]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError:
            yield number, BadLine("it is not JSON")
            continue
        yield number, values if isinstance(values, dict) else BadLine("it is not an object")


def _row(values: dict[str, Any] | BadLine) -> StoredRow:
    if isinstance(values, BadLine):
        raise values
    texts = {name: _text(values, name) for name in COLUMNS if name not in _NOT_TEXTS}
    wordings = tuple(line.strip() for line in _list(values, "wordings") if str(line).strip())
    empty = [name for name in ("site", "language", "answer") if not texts[name].strip()]
    if empty or not wordings:
        message = f"empty: {', '.join([*empty, *([] if wordings else ['wordings'])])}"
        raise BadLine(message)
    usual = {field.name: field.default for field in fields(StoredRow)}
    filled = {name: text or str(usual[name]) for name, text in texts.items() if name not in _NEEDED}
    return StoredRow(
        **{name: texts[name] for name in ("site", "language", "answer")},
        wordings=wordings,
        sources=tuple(_source(item) for item in _list(values, "sources")),
        pinned=_flag(values.get("pinned", "")),
        **filled,
    )


_NOT_TEXTS = ("wordings", "sources", "pinned")


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name) or ""
    if not isinstance(value, str):
        message = f"{name} must be text"
        raise BadLine(message)
    return value if name == "answer" else value.strip()


def _list(values: dict[str, Any], name: str) -> list[Any]:
    value = values.get(name) or []
    if not isinstance(value, list) or (
        name == "wordings" and not all(isinstance(item, str) for item in value)
    ):
        message = f"{name} must be a list"
        raise BadLine(message)
    return value


def _source(item: Any) -> SourceKey:
    """`key locale version` or a list of the three; without a version the current one is meant (0)."""
    parts = item.split() if isinstance(item, str) else item
    if not isinstance(parts, list) or len(parts) not in (2, 3):
        message = f"source {item!r} must be: key locale version"
        raise BadLine(message)
    version = str(parts[2]) if len(parts) == 3 else "0"
    if not version.isdecimal():
        message = f"source {item!r}: the version must be a number"
        raise BadLine(message)
    return str(parts[0]), str(parts[1]), int(version)


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        message = f"pinned must be true or false, not {value!r}"
        raise BadLine(message)
    return word in _TRUE
