"""The stage of the tests of roles: a row of every kind, a user per role, and every address with who may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from base.audit import note
from chatbot.models import ShopFile
from chatbot.roles import keep_roles
from routing.models import RuleSet
from routing.publishing import Terms, publish, start_draft
from tests.chatbot.admin_rows import fill
from tests.chatbot.role_matrix import LETTERS, PAGES, VIEWS, View


@dataclass
class Stage:
    """Rows of every kind, and a user per role."""

    rows: dict[str, Any]
    users: dict[str, User]

    def args(self, view: View) -> list[object]:
        """Arguments of a view's address."""
        return [one[1:-1] if one.startswith("'") else self.rows[one] for one in view.args]

    def url(self, name: str) -> str:
        """A view's address."""
        view = VIEWS[name]
        address = reverse(f"admin:{name.split()[0]}", args=self.args(view))
        return address + view.query.format(**self.rows)


def set_stage() -> Stage:
    """A row of every kind; rule sets in each state; users with nothing but their role's group."""
    keep_roles()
    users = {letter: _user(role.name) for letter, role in LETTERS.items()}
    users["S"] = User.objects.create_superuser("super")
    fill(0, 1)
    now = timezone.now()
    published = publish(RuleSet.objects.latest("pk").pk, terms=_terms(now))
    scheduled = publish(
        start_draft(now=now).pk, terms=_terms(now, starts_at=now + timedelta(days=1))
    )
    note([model_of("cache_answer").objects.get()], "Looked at.", user=users["S"])
    rows = {kind: model_of(kind).objects.order_by("pk").first() for kind in PAGES}
    rows["admin_logentry"] = LogEntry.objects.order_by("pk").last()
    named = {
        "answer": rows["cache_answer"],
        "receipt": rows["cache_lookup"],
        "wording": rows["cache_wording"],
        "question": rows["chatbot_question"],
        "alert": rows["routing_alert"],
        "model": rows["routing_model"],
        "published": published,
        "scheduled": scheduled,
        "draft": start_draft(now=now),
    }
    rows["routing_ruleset"] = named["draft"]
    files = {
        kind: ShopFile.objects.create(
            kind=kind, name="f.csv", content=text.encode(), uploaded_by="super", uploaded_at=now
        ).pk
        for kind, text in (
            (ShopFile.ARTICLES, "key,locale,topic,title,text\nk9,en,t,A title,Some words.\n"),
            (ShopFile.PRODUCTS, "key,name\np9,Oak table\n"),
        )
    }
    soon = timezone.localtime(now + timedelta(days=2))
    keys: dict[str, Any] = {name: row.pk for name, row in (*rows.items(), *named.items())}
    keys |= {
        "articles": files[ShopFile.ARTICLES],
        "products": files[ShopFile.PRODUCTS],
        "soon": f"{soon:%Y-%m-%dT%H:%M}",
    }
    return Stage(keys, users)


def _terms(now: Any, **window: Any) -> Terms:
    return Terms(note="n", by="ann", now=now, **window)


def _user(role: str) -> User:
    user = User.objects.create_user(role.replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def model_of(kind: str) -> Any:
    return apps.get_model(*kind.split("_", 1))


def request_to(url: str, user: User, *, post: dict[str, Any] | None = None) -> HttpRequest:
    factory = RequestFactory()
    request = factory.get(url) if post is None else factory.post(url, post)
    request.user = user
    request.session = SessionStore()
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as Django's client does
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]  # as the middleware does
    return request


def status_of(url: str, user: User, *, post: dict[str, Any] | None = None) -> int:
    """Status of the view itself, called as the site calls it, without drawing its page."""
    request = request_to(url, user, post=post)
    view, args, kwargs = resolve(url.partition("?")[0])
    try:
        return int(view(request, *args, **kwargs).status_code)
    except PermissionDenied:
        return 403
    except Http404:
        return 404


def cases(stage: Stage) -> Iterator[tuple[str, str, frozenset[str], int, dict[str, Any] | None]]:
    """(what, address, letters of who may, their status, what is posted)."""
    for kind, rights in PAGES.items():
        pk = stage.rows[kind]
        viewers = rights["view"]
        yield f"{kind} list", reverse(f"admin:{kind}_changelist"), viewers, 200, None
        yield f"{kind} page", reverse(f"admin:{kind}_change", args=[pk]), viewers, 200, None
        if kind != "admin_logentry":
            url = reverse(f"admin:{kind}_history", args=[pk])
            yield f"{kind} history", url, viewers, 200, None
        added = 302 if kind == "routing_ruleset" else 200
        yield f"{kind} add", reverse(f"admin:{kind}_add"), rights["add"], added, None
        url = reverse(f"admin:{kind}_delete", args=[pk])
        yield f"{kind} delete", url, rights["delete"], 200, None
    for name, view in VIEWS.items():
        if view.status != 405:
            yield name, stage.url(name), view.roles, view.status, None


def forbidden(stage: Stage) -> Iterator[tuple[str, str, frozenset[str], dict[str, Any]]]:
    """(what, address, letters of who may post there, what the others try to post)."""
    for kind, rights in PAGES.items():
        pk = stage.rows[kind]
        yield f"{kind} change", reverse(f"admin:{kind}_change", args=[pk]), rights["change"], {}
    for name, view in VIEWS.items():
        yield name, stage.url(name), view.roles, posted(stage, view)


def posted(stage: Stage, view: View) -> dict[str, Any]:
    return {key: value.format(**stage.rows) for key, value in (view.post or {}).items()}
