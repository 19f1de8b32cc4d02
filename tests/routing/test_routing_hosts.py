"""Claims about where keys may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import ConfigurationError
from routing.hosts import HOMES, check_host, check_key

ALLOWED = frozenset({"api.openai.com", "llm.shop.example:8443"})


@pytest.mark.parametrize(
    "address",
    [
        "https://api.openai.com",
        "https://api.openai.com/v1",
        "https://API.OpenAI.com:443/v1",
        "https://llm.shop.example:8443/v1",
    ],
)
def test_a_named_host_passes(address: str) -> None:
    """A host that is named, on the port that is named, may be called by https."""
    check_host(address, ALLOWED, allow_loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://sub.api.openai.com",
        "https://api.openai.com.",
        "https://api.openai.com:8443",
        "https://llm.shop.example",
        "https://api.openai.com@evil.example",
        "https://evil.example@api.openai.com",
        "https://user:secret@api.openai.com",
        "https://api.openai.com\\@evil.example",
        "https://evil.example\\.api.openai.com",
        "https://api.openai.com/v1?x=https://evil.example",
        "https://api.openai.com/#frag",
        "https://api.openai.com\t.evil.example",
        "https://[api.openai.com",
        "https://api.openai.com:99999",
        "https://api.openai.com:0",
        "https://169.254.169.254/latest",
        "http://169.254.169.254/latest",
        "https://[::ffff:127.0.0.1]/",
        "https://127.0.0.1/",
        "http://localhost:9100",
        "https://0x7f000001/",
        "file:///etc/passwd",
        "gopher://api.openai.com",
        "//api.openai.com",
        "api.openai.com",
        "",
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    """Other schemes, ports and hosts, users, queries and tricks of writing do not pass."""
    with pytest.raises(ConfigurationError):
        check_host(address, ALLOWED, allow_loopback=False)


def test_the_refusal_names_the_setting_and_no_secret() -> None:
    """Whoever sees the refusal learns what to change."""
    with pytest.raises(ConfigurationError, match=r"evil.example .* UPSTREAM_ALLOWED_HOSTS"):
        check_host("https://evil.example/", ALLOWED, allow_loopback=False)


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("http://127.0.0.1:9100/openai/v1", True),
        ("http://localhost:9100", True),
        ("http://[::1]:9100", True),
        ("https://127.0.0.1", True),
        ("ftp://127.0.0.1", False),
        ("http://127.0.0.2:9100", False),
        ("http://user@127.0.0.1:9100", False),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_loopback_passes_only_with_leave(address: str, passes: bool) -> None:
    """This machine itself may be called with the switch, nothing near it, and never without."""
    with pytest.raises(ConfigurationError):
        check_host(address, ALLOWED, allow_loopback=False)
    if passes:
        check_host(address, ALLOWED, allow_loopback=True)
    else:
        with pytest.raises(ConfigurationError):
            check_host(address, ALLOWED, allow_loopback=True)


@given(st.text(max_size=40))
def test_no_address_breaks_the_check(rest: str) -> None:
    """Any text is let through or refused."""
    try:
        check_host(f"https://{rest}", ALLOWED, allow_loopback=False)
    except ConfigurationError:
        return
    assert rest.split("/")[0].lower() in {"api.openai.com", "api.openai.com:", "api.openai.com:443"}


@pytest.mark.parametrize("host", HOMES)
def test_a_key_goes_to_no_other_vendor_s_home(host: str) -> None:
    """Each vendor's key is refused at the others' addresses and passes at its own."""
    check_key("sk-1", key_env=HOMES[host], host=host)
    for key_env in set(HOMES.values()) - {HOMES[host]}:
        with pytest.raises(ConfigurationError, match=key_env):
            check_key("sk-1", key_env=key_env, host=host)


def test_keys_may_go_to_a_gateway_of_one_s_own() -> None:
    """A host that is nobody's home takes any key, and a key of one's own goes anywhere."""
    check_key("sk-1", key_env="OPENAI_API_KEY", host="llm.shop.example")
    check_key("sk-1", key_env="SHOP_GATEWAY_KEY", host="api.openai.com")
