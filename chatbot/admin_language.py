"""The admin's language: what its switch chose, else what the browser asks for. The chat's own choice stays its own."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_POST

COOKIE = "desk_locale"
COOKIE_AGE_S = 365 * 24 * 3600
LOCALES = tuple(code for code, _ in settings.LANGUAGES)
_ADMIN = "/admin/"


class AdminLanguage:
    """Middleware: every page of the admin in the language of whoever reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_ADMIN):
            return self._get_response(request)
        language = language_for(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self._get_response(request)
        response.headers["Content-Language"] = language
        return response


def language_for(request: HttpRequest) -> str:
    """One of LOCALES."""
    chosen = request.COOKIES.get(COOKIE, "")
    if chosen in LOCALES:
        return chosen
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        found = next((code for code in LOCALES if wanted.split("-")[0] == code.split("-")[0]), None)
        if found is not None:
            return found
    return settings.LANGUAGE_CODE


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Remember the admin's language and go back to the page that asked."""
    back = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    response = HttpResponseRedirect(back if safe else reverse("admin:index"))
    language = request.POST.get("language", "")
    if language in LOCALES:
        response.set_cookie(
            COOKIE,
            language,
            max_age=COOKIE_AGE_S,
            path=_ADMIN,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
