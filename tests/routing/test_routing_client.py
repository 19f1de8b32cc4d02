"""Claims about one call over HTTP: deadlines, bounds, broken connections, and the key's secrecy."""

from __future__ import annotations

import asyncio
import gzip
import json

import httpx
import pytest

from base.clock import ManualClock
from routing.client import Client, Timeouts
from routing.errors import Kind, TruncatedStream
from routing.specs import FinishReason, VendorKind
from routing.vendors.base import Completed, TextDelta
from tests.routing.calling import Endless, Pieces, answering, ask, failure_of
from tests.routing.helpers import (
    KEY,
    NOW,
    PROMPT,
    STREAMS,
    TEXT,
    chat_chunk,
    chat_stream,
    model,
    sse,
)

KINDS = list(VendorKind)


RESET = httpx.ReadError("reset")


FIRST_CONTENT_SOON = Timeouts(first_content_s=0.05)


NEXT_CONTENT_SOON = Timeouts(idle_s=0.05, ending_s=0.05)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_is_streamed_to_its_end(kind: VendorKind) -> None:
    """Text comes piece by piece and the reply holds all of it, with the header's request id."""
    shown, reply = await ask(answering(200, STREAMS[kind](), {"x-request-id": "req-9"}), kind=kind)
    assert (shown, reply.text, reply.request_id) == (TEXT, TEXT, "req-9")


async def test_json_instead_of_a_stream_is_an_answer() -> None:
    """A JSON body to a stream request is shown at once and completes the answer."""
    choice = {"message": {"content": TEXT}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice]}).encode()
    assert (await ask(answering(200, body, {"content-type": "application/json"})))[0] == TEXT


async def test_the_attempt_is_named_and_plain_bytes_are_asked_for() -> None:
    """Each request carries our own id for it and asks for no packing."""
    seen: list[httpx.Request] = []

    async def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await answering(200, chat_stream())(request)

    await ask(handler)
    assert seen[0].headers["x-client-request-id"] == "attempt-1"
    assert seen[0].headers["accept-encoding"] == "identity"


BODIES = {
    "JSON": json.dumps({"error": {"message": "no", "type": "t", "code": "c"}}).encode(),
    "a web page": b"<html>" + b"x" * 1000,
    "nothing": b"",
    "ten megabytes": b"{" + b" " * (10 << 20),
}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Kind.REDIRECT),
        (400, Kind.INVALID),
        (401, Kind.AUTH),
        (402, Kind.PAYMENT),
        (404, Kind.MODEL_GONE),
        (408, Kind.TIMEOUT),
        (413, Kind.CONTEXT_LENGTH),
        (429, Kind.RATE),
        (500, Kind.SERVER),
        (503, Kind.SERVER),
        (529, Kind.OVERLOADED),
    ],
)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_refusal_is_classified_whatever_its_body(
    status: int, kind: Kind, body: bytes
) -> None:
    """Every status keeps its verdict with any body, of which little more than 64 KiB is read."""
    stream = Pieces(body, size=16_384)
    error = await failure_of(answering(status, stream, {"location": "https://elsewhere.example/"}))
    assert (error.verdict.kind, error.status) == (kind, status)
    assert stream.read_bytes <= (64 << 10) + 16_384


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"llm_provider-retry-after": "3"}, 3.0),
        ({"retry-after": "never"}, None),
    ],
)
async def test_a_refusal_says_how_long_to_wait(
    headers: dict[str, str], wait_s: float | None
) -> None:
    """The verdict carries the wait of the headers."""
    handler = answering(429, b"", headers)
    assert (await failure_of(handler)).verdict.retry_after_s == wait_s


async def test_a_redirect_is_not_followed() -> None:
    """One request is made, to the address that was checked."""
    hosts: list[str] = []

    async def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return await answering(302, b"", {"location": "https://elsewhere.example/"})(request)

    await failure_of(handler)
    assert hosts == ["api.openai.com"]


async def test_an_error_that_cannot_be_read_keeps_its_status() -> None:
    """A connection that breaks inside an error body leaves the verdict of the status."""
    body = Pieces(b'{"error"', then=httpx.ReadError("reset"))
    assert (await failure_of(answering(503, body))).verdict.kind is Kind.SERVER


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), Kind.CONNECT),
        (httpx.ConnectTimeout("late"), Kind.CONNECT),
        (httpx.PoolTimeout("full"), Kind.CONNECT),
        (httpx.ReadError("reset"), Kind.RESET),
        (httpx.RemoteProtocolError("gone"), Kind.RESET),
        (httpx.WriteError("pipe"), Kind.RESET),
    ],
)
async def test_a_connection_that_fails_before_the_answer_is_told_apart(
    error: httpx.TransportError, kind: Kind
) -> None:
    """Only what never reached the vendor is surely free of charge."""

    async def handler(request: httpx.Request) -> httpx.Response:
        raise error

    verdict = (await failure_of(handler)).verdict
    assert (verdict.kind, verdict.maybe_billed) == (kind, kind is not Kind.CONNECT)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_clean_end_without_a_finish_reason_is_truncated(kind: VendorKind) -> None:
    """A stream that ends too early is no answer and is not silently asked again."""
    data = STREAMS[kind]("shown so far")
    data = data[: data.index(b"far") + 20]
    error = await failure_of(answering(200, data, {"request-id": "r-1"}), kind=kind)
    assert isinstance(error, TruncatedStream)
    assert (error.verdict.retry_same, error.verdict.fall_back) == (False, True)
    assert error.request_id == "r-1"


@pytest.mark.parametrize(
    ("first", "kind", "retries"),
    [(sse(chat_chunk("shown")), Kind.TRUNCATED, False), (b": nothing yet\n\n", Kind.RESET, True)],
    ids=["after text", "before text"],
)
async def test_a_reset_counts_by_what_was_shown(first: bytes, kind: Kind, retries: bool) -> None:
    """After text was shown a reset is a truncation; before, the call may be repeated."""
    error = await failure_of(answering(200, Pieces(first, then=httpx.ReadError("reset"))))
    assert (error.verdict.kind, error.verdict.retry_same) == (kind, retries)


@pytest.mark.parametrize(
    ("body", "timeouts", "kind"),
    [
        (Endless(b"", again=b""), FIRST_CONTENT_SOON, Kind.TIMEOUT),
        (Endless(b": on\n\n", again=b": on\n\n"), FIRST_CONTENT_SOON, Kind.TIMEOUT),
        (Endless(sse(chat_chunk("shown")), again=b""), NEXT_CONTENT_SOON, Kind.TRUNCATED),
        (Endless(sse(chat_chunk("shown")), again=b": on\n\n"), NEXT_CONTENT_SOON, Kind.TRUNCATED),
    ],
    ids=["silence", "comments only", "silence after text", "comments after text"],
)
async def test_comments_do_not_count_as_content(
    body: Endless, timeouts: Timeouts, kind: Kind
) -> None:
    """Signs of life do not keep a call alive: only text does."""
    error = await failure_of(answering(200, body), timeouts=timeouts)
    assert error.verdict.kind is kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["silence", "reset"])
async def test_an_answer_that_finished_does_not_wait_for_the_connection(
    kind: VendorKind, ending: str
) -> None:
    """After the finish reason neither silence nor a reset takes the answer back."""
    data = STREAMS[kind]()
    body = Endless(data, again=b"") if ending == "silence" else Pieces(data, then=RESET)
    shown, reply = await ask(answering(200, body), kind=kind, timeouts=NEXT_CONTENT_SOON)
    assert (shown, reply.finish_reason) == (TEXT, FinishReason.STOP)


async def test_silence_before_the_headers_ends_in_time() -> None:
    """A vendor that never answers is given up at the time for the first content."""

    async def handler(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    error = await failure_of(handler, timeouts=FIRST_CONTENT_SOON)
    assert error.verdict.kind is Kind.TIMEOUT


async def test_a_call_whose_deadline_is_over_ends_at_once() -> None:
    """The deadline bounds a call however generous the other times are."""
    error = await failure_of(answering(200, Endless(b"", again=b"")), left_s=0.0)
    assert error.verdict.kind is Kind.TIMEOUT


async def test_a_packed_answer_is_unpacked() -> None:
    """A server that packs all the same is understood, in pieces too."""
    body = gzip.compress(chat_stream())
    assert (await ask(answering(200, body, {"content-encoding": "gzip"})))[0] == TEXT


BOMB = gzip.compress(b"data: " + b"x" * (64 << 20))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BOMB, {"content-encoding": "gzip"}),
        (b"not packed", {"content-encoding": "gzip"}),
        (chat_stream(), {"content-encoding": "br"}),
        (b"data: " + b"x" * (2 << 20), {}),
        (b'{"a": "' + b"x" * (2 << 20), {}),
        (sse(*[chat_chunk("x" * 60_000)] * 20), {}),
        (b": comment\n\n" * (1 << 20), {}),
    ],
    ids=["bomb", "not packed", "unknown packing", "event", "JSON", "text", "comments"],
)
async def test_an_answer_beyond_all_bounds_is_refused(body: bytes, headers: dict[str, str]) -> None:
    """Bombs, endless events and endless answers end as bad bodies instead of filling memory."""
    stream = Pieces(body, size=1 << 16)
    error = await failure_of(answering(200, stream, headers))
    assert error.verdict.kind is Kind.BAD_BODY


async def test_leaving_early_closes_the_connection() -> None:
    """Whoever leaves an answer half-way leaves no open response behind."""
    body = Pieces(chat_stream())
    client = Client(transport=httpx.MockTransport(answering(200, body)))
    events = client.stream(
        model(),
        PROMPT,
        api_key=KEY,
        base_url="https://api.openai.com/v1",
        max_output_tokens=9,
        deadline_s=2_000.0,
        clock=ManualClock(now=NOW),
    )
    assert isinstance(await anext(events), TextDelta)
    await events.aclose()
    assert body.closed


async def test_a_completed_event_comes_last() -> None:
    """The last event is the completion, after all text."""
    client = Client(transport=httpx.MockTransport(answering(200, chat_stream())))
    events = [
        event
        async for event in client.stream(
            model(),
            PROMPT,
            api_key=KEY,
            base_url="https://api.openai.com/v1",
            max_output_tokens=9,
            deadline_s=2_000.0,
            clock=ManualClock(now=NOW),
        )
    ]
    assert [type(event) for event in events][-2:] == [TextDelta, Completed]
