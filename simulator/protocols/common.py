"""Readings and writings that the wire protocols share."""

from __future__ import annotations

import json
import math
from typing import Any

from simulator.exchange import Headers, Problem

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

# What json itself uses for strings; taken alone it is several times faster than a whole encoder.
_quote = json.encoder.encode_basestring

JSON_TYPE = ("content-type", "application/json")


def dump(value: object) -> bytes:
    """Compact UTF-8 JSON."""
    return _ENCODER.encode(value).encode()


def quoted(text: str) -> bytes:
    """A text as a JSON string in UTF-8, the same bytes as `dump` gives."""
    return _quote(text).encode()


def invalid(message: str) -> Problem:
    """A 400 for a request that is wrong in itself."""
    return Problem("invalid", message, status=400)


def load_object(body: bytes) -> dict[str, Any]:
    """The request's JSON object; raises Problem of kind invalid."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise invalid("We could not parse the JSON body of your request.") from error
    if not isinstance(value, dict):
        raise invalid("The JSON body of your request must be an object.")
    return value


def whole_number(body: dict[str, Any], name: str) -> int | None:
    """An optional positive integer field; raises Problem of kind invalid."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise invalid(f"{name} must be an integer of at least 1.")
    return value


def in_range(body: dict[str, Any], name: str, *, highest: float) -> bool:
    """Whether an optional number is given; raises Problem unless it is in 0..highest."""
    value = body.get(name)
    if value is None:
        return False
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise invalid(f"{name} must be between 0 and {highest}.")
    return True


def text_of(content: object, *, field: str) -> str:
    """Text of a string or a list of text parts; raises Problem of kind invalid."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        return "\n".join(part["text"] for part in content)
    raise invalid(f"{field} must be a string or a list of text parts.")


def bearer(authorization: str) -> str:
    """The key of an `Authorization: Bearer` value, "" if there is none."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def wait_headers(problem: Problem, *, with_ms: bool = False) -> Headers:
    """`retry-after` of a refusal in whole seconds, rounded up; verbatim where a fault says so."""
    if problem.telling.retry_after is not None:
        return [("retry-after", problem.telling.retry_after)]
    if problem.refusal is None or problem.telling.silent_wait or problem.kind == "quota":
        return []
    wait_s = problem.refusal.wait_s
    headers = [("retry-after", str(max(1, math.ceil(wait_s))))]
    if with_ms:
        headers.append(("retry-after-ms", str(math.ceil(wait_s * 1000))))
    return headers
