"""Where a key may be sent: checked when a row is saved and before every call.

Staff may edit an endpoint's address; the environment decides which hosts that address may name. A
key that belongs to one vendor is never sent to the home of another.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from routing.errors import ConfigurationError
from routing.specs import LOCAL_HOSTS

HOMES = {
    "api.openai.com": "OPENAI_API_KEY",
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    "api.anthropic.com": "ANTHROPIC_API_KEY",
    "generativelanguage.googleapis.com": "GEMINI_API_KEY",
    "api.holysheep.ai": "HOLYSHEEP_API_KEY",
}
_KEY = re.compile(r"[\x21-\x7e]+")
_HTTPS_PORT = 443
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# They count as global, but are services of the cloud for the machine that asks.
_METADATA = frozenset({"168.63.129.16", "192.0.0.192"})
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_host(base_url: str, allowed_hosts: Collection[str], *, allow_loopback: bool) -> None:
    """Let an address pass or raise ConfigurationError.

    It must be https to a host that UPSTREAM_ALLOWED_HOSTS names exactly (`host` for the usual port,
    `host:port` for another), without user, query or fragment, and no address of a private network
    even if named there. Loopback addresses pass, by http too, only with `allow_loopback`. Where a
    name leads is checked when a connection is made (`transport.py`).
    """
    address = _split(base_url)
    host = address.hostname or ""
    if allow_loopback and host in LOCAL_HOSTS and address.scheme in ("http", "https"):
        return
    if address.scheme != "https":
        message = f"the address of {host or 'an endpoint'} must begin with https://"
        raise ConfigurationError(message)
    problem = address_problem(host, allow_loopback=allow_loopback)
    if problem:
        message = f"{host} is {problem}; give the public name of the vendor or gateway"
        raise ConfigurationError(message)
    port = address.port or _HTTPS_PORT
    name = host if port == _HTTPS_PORT else f"{host}:{port}"
    if name not in allowed_hosts:
        message = f"{name} is not among UPSTREAM_ALLOWED_HOSTS; add it there if keys may go to it"
        raise ConfigurationError(message)


def address_problem(address: str, *, allow_loopback: bool) -> str:
    """Why no key may be sent to an IP address, in words; empty when one may, and for names.

    Only public addresses pass, and this machine's own with `allow_loopback`.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if allow_loopback and ip.is_loopback:
        return ""
    return _problem(ip)


def check_key(api_key: str, *, key_env: str, host: str) -> None:
    """Raise ConfigurationError for a key that cannot be sent, or that belongs to another vendor."""
    if not _KEY.fullmatch(api_key):
        message = f"the value of {key_env} holds blanks, line ends or signs outside ASCII"
        raise ConfigurationError(message)
    owner = HOMES.get(host)
    if owner is not None and owner != key_env and key_env in HOMES.values():
        message = f"{key_env} must not be sent to {host}, where {owner} belongs"
        raise ConfigurationError(message)


def _split(base_url: str) -> SplitResult:
    """The parts of a plain address; raises ConfigurationError for one that hides something."""
    message = "an endpoint's address must be plain: https://host/path"
    if any(char <= " " or char in "\\\x7f" for char in base_url):
        raise ConfigurationError(message)
    try:
        address = urlsplit(base_url)
        is_plain = address.port is None or address.port > 0
    except ValueError as error:
        raise ConfigurationError(message) from error
    if not is_plain or "@" in address.netloc or address.query or address.fragment:
        raise ConfigurationError(message)
    return address


def _problem(ip: _IPAddress) -> str:
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return _problem(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF))
        if ip.is_site_local:
            return "not a public address"
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo:
            return "an IPv4 address in disguise"
    if ip.is_loopback or ip.is_unspecified:
        return "this machine itself"
    if ip.is_link_local or str(ip) in _METADATA:
        return "a link-local or metadata address"
    if ip.is_multicast or ip.is_reserved or not ip.is_global:
        return "not a public address"
    return ""
