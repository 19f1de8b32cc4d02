"""The connections below the client: httpx's interface over aiohttp's connection pool.

httpx's own HTTP/1.1 pool searches all its connections for every request that begins or ends, which
takes all of a core at some hundred streams (docs/http-clients.md has the figures); aiohttp's does
not. Guarantees of this transport:

- a connection goes to an address that was checked and to no other: names are resolved here, every
  answer is checked, exactly these addresses are connected to, and TLS still verifies the name;
- redirects are not followed, proxies and netrc of the environment are not used, no cookie is kept,
  and nothing is sent a second time;
- what goes wrong is one of httpx's errors, told apart by whether the vendor can have been reached;
- a response that is closed early takes its connection with it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

from routing.hosts import address_problem

MAX_CONNECTIONS = 2_000
KEEP_ALIVE_S = 15.0
RESOLVED_FOR_S = 10

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class AddressRefused(httpx.ConnectError):
    """The host leads to an address that no key may be sent to. Nothing was sent."""


def build_http(
    *,
    connect_s: float,
    allow_loopback: bool,
    lookup: Lookup | None = None,
    tls: ssl.SSLContext | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """The HTTP client of one process.

    `connect_s` bounds waiting for a free connection, name, TCP and TLS together; nothing else is
    bounded here. `lookup(host, port)` gives the IP addresses of a name or raises OSError; `tls`
    replaces the bundled certificate authorities; `transport` replaces everything below.
    """
    return httpx.AsyncClient(
        transport=transport
        or Transport(connect_s=connect_s, allow_loopback=allow_loopback, lookup=lookup, tls=tls),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
        timeout=None,  # noqa: S113  the client bounds every wait itself
    )


class Transport(httpx.AsyncBaseTransport):
    """Requests over one pool; made anywhere, first used on the event loop it belongs to."""

    def __init__(
        self,
        *,
        connect_s: float,
        allow_loopback: bool,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_s)
        self._allow_loopback = allow_loopback
        self._lookup = lookup or _system_lookup
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and come back with the headers. Raises httpx.TransportError."""
        host = request.url.host
        problem = address_problem(host, allow_loopback=self._allow_loopback)
        if problem:
            message = f"{host} is {problem}; no key is sent there"
            raise AddressRefused(message)
        try:
            response = await self._opened().request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=request.content,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _told(error, sent=False) from error
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            request=request,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS,
                keepalive_timeout=KEEP_ALIVE_S,
                ttl_dns_cache=RESOLVED_FOR_S,
                resolver=_CheckedResolver(self._lookup, allow_loopback=self._allow_loopback),
                ssl=self._tls or httpx.create_ssl_context(trust_env=False),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _Body(httpx.AsyncByteStream):
    """The body's bytes as they come off the wire, without holding any back."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while data := await content.readany():
                yield data
        except (aiohttp.ClientError, OSError) as error:
            raise _told(error, sent=True) from error

    async def aclose(self) -> None:
        """Close the connection too, unless the body was read to its end."""
        self._response.close()


class _CheckedResolver(AbstractResolver):
    """Names to addresses, all of which must be ones that a key may be sent to."""

    def __init__(self, lookup: Lookup, *, allow_loopback: bool) -> None:
        self._lookup = lookup
        self._allow_loopback = allow_loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises OSError, of which _Refused when one may not be used."""
        addresses = await self._lookup(host, port)
        for address in addresses:
            problem = address_problem(address, allow_loopback=self._allow_loopback)
            if problem:
                message = f"{host} leads to {address}, which is {problem}; no key is sent there"
                raise _Refused(message)
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Nothing is held."""


class _Refused(OSError):
    """A name led to an address that may not be used."""


async def _system_lookup(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _result(host: str, address: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=socket.AF_INET6 if ":" in address else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _told(error: Exception, *, sent: bool) -> httpx.TransportError:
    """The error in httpx's words: no connection, or one that broke once the request may be out."""
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(error.os_error, _Refused)
        return AddressRefused(str(error.os_error)) if refused else httpx.ConnectError(str(error))
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout("the connection took too long")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return AddressRefused("the endpoint's address is not one that can be called")
    if isinstance(error, aiohttp.ClientResponseError):
        return httpx.RemoteProtocolError("what came is not HTTP")
    return httpx.ReadError(f"the connection broke {'within' if sent else 'before'} the answer")
