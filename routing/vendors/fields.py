"""Reading untrusted JSON: every function answers for any input and none of them guesses."""

from __future__ import annotations

import json
from typing import Any

MAX_TOKENS = 2_000_000_000


def load(data: bytes) -> Any:
    """The JSON value in `data`. Raises ValueError for anything else, too deep nesting included."""
    try:
        return json.loads(data)
    except RecursionError as error:
        message = "nested too deeply"
        raise ValueError(message) from error


def dig(value: object, *path: str | int) -> Any:
    """The value at a path of keys and places, None where the path ends early."""
    for step in path:
        if type(value) is dict:  # exact types, as JSON gives them: this runs for every event
            value = value.get(step)
        elif type(value) is list and type(step) is int and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def raw_text(value: object, *path: str | int) -> str:
    """The string at a path, "" where there is none; it may hold halves of surrogate pairs."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def text(value: object, *path: str | int) -> str:
    """The string at a path, "" where there is none, fit to be stored."""
    return storable(raw_text(value, *path))


def storable(raw: str) -> str:
    """Without NUL, surrogate pairs joined and lone surrogates replaced: databases refuse these."""
    if raw.isascii() and "\x00" not in raw:
        return raw
    raw = raw.replace("\x00", "")
    try:
        raw.encode()
    except UnicodeEncodeError:
        return raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return raw


def items(value: object, *path: str | int) -> list[Any]:
    """The list at a path, empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def count(value: object, *path: str | int) -> int | None:
    """The token count at a path; None where there is none, or none that can be true."""
    found = dig(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return int(found) if 0 <= found <= MAX_TOKENS else None
