"""Django settings, all from the environment; `base.env.SETTINGS` is the list of what may be set."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.urls import reverse_lazy

from base import env

# Lets `ModelForm[Row]` and the like be written at run time as the type checker reads them.
django_stubs_ext.monkeypatch()

# One thread per library, set before numpy is loaded: two for one product wait for each other on busy cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
env.load_dotenv(BASE_DIR / ".env")

DATA_DIR = Path(env.text("DATA_DIR"))
DATA_DIR = DATA_DIR if DATA_DIR.is_absolute() else BASE_DIR / DATA_DIR
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """The configured key, or one made at first start and kept in DATA_DIR."""
    configured = env.text("DJANGO_SECRET_KEY")
    path = DATA_DIR / "secret_key"
    if configured:
        return configured
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _database() -> dict[str, Any]:
    url = env.text("DATABASE_URL")
    if url:
        return {**environ.Env.db_url_config(url), "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "breakwater.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
        },
        # One file per test run: two runs at once must not meet.
        "TEST": {"NAME": DATA_DIR / f"test-{os.getpid()}.sqlite3"},
    }


SECRET_KEY = _secret_key()
DEBUG = env.flag("DJANGO_DEBUG")
ALLOWED_HOSTS = env.items("DJANGO_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # First, so that models have translatable names when the admin builds its forms.
    "base",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "cache",
    "routing",
    "chatbot",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chatbot.middleware.ContentSecurityPolicy",
    "chatbot.admin_ui.SiteTimeZone",
    "chatbot.admin_language.AdminLanguage",
]
ROOT_URLCONF = "chatbot.urls"
ASGI_APPLICATION = "chatbot.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_NAME = "locale"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL") or "memory://localhost/"
CELERY_IN_PROCESS = not env.text("CELERY_BROKER_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.1} if CELERY_IN_PROCESS else {}

EMBEDDING_MODEL = env.text("EMBEDDING_MODEL")
RETENTION_DAYS = env.number("RETENTION_DAYS")
CHAT_RATE_PER_SHOPPER = env.number("CHAT_RATE_PER_SHOPPER")
CHAT_SOCKETS_PER_IP = env.number("CHAT_SOCKETS_PER_IP")
CONFIRM = env.flag("CONFIRM")
CONFIRM_ABOVE_MICROUSD = env.number("CONFIRM_ABOVE_MICROUSD")
CONFIRM_ABOVE_WAIT_S = env.number("CONFIRM_ABOVE_WAIT_S")
REWRITE_FOLLOW_UPS = env.flag("REWRITE_FOLLOW_UPS")
JUDGE_BUDGET_USD_CENTS = env.number("JUDGE_BUDGET_USD_CENTS")
ALERT_WEBHOOK_URL = env.text("ALERT_WEBHOOK_URL")
ALERT_EMAIL = env.items("ALERT_EMAIL")
EMAIL_TIMEOUT = 10
if env.text("EMAIL_URL"):
    vars().update(environ.Env.email_url_config(env.text("EMAIL_URL")))
DEFAULT_FROM_EMAIL = (ALERT_EMAIL or ["breakwater@localhost"])[0]
# Where links in alerts lead: the first public origin, else this machine.
_PLAIN_ORIGINS = [origin for origin in CSRF_TRUSTED_ORIGINS if "*" not in origin]
SITE_ORIGIN = (_PLAIN_ORIGINS or [f"http://{env.text('HOST')}:{env.text('PORT')}"])[0]
UPSTREAM_ALLOWED_HOSTS = env.items("UPSTREAM_ALLOWED_HOSTS")
UPSTREAM_ALLOW_LOOPBACK = env.flag("UPSTREAM_ALLOW_LOOPBACK")

UNFOLD = {
    "SITE_TITLE": "Breakwater",
    "SITE_HEADER": "Breakwater",
    "SITE_URL": "/",
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": reverse_lazy("admin_language")},
    "DASHBOARD_CALLBACK": "chatbot.admin_ui.dashboard",
    "SIDEBAR": {"navigation": "chatbot.admin_ui.navigation"},
    "COLORS": {
        "primary": {
            "50": "#eef8f9",
            "100": "#d9eff1",
            "200": "#b5dfe4",
            "300": "#83c8d0",
            "400": "#49aab6",
            "500": "#1f8d9b",
            "600": "#0a6f7e",
            "700": "#0a5f6d",
            "800": "#0b4a57",
            "900": "#0b3d48",
            "950": "#07323c",
        }
    },
}
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL")},
    "loggers": {
        "faiss": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "sentence_transformers": {"level": "WARNING"},
    },
}
