"""One HTTP call to a vendor, streamed, inside a deadline.

Guarantees: redirects are not followed and proxies of the environment are not used; a call ends by
its deadline; comments that keep a connection alive do not count as content; whatever goes wrong
between the socket and the decoder is a VendorError with a verdict; no key appears in an error or a
repr. The host is for the caller to check first (`hosts.check_host`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import httpx

from base.clock import Clock
from routing.bodies import ANSWER_BYTES, ERROR_BYTES, BodyReader, BodyRefused
from routing.errors import Kind, TruncatedStream, VendorError
from routing.hosts import check_key
from routing.pace import Pace
from routing.specs import ModelSpec, Prompt, RateState, host_of
from routing.transport import AddressRefused, Lookup, build_http
from routing.vendors import vendor_for
from routing.vendors.base import Completed, Decoder, HttpRequest, TextDelta
from routing.vendors.classify import VERDICTS, parse_error, verdict_of
from routing.vendors.decoding import bad_body
from routing.vendors.rate_headers import rate_state
from routing.vendors.waits import retry_after_s

_LONGEST_MESSAGE = 300
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-litellm-call-id")
_HIDDEN = "[key]"
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one call besides its deadline.

    `ending_s` is how long after a finish reason the usage and the end of the body may come.
    """

    connect_s: float = 2.0
    first_content_s: float = 6.0
    idle_s: float = 5.0
    ending_s: float = 1.0


DEFAULT_TIMEOUTS = Timeouts()


class Client:
    """Calls vendors over one pool of connections (`transport.build_http` has the parameters)."""

    def __init__(
        self,
        *,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        allow_loopback: bool = False,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeouts = timeouts
        self._http = build_http(
            connect_s=timeouts.connect_s,
            allow_loopback=allow_loopback,
            lookup=lookup,
            tls=tls,
            transport=transport,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def stream(  # noqa: PLR0913  one call is what it is made of
        self,
        model: ModelSpec,
        prompt: Prompt,
        *,
        api_key: str,
        base_url: str,
        max_output_tokens: int,
        deadline_s: float,
        clock: Clock,
        end_user: str = "",
        attempt_id: str = "",
        on_rate: Callable[[RateState], None] | None = None,
    ) -> AsyncGenerator[TextDelta | Completed, None]:
        """Visible text as it comes, then one `Completed`.

        `deadline_s` is a reading of `clock.monotonic_s`. `on_rate` hears what the headers of an
        answer or a refusal say about the key's limits. Raises ConfigurationError for a key that
        must not be sent, else VendorError. Close the generator if you leave it early.
        """
        check_key(api_key, key_env=model.endpoint.key_env, host=host_of(base_url))
        vendor = vendor_for(model.endpoint.kind)
        request = vendor.build(
            model,
            prompt,
            api_key=api_key,
            base_url=base_url,
            max_output_tokens=max_output_tokens,
            stream=True,
            end_user=end_user,
        )
        now_s = asyncio.get_running_loop().time()
        pace = Pace(
            deadline_at=now_s + deadline_s - clock.monotonic_s(),
            due_at=now_s + self._timeouts.first_content_s,
        )
        try:
            async with self._sent(request, pace=pace, attempt_id=attempt_id) as response:
                pace.request_id = _request_id(response).replace(api_key, _HIDDEN)
                rate = rate_state(response.headers, now=clock.now())
                if rate is not None and on_rate is not None:
                    on_rate(rate)
                if response.status_code != httpx.codes.OK:
                    raise await _refusal(response, pace=pace, rate=rate, now=clock.now())
                answer = self._answer(response, decoder=vendor.decoder(), pace=pace)
                async with aclosing(answer) as events:
                    async for event in events:
                        yield event
        except VendorError as error:
            failure = _cleaned(error, pace=pace, api_key=api_key)
        except (TimeoutError, httpx.TransportError, httpx.InvalidURL, BodyRefused) as error:
            failure = _failure_of(error, pace=pace)
        else:
            return
        finally:
            pace.close()
        # Raised out here, so that no HTTP request with its headers hangs on to it as context.
        raise failure

    @asynccontextmanager
    async def _sent(
        self, request: HttpRequest, *, pace: Pace, attempt_id: str
    ) -> AsyncIterator[httpx.Response]:
        headers = {
            **request.headers,
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
        }
        if attempt_id:
            headers["X-Client-Request-Id"] = attempt_id
        outgoing = self._http.build_request(
            request.method, request.url, headers=headers, content=request.body
        )
        with pace:
            response = await self._http.send(outgoing, stream=True)
        pace.answered = True
        try:
            yield response
        finally:
            await response.aclose()

    async def _answer(
        self, response: httpx.Response, *, decoder: Decoder, pace: Pace
    ) -> AsyncGenerator[TextDelta | Completed, None]:
        try:
            async with aclosing(_chunks(response, pace=pace, max_bytes=ANSWER_BYTES)) as chunks:
                async for chunk in chunks:
                    finished = decoder.has_finished
                    for delta in decoder.feed(chunk):
                        pace.shown = True
                        yield delta
                        pace.due_in(self._timeouts.idle_s)
                    if decoder.failure is not None:
                        raise decoder.failure
                    if decoder.has_finished and not finished:
                        pace.due_in(self._timeouts.ending_s)
        except (TimeoutError, httpx.TransportError):
            if not decoder.has_finished:
                raise
        reply = decoder.finish()
        request_id = pace.request_id or reply.request_id
        if reply.text and not pace.shown:
            yield TextDelta(reply.text)
        yield Completed(replace(reply, request_id=request_id))


async def _chunks(
    response: httpx.Response, *, pace: Pace, max_bytes: int
) -> AsyncGenerator[bytes, None]:
    """The body as it comes; raises TimeoutError when content is overdue, and BodyRefused."""
    encoding = response.headers.get("content-encoding", "")
    reader = BodyReader(content_encoding=encoding, max_bytes=max_bytes)
    assert isinstance(response.stream, httpx.AsyncByteStream)
    pieces = aiter(response.stream)
    while True:
        with pace:
            data = await anext(pieces, None)
        if data is None:
            return
        yield reader.read(data)


async def _refusal(
    response: httpx.Response, *, pace: Pace, rate: RateState | None, now: datetime
) -> VendorError:
    """The error that an answer other than 200 stands for; its body is read up to a bound."""
    body = bytearray()
    try:
        async with aclosing(_chunks(response, pace=pace, max_bytes=ERROR_BYTES)) as chunks:
            async for chunk in chunks:
                body += chunk
    except (TimeoutError, httpx.TransportError, BodyRefused):
        body.clear()
    stated = parse_error(bytes(body))
    wait_s = retry_after_s(response.headers, now=now, body_delay=stated.retry_delay)
    if wait_s is None and rate is not None:
        wait_s = rate.reset_s
    verdict = verdict_of(
        response.status_code,
        stated,
        retry_after_s=wait_s,
        should_retry=_WORDS.get(response.headers.get("x-should-retry", "").lower()),
    )
    return VendorError(
        stated.message or f"status {response.status_code}",
        verdict=verdict,
        status=response.status_code,
        code=stated.code,
        request_id=pace.request_id,
    )


def _request_id(response: httpx.Response) -> str:
    found = (response.headers.get(name, "") for name in _REQUEST_ID_HEADERS)
    return next((value for value in found if value), "")


def _cleaned(error: VendorError, *, pace: Pace, api_key: str = "") -> VendorError:
    """The error with a short message that holds no key, and the verdict that shown text demands."""

    def without_key(text: str) -> str:
        return text.replace(api_key, _HIDDEN) if api_key else text

    verdict = error.verdict
    if pace.shown:
        verdict = replace(verdict, retry_same=False, maybe_billed=True)
    return type(error)(
        without_key(str(error))[:_LONGEST_MESSAGE],
        verdict=verdict,
        status=error.status,
        code=without_key(error.code),
        request_id=pace.request_id,
    )


def _failure_of(error: Exception, *, pace: Pace) -> VendorError:
    """The error that a broken or silent connection stands for."""
    if isinstance(error, BodyRefused):
        return _cleaned(bad_body(problem=str(error)), pace=pace)
    if isinstance(error, AddressRefused | httpx.InvalidURL):
        verdict = replace(VERDICTS[Kind.CONNECT], retry_same=False)
        return VendorError(str(error), verdict=verdict)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        reason = str(error) or type(error).__name__
        return VendorError(f"no connection: {reason}", verdict=VERDICTS[Kind.CONNECT])
    what = "went silent" if isinstance(error, TimeoutError) else "broke off"
    if pace.shown:
        truncated = f"the vendor {what} in the middle of its answer"
        return _cleaned(TruncatedStream(truncated, verdict=VERDICTS[Kind.TRUNCATED]), pace=pace)
    kind = Kind.TIMEOUT if isinstance(error, TimeoutError) else Kind.RESET
    where = "after" if pace.answered else "before"
    message = f"the vendor {what} {where} its first line"
    return VendorError(message, verdict=VERDICTS[kind], request_id=pace.request_id)
