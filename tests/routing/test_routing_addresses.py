"""Claims about where a connection may lead, whatever a name says and however an address is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from routing.admin_models import EndpointForm
from routing.client import Client
from routing.errors import ConfigurationError, Kind
from routing.hosts import address_problem, check_host
from tests.routing.calling import ask, failure_of
from tests.routing.helpers import TEXT, chat_stream
from tests.routing.raw_servers import answer, raw_server, saying

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "2002:7f00:1::",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "104.18.7.192", "2606:4700::6812:7c0", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_passes(address: str) -> None:
    """Private, loopback, link-local, multicast, reserved, disguised and metadata addresses are
    refused, and the reason is told."""
    assert address_problem(address, allow_loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    """The addresses of vendors pass, also where a network translates them for IPv6."""
    assert not address_problem(address, allow_loopback=False)


def test_the_switch_lets_loopback_pass_and_nothing_near_it() -> None:
    """With leave for this machine exactly the loopback addresses pass as well."""
    passing = {address for address in INSIDE if not address_problem(address, allow_loopback=True)}
    assert passing == {"127.0.0.1", "127.8.8.8", "::1"}


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_cannot_be_named_as_a_host(address: str) -> None:
    """Not even UPSTREAM_ALLOWED_HOSTS makes an address inside one that a key goes to."""
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ConfigurationError, match="give the public name|must be plain"):
        check_host(f"https://{host}/v1", {address, host}, allow_loopback=False)


def saying_in_turn(*answers: Sequence[str]) -> tuple[list[str], object]:
    """A lookup that gives another answer each time, and the names it was asked for."""
    asked: list[str] = []
    left = iter(answers)

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(left)

    return asked, lookup


@pytest.mark.parametrize(
    "addresses",
    [*([address] for address in INSIDE if "%" not in address), ["8.8.8.8", "10.0.0.1"]],
    ids=lambda addresses: "+".join(addresses),
)
async def test_a_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    """One bad address among a name's addresses is enough, and nothing is tried again."""
    _, lookup = saying_in_turn(addresses)
    client = Client(lookup=lookup)  # type: ignore[arg-type]
    error = await failure_of(client=client, base_url="https://vendor.example/v1")
    await client.close()
    assert (error.verdict.kind, error.verdict.retry_same) == (Kind.CONNECT, False)
    assert error.verdict.maybe_billed is False
    assert "vendor.example leads to" in str(error)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "169.254.169.254",
    ],
)
async def test_no_way_of_writing_an_address_gets_through(host: str) -> None:
    """The connection itself refuses this machine however it is written, by the system's resolver."""
    async with raw_server(saying(answer(chat_stream()))) as server:
        client = Client()
        error = await failure_of(client=client, base_url=f"http://{host}:{server.port}/v1")
        await client.close()
    assert error.verdict.kind is Kind.CONNECT
    assert server.connections == 0


async def test_a_name_that_turns_inwards_later_is_refused() -> None:
    """What was checked is what is connected to: one look-up a connection, and the next is checked
    again."""
    asked, lookup = saying_in_turn(["127.0.0.1"], ["10.0.0.1"])
    async with raw_server(saying(answer(chat_stream()))) as server:
        base_url = f"http://vendor.example:{server.port}/v1"
        first = Client(allow_loopback=True, lookup=lookup)  # type: ignore[arg-type]
        assert (await ask(client=first, base_url=base_url))[0] == TEXT
        assert (asked, server.connections) == (["vendor.example"], 1)
        await first.close()
        second = Client(allow_loopback=True, lookup=lookup)  # type: ignore[arg-type]
        error = await failure_of(client=second, base_url=base_url)
        await second.close()
    assert "10.0.0.1" in str(error)
    assert (len(asked), server.connections) == (2, 1)


@pytest.mark.parametrize("base_url", ["file:///etc/passwd", "gopher://vendor.example/1"])
async def test_other_schemes_are_no_connection(base_url: str) -> None:
    """A scheme that is not HTTP is refused by the connection too, not only by the check."""
    client = Client()
    error = await failure_of(client=client, base_url=base_url)
    await client.close()
    assert error.verdict.kind is Kind.CONNECT


@pytest.mark.parametrize(
    ("address", "to_do"),
    [
        ("http://169.254.169.254/latest", "must begin with https://"),
        ("https://169.254.169.254/latest", "give the public name"),
        ("https://127.0.0.1/v1", "give the public name"),
        ("https://[::ffff:127.0.0.1]/v1", "give the public name"),
        ("https://2130706433/v1", "plain address|UPSTREAM_ALLOWED_HOSTS"),
        ("https://0x7f000001/v1", "plain address|UPSTREAM_ALLOWED_HOSTS"),
        ("https://api.openai.com@evil.example/v1", "must be plain: https://host/path"),
        ("https://evil.example/v1", "add it there if keys may go to it"),
        ("file:///etc/passwd", "Give a plain address"),
        ("gopher://api.openai.com/1", "Give a plain address"),
    ],
)
@pytest.mark.django_db
def test_an_address_is_refused_when_it_is_saved(address: str, to_do: str) -> None:
    """Staff who save such an address are told in words what to write instead."""
    form = EndpointForm(
        {
            "name": "V",
            "key": "v",
            "kind": "chat_completions",
            "currency": "USD",
            "key_env": "V_API_KEY",
            "base_url": address,
            "base_url_env": "V_BASE_URL",
        }
    )
    assert list(form.errors) == ["base_url"]
    assert re.search(to_do, str(form.errors["base_url"][0]))
