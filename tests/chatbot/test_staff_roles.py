"""Every page and every action of the admin answers each role as `role_matrix` declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse

from chatbot.admin_menu import MENU, RIGHTS
from chatbot.roles import ROLES, keep_roles
from tests.chatbot.role_matrix import ACTIONS, OPEN, PAGES, SITE, VIEWS
from tests.chatbot.role_stage import (
    Stage,
    cases,
    forbidden,
    request_to,
    set_stage,
    status_of,
)

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def stage() -> Stage:
    """Rows of every kind and a user per role."""
    return set_stage()


def _registered() -> Iterator[tuple[str, Any]]:
    for model, site_admin in admin.site._registry.items():
        yield f"{model._meta.app_label}_{model._meta.model_name}", site_admin


def _own_views() -> set[str]:
    usual = re.compile(r"_(changelist|add|change|delete|history)$")
    names = {pattern.name for _, one in _registered() for pattern in one.urls if pattern.name}
    return {name for name in names if not usual.search(name)} | {
        "auth_user_password_change" for name in names if name == "auth_user_password_change"
    }


def test_every_page_and_action_is_declared() -> None:
    """A page, an address or an action that nobody thought of roles for has no line, and fails here."""
    site = {
        pattern.name
        for pattern in admin.site.get_urls()
        if getattr(pattern, "name", None) and not hasattr(pattern, "url_patterns")
    }
    actions = {kind: {name for name, _ in _named_actions(one)} for kind, one in _registered()}

    assert {kind for kind, _ in _registered()} == set(PAGES)
    assert _own_views() - {"auth_user_password_change"} == {name.split()[0] for name in VIEWS}
    assert site == SITE | OPEN
    assert {kind: set(names) for kind, names in ACTIONS.items()} == {
        kind: names for kind, names in actions.items() if names
    }


def _named_actions(one: Any) -> list[tuple[str, Any]]:
    """Actions for somebody with every right."""
    if one.actions is None:
        return []
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    return [(name, found) for name, found in one.get_actions(request).items()]


def test_every_page_answers_each_role_as_declared(stage: Stage) -> None:
    """Who may gets the page, who may not gets 403, whether they look or send; strangers go to the login."""
    wrong = []
    for what, url, who, status, _post in cases(stage):
        for letter, user in stage.users.items():
            found = status_of(url, user)
            if found != (status if letter in who else 403):
                wrong.append((what, letter, found))
    for what, url, who, post in forbidden(stage):
        for letter, user in stage.users.items():
            found = 403 if letter in who else status_of(url, user, post=post)
            if found != 403:
                wrong.append((f"POST {what}", letter, found))

    assert wrong == []


def test_strangers_go_to_the_login(stage: Stage, client: Client) -> None:
    """Without a staff account every address leads to the login and tells nothing."""
    shopper = User.objects.create_user("shopper")
    answers = {client.get(url).status_code for _, url, *_rest in cases(stage)}
    client.force_login(shopper)
    answers |= {client.get(stage.url(name)).status_code for name in VIEWS}

    assert answers == {302}


def test_actions_are_offered_to_each_role_as_declared(stage: Stage) -> None:
    """The list offers an action, and Django carries it out, only for those who are declared."""
    wrong = []
    for kind, one in _registered():
        for letter, user in stage.users.items():
            request = request_to(reverse(f"admin:{kind}_changelist"), user)
            offered = set(one.get_actions(request)) if one.actions is not None else set()
            declared = ACTIONS.get(kind, {})
            expected = {name for name, who in declared.items() if letter in {*who, "S"}}
            if offered != expected:
                wrong.append((kind, letter, offered, expected))

    assert wrong == []


def test_site_pages_open_for_all_staff(stage: Stage) -> None:
    """The first page, the search and one's own password are for everyone who works here."""
    urls = [
        reverse(f"admin:{name}", args=["routing"] if name == "app_list" else [])
        for name in sorted(SITE - {"app_list"})
    ]

    assert {status_of(url, user) for url in urls for user in stage.users.values()} == {200}


def test_roles_are_made_once_and_lose_nothing() -> None:
    """A second run changes nothing; what staff gave stays, what is missing comes back."""
    assert keep_roles() == [role.name for role in ROLES]
    group = Group.objects.get(name=ROLES[0].name)
    extra = Permission.objects.get(codename="view_recall")
    group.permissions.add(extra)
    group.permissions.remove(Permission.objects.get(codename="view_call"))

    assert keep_roles() == []
    rights = set(group.permissions.values_list("codename", flat=True))
    assert rights == {right.split(".")[1] for right in ROLES[0].rights} | {"view_recall"}


def _shown(rights: frozenset[str], place: str) -> str:
    """What a role may do at a place of the menu."""
    own = RIGHTS.get(place)
    if own is not None:
        return "sees" if own in rights else "–"
    app, name = place.partition(":")[0].split("_", 1)
    if ":" not in place and any(f"{app}.{verb}_{name}" in rights for verb in ("add", "change")):
        return "edits" if f"{app}.view_{name}" in rights else "–"
    return "sees" if f"{app}.view_{name}" in rights else "–"


def _table() -> list[str]:
    """The rows of docs/roles.md."""
    lines = [
        [f"{group}: {title}", *(_shown(role.rights, place) for role in ROLES)]
        for group, entries in MENU
        for title, _, place in entries
    ]
    usual = ("view_", "add_", "change_", "delete_")
    special = sorted(
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename, _ in model._meta.permissions
        if model._meta.app_label in ("cache", "routing", "chatbot")
        and (not codename.startswith(usual) or codename == "view_figures")
    )
    lines += [
        [f"`{right}`", *("may" if right in role.rights else "–" for role in ROLES)]
        for right in special
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]


def test_the_page_about_roles_shows_these_roles() -> None:
    """docs/roles.md has the same table as the code."""
    page = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    found = [line for line in page.splitlines() if line.startswith("| ")]

    assert [line for line in found if not line.startswith("| page")] == _table()
    assert all(f"**{role.name}**" in page for role in ROLES)
