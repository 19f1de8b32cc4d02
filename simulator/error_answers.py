"""Writes the answer to a request that gets none: the vendor's own form, or what a fault orders."""

from __future__ import annotations

import json
from dataclasses import replace

from simulator.exchange import Dialect, Failure, Headers, Rendered
from simulator.fault_catalog import GIANT_BYTES
from simulator.protocols.common import dump
from simulator.waits import wait_form_headers
from simulator.windows import REQUESTS

_HTML = b"<html><head><title>Error</title></head><body><h1>upstream error</h1></body></html>"
_TEXT = b"upstream error"
_TYPES = {"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8"}


def _body(rendered: Rendered, *, form: str, message: str) -> bytes:
    """The body in a form other than the vendor's; blanks before a giant one's JSON."""
    match form:
        case "html":
            return _HTML
        case "text":
            return _TEXT
        case "empty":
            return b""
        case "giant":
            return b" " * GIANT_BYTES + rendered.body
        case "list":
            return dump([json.loads(rendered.body)])
        case "string":
            return dump({"error": message})
    return rendered.body


def _without_type(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name != "content-type"]


def render(failure: Failure, *, dialect: Dialect) -> Rendered:
    """The error answer; where a fault chose a form for the wait, nothing else tells one."""
    problem = failure.problem
    if problem.telling.wait_form != "usual":
        failure = replace(failure, levels={})
    rendered = dialect.failure(failure)
    headers = rendered.headers
    form = "html" if problem.kind == "html" else problem.telling.body
    if form in _TYPES:
        headers = [("content-type", _TYPES[form]), *_without_type(headers)]
    elif form == "empty":
        headers = _without_type(headers)
    dimension = problem.refusal.dimension if problem.refusal else REQUESTS
    headers += wait_form_headers(
        problem.telling.wait_form,
        wait_s=problem.telling.wait_s,
        now=failure.now,
        dimension=dimension,
    )
    headers += problem.telling.extra_headers.items()
    body = _body(rendered, form=form, message=problem.message)
    return Rendered(rendered.status, headers, body)
