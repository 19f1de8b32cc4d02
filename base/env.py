"""Every environment setting, declared once: name, default, and what it does.

`docs/settings.md` and `.env.example` are checked against `SETTINGS` by the suite. A secret may come from a
file instead: `NAME_FILE` names it (mounted secrets); an unreadable file fails loudly at start.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable; `default` is its text form, empty when there is none."""

    name: str
    default: str
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DJANGO_SECRET_KEY", "", "Signs cookies. Made once in DATA_DIR when empty.", secret=True
    ),
    Setting("DJANGO_DEBUG", "0", "1 shows tracebacks; never on a public machine."),
    Setting("DJANGO_ALLOWED_HOSTS", "127.0.0.1,localhost", "Host names that the site answers to."),
    Setting("CSRF_TRUSTED_ORIGINS", "", "Full origins (scheme, host, port) behind a proxy."),
    Setting("DATABASE_URL", "", "PostgreSQL address. Empty: SQLite in DATA_DIR.", secret=True),
    Setting(
        "REDIS_URL",
        "",
        "Redis where processes share limits and breakers. Empty: this process keeps them.",
        secret=True,
    ),
    Setting(
        "CELERY_BROKER_URL",
        "",
        "Celery broker. Empty: a worker thread in this process.",
        secret=True,
    ),
    Setting("HOST", "127.0.0.1", "Address to listen on."),
    Setting("PORT", "8000", "Port to listen on."),
    Setting("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Setting(
        "EMBEDDING_MODEL",
        "",
        "A sentence-transformers model, name or folder. Empty: the packaged one.",
    ),
    Setting("DATA_DIR", "data", "Where the database, the secret and the lock file live."),
    Setting("CHAT_RATE_PER_SHOPPER", "60", "Questions per minute that one shopper may ask."),
    Setting("CHAT_SOCKETS_PER_IP", "20", "Open sockets per client address."),
    Setting(
        "CONFIRM", "1", "1 asks 'did you mean' when a stored answer is near but not sure; 0 never."
    ),
    Setting(
        "CONFIRM_ABOVE_MICROUSD",
        "0",
        "Ask only when the model's answer would cost more than so many millionths of a dollar.",
    ),
    Setting("CONFIRM_ABOVE_WAIT_S", "2", "Ask too when it would wait longer than so many seconds."),
    Setting(
        "REWRITE_FOLLOW_UPS", "1", "1 lets the cheap model make follow-ups standalone; 0 never."
    ),
    Setting(
        "JUDGE_BUDGET_USD_CENTS",
        "50",
        "US cents a day for a cheap model that says whether two answers mean the same; 0 never asks.",
    ),
    Setting("RETENTION_DAYS", "90", "Conversations and receipts older than this are pruned."),
    Setting(
        "ALERT_WEBHOOK_URL",
        "",
        "Address that gets every alert as JSON; https.",
        secret=True,
    ),
    Setting("ALERT_EMAIL", "", "Addresses that get every alert, separated by commas."),
    Setting(
        "EMAIL_URL",
        "",
        "Mail server, for instance smtp+tls://user:password@host:587. Needed for ALERT_EMAIL.",
        secret=True,
    ),
    Setting(
        "UPSTREAM_ALLOWED_HOSTS",
        "api.openai.com,api.deepseek.com,api.anthropic.com,generativelanguage.googleapis.com,"
        "api.holysheep.ai",
        "Hosts that a key may ever be sent to.",
    ),
    Setting("UPSTREAM_ALLOW_LOOPBACK", "0", "1 lets endpoints live on this machine (demo, tests)."),
    Setting(
        "PRETEND_NOW",
        "",
        "ISO date or time at which the site's clock starts; for trying a later day.",
    ),
    Setting("GEMINI_API_KEY", "", "Key for Google's Gemini API.", secret=True),
    Setting("DEEPSEEK_API_KEY", "", "Key for DeepSeek.", secret=True),
    Setting("ANTHROPIC_API_KEY", "", "Key for Anthropic.", secret=True),
    Setting("OPENAI_API_KEY", "", "Key for OpenAI.", secret=True),
    Setting("HOLYSHEEP_API_KEY", "", "Key for the HolySheep gateway.", secret=True),
    Setting("GEMINI_BASE_URL", "", "Wins over the endpoint's address."),
    Setting("DEEPSEEK_BASE_URL", "", "Wins over the endpoint's address."),
    Setting("ANTHROPIC_BASE_URL", "", "Wins over the endpoint's address."),
    Setting("OPENAI_BASE_URL", "", "Wins over the endpoint's address."),
    Setting("HOLYSHEEP_BASE_URL", "", "Wins over the endpoint's address."),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}
KEY_NAMES = tuple(setting.name for setting in SETTINGS if setting.name.endswith("_API_KEY"))


def text(name: str, *, environ: Mapping[str, str] | None = None) -> str:
    """The value of a setting, from the environment, its `_FILE` twin, or the default.

    Names that are not declared here (the key of an endpoint that staff added) count as secrets.
    """
    source = os.environ if environ is None else environ
    setting = _BY_NAME.get(name) or Setting(name, "", "", secret=True)
    value = source.get(name, "")
    if value:
        return value.strip()
    path = source.get(f"{name}_FILE", "") if setting.secret else ""
    return _read_secret(f"{name}_FILE", path) if path else setting.default


def flag(name: str) -> bool:
    """A declared yes/no setting. Raises ImproperlyConfigured for any other word."""
    word = text(name).casefold()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    message = f"{name} must be 1 or 0, not {word!r}"
    raise ImproperlyConfigured(message)


def number(name: str) -> int:
    """A declared whole number. Raises ImproperlyConfigured when it is none."""
    value = text(name)
    try:
        return int(value)
    except ValueError as error:
        message = f"{name} must be a whole number, not {value!r}"
        raise ImproperlyConfigured(message) from error


def items(name: str) -> list[str]:
    """A declared comma-separated list, without empty entries."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def load_dotenv(path: Path) -> None:
    """Put `NAME=value` lines of a file into the environment where the name is not set yet."""
    if path.is_file():
        for name, value in _dotenv_lines(path.read_text(encoding="utf-8")):
            os.environ.setdefault(name, value)


def _dotenv_lines(content: str) -> Iterator[tuple[str, str]]:
    for line in content.splitlines():
        name, separator, value = line.partition("=")
        if separator and name.strip() and not line.lstrip().startswith("#"):
            yield name.strip(), value.strip().strip("'\"")


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{name} names {path}, which cannot be read: {error.strerror}"
        raise ImproperlyConfigured(message) from error
    except UnicodeDecodeError as error:
        message = f"{name} names {path}, which is not UTF-8 text"
        raise ImproperlyConfigured(message) from error
