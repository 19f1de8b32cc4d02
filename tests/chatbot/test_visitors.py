"""Who is on the other end: origin, cookies, sockets per address, questions per shopper."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.visitors import (
    BURST_QUESTIONS,
    MAX_REMEMBERED_SHOPPERS,
    ShopperRates,
    SocketCounter,
    client_address,
    comes_from_elsewhere,
    origin_is_ours,
    shopper_of,
    sign_shopper,
    unsign_shopper,
)


def scope(*, scheme: str = "ws", **headers: str) -> dict[str, Any]:
    """A connection with these headers."""
    return {
        "scheme": scheme,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "ours"),
    [
        ("http://shop.example", "shop.example", "ws", True),
        ("https://shop.example", "shop.example", "wss", True),
        ("http://shop.example:8000", "shop.example:8000", "ws", True),
        ("https://partner.example", "shop.example", "wss", True),
        ("https://trusted.example", "shop.example", "wss", True),
        ("http://evil.example", "shop.example", "ws", False),
        ("https://shop.example", "shop.example", "ws", False),
        ("http://shop.example:9000", "shop.example:8000", "ws", False),
        ("http://shop.example.evil.example", "shop.example", "ws", False),
        ("http://partner.example", "shop.example", "wss", False),
        ("null", "shop.example", "ws", False),
        ("", "shop.example", "ws", False),
        ("shop.example", "shop.example", "ws", False),
        ("http://[::1", "shop.example", "ws", False),
        ("http://", "", "ws", False),
    ],
    ids=[
        "own",
        "own-tls",
        "own-port",
        "allowed",
        "settings",
        "foreign",
        "wrong-scheme",
        "wrong-port",
        "suffix",
        "allowed-without-tls",
        "null",
        "none",
        "bare-host",
        "malformed",
        "empty-host",
    ],
)
def test_origin(origin: str, host: str, scheme: str, settings: Any, *, ours: bool) -> None:
    """The full origin counts: scheme, host and port."""
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    headers = scope(scheme=scheme, origin=origin, host=host)
    assert origin_is_ours(headers, allowed=["https://partner.example"]) is ours


def test_connection_without_headers_is_refused() -> None:
    """No origin, no socket."""
    assert not origin_is_ours({}, allowed=[])


def test_shopper_cookie_round_trip() -> None:
    """What we signed comes back; the locale is read beside it."""
    cookie = f"shopper={sign_shopper('abc-123')}; locale=zh-hans"
    assert shopper_of(scope(cookie=cookie)) == ("abc-123", "zh-hans")


@pytest.mark.parametrize(
    "value",
    ["", "abc-123", "abc-123:forged", sign_shopper("abc-123")[:-1], f"x{sign_shopper('abc-123')}"],
    ids=["empty", "unsigned", "forged", "cut", "other-id"],
)
def test_cookie_that_is_not_ours_is_no_shopper(value: str) -> None:
    """A missing, foreign or tampered cookie gives nobody's identity."""
    assert shopper_of(scope(cookie=f"shopper={value}")) == (None, "en")
    assert unsign_shopper(value) is None


@given(st.text(st.characters(codec="latin-1")))
def test_any_cookie_header_is_survived(header: str) -> None:
    """Whatever stands in the header: no shopper of ours, one of our locales."""
    public_id, locale = shopper_of(scope(cookie=header))
    assert public_id is None
    assert locale in ("en", "zh-hans")


def test_unknown_locale_is_english() -> None:
    """A cookie with another language falls back."""
    assert shopper_of(scope(cookie="locale=fr"))[1] == "en"


def test_address_of_the_peer() -> None:
    """The address as the server saw it; unknown without one."""
    assert client_address({"client": ["10.0.0.1", 5]}) == "10.0.0.1"
    assert client_address({"client": None}) == "unknown"


def test_sockets_per_address_are_bounded() -> None:
    """The limit holds per address, and a closed socket makes room."""
    sockets = SocketCounter(2)
    entered = [sockets.enter("a"), sockets.enter("a"), sockets.enter("a"), sockets.enter("b")]
    sockets.leave("a")
    assert entered == [True, True, False, True]
    assert [sockets.enter("a"), sockets.enter("a")] == [True, False]


def test_address_that_was_refused_is_not_counted() -> None:
    """Refused tries use up no place."""
    sockets = SocketCounter(1)
    assert [sockets.enter("a") for _ in range(5)] == [True] + [False] * 4
    sockets.leave("a")
    assert sockets.enter("a")


def test_burst_then_rate() -> None:
    """Ten questions at once, then one a second at 60 per minute."""
    rates = ShopperRates(60)
    burst = [rates.take(1, now_s=0.0) for _ in range(int(BURST_QUESTIONS) + 1)]
    assert burst == [0.0] * 10 + [1.0]
    assert rates.take(1, now_s=1.0) == 0.0
    assert rates.take(1, now_s=1.5) == pytest.approx(0.5)


def test_shoppers_do_not_share_a_bucket() -> None:
    """One shopper's haste costs another nothing."""
    rates = ShopperRates(60)
    for _ in range(20):
        rates.take(1, now_s=0.0)
    assert rates.take(2, now_s=0.0) == 0.0


def test_bucket_holds_no_more_than_the_burst() -> None:
    """A day of silence gives ten questions, not a day's worth."""
    rates = ShopperRates(60)
    rates.take(1, now_s=0.0)
    allowed = [rates.take(1, now_s=86_400.0) == 0.0 for _ in range(12)]
    assert allowed.count(True) == BURST_QUESTIONS


@given(
    st.integers(1, 600),
    st.lists(st.floats(0, 5, allow_nan=False), max_size=30),
    st.floats(0, 1e9, allow_nan=False),
)
def test_told_wait_is_enough(per_minute: int, pauses_s: list[float], start_s: float) -> None:
    """Whoever waits as long as told gets the next question through."""
    rates, now_s = ShopperRates(per_minute), start_s
    for pause_s in pauses_s:
        now_s += pause_s
        wait_s = rates.take(1, now_s=now_s)
        if wait_s > 0:
            now_s += wait_s
            assert rates.take(1, now_s=now_s) == 0.0


def test_clock_that_stands_still_never_takes_tokens_away() -> None:
    """Two questions in the same moment, or a reading out of order, cost one token each."""
    rates = ShopperRates(60)
    taken = [rates.take(1, now_s=now_s) for now_s in (100.0, 99.0, 99.0)]
    assert taken == [0.0, 0.0, 0.0]


def test_memory_is_bounded() -> None:
    """Of very many shoppers the ones silent longest are forgotten."""
    rates = ShopperRates(60)
    for shopper in range(MAX_REMEMBERED_SHOPPERS + 1_000):
        rates.take(shopper, now_s=0.0)
    assert len(rates) == MAX_REMEMBERED_SHOPPERS


@pytest.mark.parametrize(
    ("referrer", "elsewhere"),
    [
        ("https://shop.example/contact", True),
        ("https://shop.example:8443/", True),
        ("https://chat.shop.example/help/", False),
        ("", False),
        ("about:blank", False),
        ("https://[", False),
        ("android-app://com.example", False),
    ],
)
def test_a_visit_from_another_page_is_told_from_others(referrer: str, elsewhere: bool) -> None:
    """Only a page of another host counts; a referrer that is none is no visit from anywhere."""
    assert comes_from_elsewhere(referrer=referrer, host="chat.shop.example") is elsewhere
