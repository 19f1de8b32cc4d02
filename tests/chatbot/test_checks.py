"""System checks: every finding names the setting and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks

from base import env
from chatbot.checks import (
    check_addresses,
    check_alerts,
    check_deploy,
    check_keys,
    check_numbers,
)

KEY = "sk-0123456789abcdef"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One good key and nothing else of ours is set."""
    for setting in env.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
        monkeypatch.delenv(f"{setting.name}_FILE", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def ids(found: Any) -> list[str]:
    """What was found."""
    return [message.id for message in found]


def test_plain_environment_is_clean(settings: Any) -> None:
    """With a key and the defaults nothing is found, also for a public machine."""
    settings.UPSTREAM_ALLOW_LOOPBACK = False
    for check in (check_keys, check_addresses, check_numbers, check_alerts, check_deploy):
        assert check(None) == []


def test_no_key_is_a_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key there is one warning, and its hint names every key."""
    monkeypatch.delenv("OPENAI_API_KEY")
    (warning,) = check_keys(None)
    assert (warning.id, warning.level) == ("chatbot.W001", checks.WARNING)
    assert all(name in warning.hint for name in env.KEY_NAMES)


@pytest.mark.parametrize("name", env.KEY_NAMES)
@pytest.mark.parametrize("value", ["tiny", "sk-with a blank", "sk-two\nlines-of-it"])
def test_malformed_key(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Too short or with blanks: an error whose hint names the variable; the key is not shown."""
    monkeypatch.setenv(name, value)
    (error,) = check_keys(None)
    assert (error.id, error.level) == ("chatbot.E001", checks.ERROR)
    assert name in error.hint
    assert value not in error.msg + error.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "https://evil.example/v1",
        "https://api.openai.com.evil.example",
        "https://user:secret@api.openai.com/v1",
        "http://127.0.0.1:9100",
        "https://localhost/v1",
        "api.openai.com",
        "https://[broken",
        "ftp://api.openai.com",
    ],
    ids=[
        "no-tls",
        "foreign",
        "suffix",
        "password",
        "loopback",
        "localhost",
        "no-scheme",
        "malformed",
        "ftp",
    ],
)
def test_bad_address(monkeypatch: pytest.MonkeyPatch, settings: Any, url: str) -> None:
    """A key may only go over https to a host of the list; the finding names the variable."""
    settings.UPSTREAM_ALLOW_LOOPBACK = False
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    (error,) = check_addresses(None)
    assert (error.id, error.msg.split(":")[0]) == ("chatbot.E002", "OPENAI_BASE_URL")
    assert "UPSTREAM_ALLOWED_HOSTS" in error.hint
    assert "secret" not in error.msg + error.hint


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://API.OPENAI.COM/v1"])
def test_good_address(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A host of the list over https is fine, however it is written."""
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert check_addresses(None) == []


def test_loopback_where_it_is_switched_on(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Demo and tests may use this machine; a public machine may not."""
    settings.UPSTREAM_ALLOW_LOOPBACK = True
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9100")
    assert check_addresses(None) == []
    (error,) = check_deploy(None)
    assert (error.id, "UPSTREAM_ALLOW_LOOPBACK=0" in error.hint) == ("chatbot.E004", True)


@pytest.mark.parametrize("name", ["RETENTION_DAYS", "CHAT_RATE_PER_SHOPPER", "CHAT_SOCKETS_PER_IP"])
@pytest.mark.parametrize("value", [0, -1])
def test_bound_below_one(settings: Any, name: str, value: int) -> None:
    """A bound that lets nothing through is an error that names it."""
    setattr(settings, name, value)
    (error,) = check_numbers(None)
    assert error.id == "chatbot.E003"
    assert name in error.msg
    assert name in error.hint


def test_pretended_time_on_a_public_machine(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A moved clock is for trying things out only."""
    settings.UPSTREAM_ALLOW_LOOPBACK = False
    monkeypatch.setenv("PRETEND_NOW", "2026-12-12")
    (error,) = check_deploy(None)
    assert (error.id, "PRETEND_NOW" in error.hint) == ("chatbot.E005", True)


def test_checks_are_registered(settings: Any) -> None:
    """`manage.py check` runs them; the deploy ones only with --deploy."""
    settings.UPSTREAM_ALLOW_LOOPBACK = True
    settings.RETENTION_DAYS = 0
    plain, public = checks.run_checks(), checks.run_checks(include_deployment_checks=True)
    assert "chatbot.E003" in ids(plain)
    assert "chatbot.E004" in set(ids(public)) - set(ids(plain))


@pytest.mark.parametrize(
    ("webhook", "emails", "server", "found"),
    [
        ("https://hooks.example/x", ["a@b.example"], "smtp://mail.example", []),
        ("http://hooks.example/x", [], "", ["chatbot.E006"]),
        ("https://127.0.0.1/x", [], "", ["chatbot.E006"]),
        ("", ["a@b.example"], "", ["chatbot.E007"]),
        ("", ["nobody"], "smtp://mail.example", ["chatbot.E008"]),
    ],
)
def test_alerts_need_a_way_out(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    webhook: str,
    emails: list[str],
    server: str,
    found: list[str],
) -> None:
    """A webhook that may not be posted to, and addresses without a mail server, are told."""
    settings.ALERT_WEBHOOK_URL, settings.ALERT_EMAIL = webhook, emails
    settings.UPSTREAM_ALLOW_LOOPBACK = False
    if server:
        monkeypatch.setenv("EMAIL_URL", server)
    assert ids(check_alerts(None)) == found
