"""The shapes between the client and the wire protocols. Nothing here does any I/O.

A vendor turns a prompt into one HTTP request and the bytes of the answer into text deltas and one
reply. Keys travel in headers only, and headers never show in a repr.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from routing.errors import VendorError
from routing.specs import ModelSpec, Prompt, Reply

JSON_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to send."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the visible answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The answer ended with a finish reason."""

    reply: Reply


class Decoder(Protocol):
    """Reads one answer; bytes may be cut anywhere.

    `failure` is an error inside the answer behind the text that `feed` returned last.
    """

    @property
    def failure(self) -> VendorError | None:
        """The error, if there was one."""
        ...

    @property
    def has_finished(self) -> bool:
        """Whether the finish reason or an error was seen; only usage may still follow."""
        ...

    def feed(self, data: bytes) -> list[TextDelta]:
        """Visible text that `data` completes. Raises VendorError for an error inside the answer,
        at the next call if there was text before it."""
        ...

    def finish(self) -> Reply:
        """The reply once all bytes came. Raises TruncatedStream when no finish reason was seen."""
        ...


class Vendor(Protocol):
    """One wire protocol."""

    def build(
        self,
        model: ModelSpec,
        prompt: Prompt,
        *,
        api_key: str,
        base_url: str,
        max_output_tokens: int,
        stream: bool,
        end_user: str,
    ) -> HttpRequest:
        """The request for one answer."""
        ...

    def decoder(self) -> Decoder:
        """A decoder for one streamed answer; it takes plain JSON as well."""
        ...

    def parse(self, body: bytes) -> Reply:
        """The reply in a whole JSON body. Raises VendorError."""
        ...


def join_url(base_url: str, path: str) -> str:
    """`base_url` with `path` after it; unlike urljoin this keeps the base's own path."""
    return f"{base_url.rstrip('/')}/{path}"


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `extra` laid over it, object by object; what `base` states itself stays."""
    result = dict(base)
    for name, value in extra.items():
        if name not in result:
            result[name] = value
        elif isinstance(result[name], Mapping) and isinstance(value, Mapping):
            result[name] = merged(result[name], value)
    return result


def end_user_tag(end_user: str) -> str:
    """A stable name for an end user that tells the vendor nothing about who it is."""
    return hashlib.sha256(end_user.encode()).hexdigest()[:32]
