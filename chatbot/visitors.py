"""Who is on the other end of a connection: origin, address, the shopper's signed cookie, the rate.

Nothing here touches rows. A cookie that is missing, foreign or tampered with is no shopper, and a new one
is made.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http.cookie import parse_cookie

SHOPPER_COOKIE = "shopper"
LOCALE_COOKIE = "locale"
BURST_QUESTIONS = 10.0
MAX_REMEMBERED_SHOPPERS = 50_000
_ROUNDING = 1e-4  # who waited as long as told must not fail by the rounding of a clock's reading

Scope = Mapping[str, Any]


def sign_shopper(public_id: str) -> str:
    """The cookie's value for a shopper."""
    return _signer().sign(public_id)


def unsign_shopper(value: str) -> str | None:
    """The public id in a cookie, or None when the cookie is not ours."""
    try:
        return _signer().unsign(value)
    except BadSignature:
        return None


def shopper_of(scope: Scope) -> tuple[str | None, str]:
    """The shopper's public id, if the cookie holds a true one, and the locale that was chosen."""
    cookies = parse_cookie(_header(scope, b"cookie"))
    locale = cookies.get(LOCALE_COOKIE, "en")
    return unsign_shopper(cookies.get(SHOPPER_COOKIE, "")), locale if locale in (
        "en",
        "zh-hans",
    ) else "en"


def origin_is_ours(scope: Scope, *, allowed: Sequence[str]) -> bool:
    """Whether the full origin (scheme, host, port) is this site's own or one it trusts."""
    origin = _header(scope, b"origin")
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if not parts.scheme or not parts.netloc:
        return False
    own_scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    own = f"{own_scheme}://{_header(scope, b'host')}"
    return f"{parts.scheme}://{parts.netloc}" in {own, *allowed, *settings.CSRF_TRUSTED_ORIGINS}


def comes_from_elsewhere(*, referrer: str, host: str) -> bool:
    """Whether a page of another host led here. Browsers send at least that page's origin (Referrer Policy, W3C);
    one that sends nothing is taken for a visitor who typed the address."""
    try:
        parts = urlsplit(referrer)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc != host


def client_address(scope: Scope) -> str:
    """The peer's address as the server saw it (a trusted proxy's header is the server's business)."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _header(scope: Scope, name: bytes) -> str:
    return next(
        (value.decode("latin-1") for key, value in scope.get("headers", ()) if key == name), ""
    )


def _signer() -> Signer:
    return Signer(salt="chatbot.shopper")


class SocketCounter:
    """At most `limit` open sockets per address."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a socket; False when the address has its share already."""
        if self._open[address] >= self._limit:
            return False
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A socket closed."""
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]


class ShopperRates:
    """A token bucket per shopper: a burst of BURST_QUESTIONS, then `per_minute`."""

    def __init__(self, per_minute: int) -> None:
        self._rate_per_s = per_minute / 60
        self._buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, shopper_id: int, *, now_s: float) -> float:
        """Take one question; returns 0, or the seconds to wait when there is none left."""
        tokens, since_s = self._buckets.pop(shopper_id, (BURST_QUESTIONS, now_s))
        tokens = min(BURST_QUESTIONS, tokens + max(0.0, now_s - since_s) * self._rate_per_s)
        wait_s = 0.0 if tokens > 1 - _ROUNDING else (1 - tokens) / self._rate_per_s
        self._buckets[shopper_id] = (tokens - 1 if wait_s == 0 else tokens, now_s)
        if len(self._buckets) > MAX_REMEMBERED_SHOPPERS:
            self._buckets.popitem(last=False)
        return wait_s
