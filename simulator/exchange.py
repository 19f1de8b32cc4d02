"""The shapes that pass between the wire protocols and the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from simulator.bill import Row
from simulator.catalog import ModelSpec, Vendor
from simulator.counting import count_tokens
from simulator.faults import Fault
from simulator.windows import Level, Refusal

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, `path_model` is the model named in the URL."""

    vendor: Vendor
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    path_model: str | None = None
    path_action: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, free of its protocol; `max_tokens` None = not said.

    `thinks` = thinking was not switched off; `in_list` = a stream asked for as one JSON array.
    """

    model: str
    system: str
    question: str
    prompt_text: tuple[str, ...]
    max_tokens: int | None
    stream: bool
    sampling: bool = False
    include_usage: bool = True
    thinks: bool = False
    in_list: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Own-counted tokens; input includes `cached_tokens`, output includes `thought_tokens`."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0

    def times(self, factor: float) -> Usage:
        """Every figure times a factor."""
        return Usage(
            int(self.input_tokens * factor),
            int(self.cached_tokens * factor),
            int(self.output_tokens * factor),
            int(self.thought_tokens * factor),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer as planned; finish is stop, length or refusal. The text comes
    `times` times in a row where the answer is too long to be looked at as a whole."""

    text: str
    finish: str = "stop"
    times: int = 1

    @property
    def tokens(self) -> int:
        """Own-counted tokens of the text."""
        return count_tokens(self.text) * self.times

    @property
    def full_text(self) -> str:
        """The whole text."""
        return self.text * self.times


@dataclass(frozen=True, slots=True)
class Telling:
    """How an ordered error answer tells its wait and what its body is.

    `retry_after` is a header sent verbatim instead of the computed one; `silent_wait` leaves the
    vendor's own form out, `wait_form` tells `wait_s` in that form instead, `extra_headers` are sent
    besides. `body` is one of `fault_catalog.BODIES`, `fault` names the fault that ordered it.
    """

    retry_after: str | None = None
    silent_wait: bool = False
    wait_form: str = "usual"
    wait_s: float = 0.0
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "json"
    fault: str | None = None


AS_THE_VENDOR = Telling()


class Problem(Exception):
    """A request that gets an error answer.

    Kinds: bad_key, no_route, invalid, context, content, unknown_model, rate, quota, balance,
    forbidden, conflict, too_large, unprocessable, overloaded, unavailable, timeout, server, html,
    redirect.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int,
        refusal: Refusal | None = None,
        telling: Telling = AS_THE_VENDOR,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.refusal = refusal
        self.telling = telling


@dataclass(slots=True)
class Exchange:
    """One admitted request and its planned answer; `sent_tokens` of text went out so far.

    `frames` is a dialect's own memory: what stands before and after the text in each stream block.
    """

    ask: Ask
    vendor: Vendor
    model: ModelSpec
    row: Row
    reply: Reply
    usage: Usage
    now: datetime
    levels: Mapping[str, Level] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    sent_tokens: int = 0
    frames: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)

    @property
    def tells_usage(self) -> bool:
        """Whether usage figures are sent."""
        return "no_usage" not in self.faults

    @property
    def lie(self) -> float:
        """What the usage figures told are multiplied with."""
        fault = self.faults.get("lying_usage")
        return float(fault.option("factor")) if fault else 1.0

    @property
    def told_usage(self) -> Usage:
        """The usage as the answer states it, which a fault can make untrue."""
        return self.usage if self.lie == 1 else self.usage.times(self.lie)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A complete HTTP answer."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """What an error answer is made of; `levels` is empty where no limit was looked at."""

    problem: Problem
    vendor: Vendor
    model: str
    request_id: str
    now: datetime
    levels: Mapping[str, Level] = field(default_factory=dict)


class Dialect(Protocol):
    """One wire protocol: reads requests, writes answers, knows nothing of limits or the bill."""

    def key(self, request: Request) -> str:
        """The API key sent, "" if none."""

    def parse(self, request: Request) -> Ask:
        """Read the request; raises Problem of kind invalid."""

    def failure(self, failure: Failure) -> Rendered:
        """The vendor's error answer."""

    def headers(self, exchange: Exchange) -> Headers:
        """Headers of a successful answer, content type aside."""

    def whole(self, exchange: Exchange) -> bytes:
        """The body of a non-streaming answer."""

    def opening(self, exchange: Exchange) -> list[bytes]:
        """Stream blocks before the first text."""

    def piece(self, exchange: Exchange, text: str) -> bytes:
        """A stream block with text."""

    def closing(self, exchange: Exchange) -> list[bytes]:
        """Stream blocks after the last text: finish reason and usage."""

    def idle(self) -> bytes:
        """A stream block without text that only keeps the connection alive."""

    def broken(self, exchange: Exchange) -> bytes:
        """The error block of a stream that fails half-way."""

    def models(self, specs: list[ModelSpec]) -> dict[str, Any]:
        """The list of models."""
