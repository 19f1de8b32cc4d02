"""Every fault the simulator knows, as data: its kind, what it does, its options with their defaults.

Kinds: REFUSE ends the request before an answer, ANSWER changes what is said, WIRE how it is sent,
LIMIT the limits in force, CONNECTION strikes before a request is read. Faults that share an entry
of `excludes` never meet in one request; all others may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REFUSE, ANSWER, WIRE = "refuse", "answer", "wire"
LIMIT, CONNECTION = "limit", "connection"
KINDS_OF_FAULTS = (REFUSE, ANSWER, WIRE, LIMIT, CONNECTION)

WAIT_FORMS = (
    "usual",
    "none",
    "seconds",
    "float",
    "ms",
    "date",
    "duration",
    "rate_limit",
    "anthropic_rate_limit",
    "retry_info",
    "prefixed",
)
BODIES = ("json", "html", "text", "empty", "giant", "list", "string")
RATE_KINDS = ("requests", "tokens", "concurrency", "ramp", "quota", "day")
BAD_REQUEST_KINDS = ("invalid", "context_length", "content_policy", "key_invalid")
GIANT_BYTES = 10_000_000
BOMB_BYTES = 100_000_000

# Options that every error answer takes.
REFUSAL_OPTIONS: Mapping[str, Any] = {
    "retry_after": None,
    "wait_form": "usual",
    "wait_s": None,
    "headers": {},
    "body": "json",
}


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault; `options` holds the default of each option it takes, None = not set.

    `excludes` empty = it excludes only itself. `probability` is that of an order without one.
    """

    name: str
    kind: str
    does: str
    options: Mapping[str, Any] = field(default_factory=dict)
    excludes: frozenset[str] = frozenset()
    probability: float = 1.0

    @property
    def marks(self) -> frozenset[str]:
        """What it takes up in a request."""
        return self.excludes or frozenset({self.name})


def _refusal(name: str, does: str, probability: float = 1.0, **options: Any) -> FaultSpec:
    told = dict(REFUSAL_OPTIONS) | options
    return FaultSpec(name, REFUSE, does, told, frozenset({REFUSE}), probability)


def _said(name: str, does: str, *, cut: bool = True, **options: Any) -> FaultSpec:
    marks = {"said", "length"} if cut else {"said"}
    return FaultSpec(name, ANSWER, does, options, frozenset(marks))


def _ending(name: str, does: str, **options: Any) -> FaultSpec:
    return FaultSpec(name, WIRE, does, options, frozenset({"ending"}))


_REFUSALS = (
    _refusal("429", "a rate or quota refusal", kind="requests"),
    _refusal("400", "a request that is refused as wrong", kind="invalid"),
    _refusal("401", "a wrong key"),
    _refusal("402", "no credit left"),
    _refusal("403", "access denied"),
    _refusal("404", "the model is gone"),
    _refusal("408", "the request timed out"),
    _refusal("409", "a conflict"),
    _refusal("413", "the request is too large"),
    _refusal("422", "parameters that cannot be processed"),
    _refusal("500", "a server error"),
    _refusal("500_html", "a server error as a proxy's page", body="html"),
    _refusal("502_html", "a bad gateway as a proxy's page", body="html"),
    _refusal("503", "the model is unavailable"),
    _refusal("504", "the vendor's own timeout"),
    _refusal("529", "the vendor is overloaded"),
    _refusal("302", "a redirect", location="/redirected", body="html"),
    _refusal("brown_out", "a share of errors, of a random status", 0.3, statuses=[500, 503, 529]),
    FaultSpec(
        "hang",
        REFUSE,
        "nothing is sent until the client leaves, or for `max_s` before the answer",
        {"max_s": None},
        frozenset({REFUSE}),
    ),
    FaultSpec(
        "reset",
        REFUSE,
        "the connection is reset (RST) after the request was read, before any byte of an answer",
        {},
        frozenset({REFUSE}),
    ),
)
_ANSWERS = (
    _said("invents", "one figure that no article has is added", cut=False),
    _said("does_not_know", "the model says that it does not know", cut=False),
    _said("refusal", "the model declines"),
    _said("empty", "a complete answer without text"),
    _said("giant", "an answer of `bytes`, whatever was allowed", bytes=GIANT_BYTES),
    FaultSpec("length", ANSWER, "the answer is cut at half and says so"),
)
_WIRES = (
    FaultSpec("no_usage", WIRE, "no token figures", excludes=frozenset({"usage"})),
    FaultSpec(
        "lying_usage",
        WIRE,
        "token figures are `factor` times the true ones; the bill stays true",
        {"factor": 10.0},
        frozenset({"usage"}),
    ),
    _ending("truncate", "the body ends cleanly half-way", after_pieces=None),
    _ending("cut", "the connection is closed half-way, without the last chunk", after_pieces=None),
    _ending("rst", "the connection is reset (RST) half-way", after_pieces=None),
    _ending("error_mid_stream", "an error comes inside the stream half-way", after_pieces=None),
    _ending(
        "stall",
        "the stream stops half-way, with signs of life every `every_s` if it is set",
        after_pieces=None,
        every_s=None,
    ),
    _ending("keep_alive", "only signs of life, for ever, and no text", every_s=1.0),
    _ending("hang_after_headers", "status and headers, then nothing"),
    FaultSpec("json_to_stream", WIRE, "one JSON object answers a stream request"),
    FaultSpec("bad_json", WIRE, "JSON that cannot be parsed, under a status of 200"),
    FaultSpec(
        "wrong_content_type",
        WIRE,
        "the right body under another content type",
        {"content_type": "text/html; charset=utf-8"},
    ),
    FaultSpec("duplicate_chunks", WIRE, "every `every`-th piece of text comes twice", {"every": 1}),
    FaultSpec(
        "gzip_bomb",
        WIRE,
        "a gzip body that unpacks to `bytes` of blanks around the answer",
        {"bytes": BOMB_BYTES},
        frozenset({"ending", "loris"}),
    ),
    FaultSpec(
        "slow_loris",
        WIRE,
        "`bytes` of the body every `every_s`",
        {"bytes": 1, "every_s": 1.0},
        frozenset({"loris"}),
    ),
    FaultSpec("slow", WIRE, "every wait is `factor` times as long", {"factor": 10.0}),
    FaultSpec(
        "latency_drift",
        WIRE,
        "the time to the first text goes from `from_s` to `to_s` within `over_s`, and stays",
        {"from_s": 0.2, "to_s": 20.0, "over_s": 60.0},
    ),
)
_OTHERS = (
    FaultSpec("limits_halve", LIMIT, "the limits are `factor` of what they were", {"factor": 0.5}),
    FaultSpec("connection_refused", CONNECTION, "the listener is closed"),
    FaultSpec("reset_at_accept", CONNECTION, "a new connection is reset (RST) at once"),
)

SPECS: dict[str, FaultSpec] = {
    spec.name: spec for spec in (*_REFUSALS, *_ANSWERS, *_WIRES, *_OTHERS)
}

# Fields of an order that make no sense for a kind: chance and target need a request to look at.
BARRED_FIELDS: dict[str, frozenset[str]] = {
    "limits_halve": frozenset({"probability", "count"}),
    "connection_refused": frozenset({"probability", "count", "vendor", "model"}),
    "reset_at_accept": frozenset({"vendor", "model"}),
}
