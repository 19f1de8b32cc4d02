"""Pages and health. The chat page gives the shopper a signed cookie; everything else is the socket's."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from base.revision import current_number
from chatbot.configuration import DEFAULT_SITE_KEY
from chatbot.models import Article, Site
from chatbot.phrases import say
from chatbot.process import Process
from chatbot.topics import topic_title
from chatbot.transcript import new_shopper
from chatbot.visitors import (
    LOCALE_COOKIE,
    SHOPPER_COOKIE,
    comes_from_elsewhere,
    sign_shopper,
    unsign_shopper,
)
from routing.specs import Tier

COOKIE_AGE_S = 365 * 24 * 3600
LOCALES = ("en", "zh-hans")
MOST_SUGGESTIONS = 4


@require_GET
def chat_page(request: HttpRequest) -> HttpResponse:
    """The chat. A visitor without a true cookie becomes a new shopper."""
    locale, site = _locale(request), Site.objects.get(key=DEFAULT_SITE_KEY)
    _note_link(request, site)
    context = {
        **_common(site, locale),
        "greeting": site.greeting.get(locale) or say("greeting", locale=locale),
        "suggestions": site.suggestions.get(locale) or _typical_questions(site, locale),
        "mode": Process.current().runtime.mode,
        "notices": _notices(locale),
        "ws_path": "/ws/chat/",
    }
    response = render(request, "chatbot/chat.html", context)
    if unsign_shopper(request.COOKIES.get(SHOPPER_COOKIE, "")) is None:
        _set_cookie(request, response, SHOPPER_COOKIE, sign_shopper(new_shopper(site.key)))
    return response


@require_GET
def switch_language(request: HttpRequest, locale: str) -> HttpResponse:
    """Remember the language and go back to the chat."""
    if locale not in LOCALES:
        raise Http404
    response = HttpResponseRedirect(reverse("chat"))
    _set_cookie(request, response, LOCALE_COOKIE, locale)
    return response


@require_GET
def help_index(request: HttpRequest) -> HttpResponse:
    """All articles of the locale by topic."""
    locale, site = _locale(request), Site.objects.get(key=DEFAULT_SITE_KEY)
    rows = Article.objects.filter(site=site, locale=locale, enabled=True).order_by("topic", "key")
    topics = [
        {
            "title": topic_title(topic, locale=locale),
            "articles": [
                {"title": row.title, "url": reverse("article", args=[row.key])} for row in group
            ],
        }
        for topic, group in groupby(rows, key=lambda row: row.topic)
    ]
    return render(request, "chatbot/help_index.html", {**_common(site, locale), "topics": topics})


@require_GET
def help_article(request: HttpRequest, slug: str) -> HttpResponse:
    """One article in the visitor's language, or in any language it exists in."""
    locale, site = _locale(request), Site.objects.get(key=DEFAULT_SITE_KEY)
    rows = Article.objects.filter(site=site, key=slug, enabled=True)
    article = rows.filter(locale=locale).first() or rows.first()
    if article is None:
        raise Http404
    context = {
        **_common(site, locale),
        "title": article.title,
        "body": article.text,
        "updated_at": article.updated_at,
        "back_url": reverse("help"),
    }
    return render(request, "chatbot/help_article.html", context)


@require_GET
def livez(request: HttpRequest) -> JsonResponse:
    """The process runs."""
    return JsonResponse({"status": "ok"})


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Each check by name. A missing model is `degraded`, not unready: the cache still answers."""
    checks = {
        "process": Process.current().state,
        "database": _database_state(),
    }
    if checks["process"] == "ok":
        runtime = Process.current().runtime
        checks["wordings"] = f"{len(runtime.store)} loaded"
        checks["embedding"] = runtime.embedder.runs_on
        checks["models"] = "degraded" if runtime.mode == "degraded" else "ok"
    ready = checks["process"] == "ok" and checks["database"] == "ok"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _database_state() -> str:
    try:
        current_number()
    except DatabaseError:
        return "cannot be read"
    return "ok"


def _common(site: Site, locale: str) -> dict[str, Any]:
    other = "en" if locale == "zh-hans" else "zh-hans"
    return {
        "site_name": site.name.get(locale) or str(site),
        "locale": locale,
        "contact_text": site.contact.get(locale, ""),
        "hours_text": site.hours.get(locale, ""),
        "switch_url": reverse("language", args=[other]),
        "help_url": reverse("help"),
    }


def _note_link(request: HttpRequest, site: Site) -> None:
    """Note the first visit from another page, which ends a step of the owner's checklist. Sends no signal: nothing
    that answers depends on it."""
    referrer = request.headers.get("Referer", "")
    if site.linked_at is None and comes_from_elsewhere(referrer=referrer, host=request.get_host()):
        now = Process.current().runtime.clock.now()
        Site.objects.filter(pk=site.pk, linked_at=None).update(linked_at=now)


def _typical_questions(site: Site, locale: str) -> list[str]:
    """While staff have set no suggestions: the first typical wording of one article per topic."""
    rows = Article.objects.filter(site=site, locale=locale, enabled=True).order_by("topic", "key")
    by_topic = groupby(rows.only("topic", "asked_as"), key=lambda row: row.topic)
    first = (next((row.asked_as[0] for row in group if row.asked_as), "") for _, group in by_topic)
    return [f"{text[:1].upper()}{text[1:]}" for text in first if text][:MOST_SUGGESTIONS]


def _notices(locale: str) -> list[str]:
    """Which models were left out today, and why; the same reason once."""
    runtime = Process.current().runtime
    reasons = [
        omission.reason
        for tier in Tier
        for omission in runtime.usable(tier)[1]
        if omission.code in ("retired", "not_yet")
    ]
    return list(dict.fromkeys(reasons))


def _locale(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(LOCALE_COOKIE) or get_language() or settings.LANGUAGE_CODE
    return "zh-hans" if chosen.startswith("zh") else "en"


def _set_cookie(request: HttpRequest, response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=COOKIE_AGE_S, httponly=True, samesite="Lax", secure=request.is_secure()
    )
