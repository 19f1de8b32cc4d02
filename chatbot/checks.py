"""System checks: a missing or malformed setting speaks at start, with its name and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from base import env
from routing.sending import address_problem
from routing.specs import LOCAL_HOSTS

_SHORTEST_KEY = 8


@register()
def check_keys(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Keys must look like keys; without any, the site runs as a demo."""
    found: list[CheckMessage] = []
    for name in env.KEY_NAMES:
        value = env.text(name)
        if value and (len(value) < _SHORTEST_KEY or any(char.isspace() for char in value)):
            found.append(
                Error(
                    f"{name} does not look like a key (it is too short or holds blanks).",
                    hint=f"Copy the key anew from the vendor's page into {name}, or leave it empty.",
                    id="chatbot.E001",
                )
            )
    if not any(env.text(name) for name in env.KEY_NAMES):
        found.append(
            Warning(
                "No vendor key is set: the site answers from a local simulator (demo).",
                hint=f"Set any one of {', '.join(env.KEY_NAMES)} to go live.",
                id="chatbot.W001",
            )
        )
    return found


@register()
def check_addresses(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Addresses must be https on an allowed host; loopback only where it is switched on."""
    found: list[CheckMessage] = []
    for name in (setting.name for setting in env.SETTINGS if setting.name.endswith("_BASE_URL")):
        problem = _address_problem(env.text(name))
        if problem:
            found.append(Error(f"{name}: {problem}", hint=_ADDRESS_HINT, id="chatbot.E002"))
    return found


_ADDRESS_HINT = (
    "Use https and a host of UPSTREAM_ALLOWED_HOSTS; for a server on this machine set "
    "UPSTREAM_ALLOW_LOOPBACK=1."
)


def _address_problem(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address cannot be read"
    if parts.username or parts.password:
        return "the address holds a user name or password"
    if parts.hostname in LOCAL_HOSTS:
        return None if settings.UPSTREAM_ALLOW_LOOPBACK else "the address is on this machine"
    if parts.scheme != "https":
        return "the address does not begin with https://"
    if parts.hostname not in settings.UPSTREAM_ALLOWED_HOSTS:
        return f"the host {parts.hostname} is not in UPSTREAM_ALLOWED_HOSTS"
    return None


@register()
def check_numbers(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Bounds must be positive."""
    names = ("RETENTION_DAYS", "CHAT_RATE_PER_SHOPPER", "CHAT_SOCKETS_PER_IP")
    bounds = ("CONFIRM_ABOVE_MICROUSD", "CONFIRM_ABOVE_WAIT_S")
    negative = [
        Error(
            f"{name} must not be negative.",
            hint=f"Set {name} to 0 or more.",
            id="chatbot.E003",
        )
        for name in bounds
        if getattr(settings, name) < 0
    ]
    return negative + [
        Error(
            f"{name} must be at least 1.",
            hint=f"Set {name} to a positive number.",
            id="chatbot.E003",
        )
        for name in names
        if getattr(settings, name) < 1
    ]


@register()
def check_alerts(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Alerts must have a way out when an address is given."""
    found: list[CheckMessage] = []
    url, loopback = settings.ALERT_WEBHOOK_URL, settings.UPSTREAM_ALLOW_LOOPBACK
    problem = address_problem(url, allow_loopback=loopback) if url else None
    if problem:
        hint = "Use an address that begins with https:// and is not on this machine."
        found.append(Error(f"ALERT_WEBHOOK_URL: {problem}.", hint=hint, id="chatbot.E006"))
    if settings.ALERT_EMAIL and not env.text("EMAIL_URL"):
        hint = "Set EMAIL_URL to your mail server, for instance smtp+tls://user:password@host:587."
        message = "ALERT_EMAIL is set, but there is no mail server."
        found.append(Error(message, hint=hint, id="chatbot.E007"))
    if not all("@" in address for address in settings.ALERT_EMAIL):
        hint = "Separate addresses by commas: one@example.com,two@example.com."
        found.append(Error("ALERT_EMAIL holds what is no address.", hint=hint, id="chatbot.E008"))
    return found


@register(Tags.security, deploy=True)
def check_deploy(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Nothing of the demo may be left on a public machine."""
    found: list[CheckMessage] = []
    if settings.UPSTREAM_ALLOW_LOOPBACK:
        found.append(
            Error(
                "UPSTREAM_ALLOW_LOOPBACK is 1: endpoints may live on this machine.",
                hint="Set UPSTREAM_ALLOW_LOOPBACK=0.",
                id="chatbot.E004",
            )
        )
    if env.text("PRETEND_NOW"):
        found.append(
            Error(
                "PRETEND_NOW moves the site's clock.",
                hint="Leave PRETEND_NOW empty.",
                id="chatbot.E005",
            )
        )
    return found
