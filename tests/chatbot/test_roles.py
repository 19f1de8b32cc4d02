"""Every page and every action of the admin answers each role as `role_matrix` declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from base.audit import note
from cache.models import Lookup
from chatbot.admin_ui import MENU, RIGHTS
from chatbot.models import Question, ShopFile
from chatbot.roles import ROLES, keep_roles
from routing.models import Call
from routing.publishing import Terms, publish, start_draft
from tests.chatbot.admin_rows import a_call, a_conversation, a_question, an_answer, fill
from tests.chatbot.role_matrix import ACTIONS, LETTERS, OPEN, PAGES, SITE, VIEWS, View

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "zebra-crossing-7131"


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


@pytest.fixture
def stage() -> Stage:
    """A row of every kind; rule sets in each state; users with nothing but their role's group."""
    keep_roles()
    users = {letter: _user(role.name) for letter, role in LETTERS.items()}
    users["S"] = User.objects.create_superuser("super")
    fill(0, 1)
    now = timezone.now()
    published = publish(1, terms=_terms(now))
    scheduled = publish(
        start_draft(now=now).pk, terms=_terms(now, starts_at=now + timedelta(days=1))
    )
    note([_model("cache_answer").objects.get()], "Looked at.", user=users["S"])
    rows = {kind: _model(kind).objects.order_by("pk").first() for kind in PAGES}
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


def _model(kind: str) -> Any:
    return apps.get_model(*kind.split("_", 1))


def _request(url: str, user: User, *, post: dict[str, Any] | None = None) -> HttpRequest:
    factory = RequestFactory()
    request = factory.get(url) if post is None else factory.post(url, post)
    request.user = user
    request.session = SessionStore()
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as Django's client does
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]  # as the middleware does
    return request


def _status(url: str, user: User, *, post: dict[str, Any] | None = None) -> int:
    """Status of the view itself, called as the site calls it, without drawing its page."""
    request = _request(url, user, post=post)
    view, args, kwargs = resolve(url.partition("?")[0])
    try:
        return int(view(request, *args, **kwargs).status_code)
    except PermissionDenied:
        return 403
    except Http404:
        return 404


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


def _cases(stage: Stage) -> Iterator[tuple[str, str, frozenset[str], int, dict[str, Any] | None]]:
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


def _forbidden(stage: Stage) -> Iterator[tuple[str, str, frozenset[str], dict[str, Any]]]:
    """(what, address, letters of who may post there, what the others try to post)."""
    for kind, rights in PAGES.items():
        pk = stage.rows[kind]
        yield f"{kind} change", reverse(f"admin:{kind}_change", args=[pk]), rights["change"], {}
    for name, view in VIEWS.items():
        yield name, stage.url(name), view.roles, _posted(stage, view)


def _posted(stage: Stage, view: View) -> dict[str, Any]:
    return {key: value.format(**stage.rows) for key, value in (view.post or {}).items()}


def test_every_page_answers_each_role_as_declared(stage: Stage) -> None:
    """Who may gets the page, who may not gets 403, whether they look or send; strangers go to the login."""
    wrong = []
    for what, url, who, status, _post in _cases(stage):
        for letter, user in stage.users.items():
            found = _status(url, user)
            if found != (status if letter in who else 403):
                wrong.append((what, letter, found))
    for what, url, who, post in _forbidden(stage):
        for letter, user in stage.users.items():
            found = 403 if letter in who else _status(url, user, post=post)
            if found != 403:
                wrong.append((f"POST {what}", letter, found))

    assert wrong == []


def test_strangers_go_to_the_login(stage: Stage, client: Client) -> None:
    """Without a staff account every address leads to the login and tells nothing."""
    shopper = User.objects.create_user("shopper")
    answers = {client.get(url).status_code for _, url, *_rest in _cases(stage)}
    client.force_login(shopper)
    answers |= {client.get(stage.url(name)).status_code for name in VIEWS}

    assert answers == {302}


def test_actions_are_offered_to_each_role_as_declared(stage: Stage) -> None:
    """The list offers an action, and Django carries it out, only for those who are declared."""
    wrong = []
    for kind, one in _registered():
        for letter, user in stage.users.items():
            request = _request(reverse(f"admin:{kind}_changelist"), user)
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

    assert {_status(url, user) for url in urls for user in stage.users.values()} == {200}


def test_everything_that_changes_something_is_written_down(stage: Stage) -> None:
    """Each page that changes a row leaves an entry with the user's name; so does each action."""
    silent = []
    for name, view in VIEWS.items():
        if view.post is None:
            continue
        with transaction.atomic():
            before = LogEntry.objects.count()
            _status(stage.url(name), stage.users["S"], post=_posted(stage, view))
            if LogEntry.objects.filter(user=stage.users["S"]).count() <= before:
                silent.append(name)
            transaction.set_rollback(True)

    assert silent == []


@pytest.mark.parametrize(
    ("kind", "action"),
    [("cache_answer", "pin"), ("cache_wording", "suspend"), ("cache_wording", "restore")],
)
def test_actions_are_written_down(stage: Stage, kind: str, action: str) -> None:
    """An action leaves an entry per row that it changed."""
    if action == "restore":
        _model(kind).objects.update(suspended_at=timezone.now())
    post = {"action": action, "_selected_action": str(stage.rows[kind])}
    _status(reverse(f"admin:{kind}_changelist"), stage.users["K"], post=post)

    entry = LogEntry.objects.get(user=stage.users["K"])
    assert (entry.object_id, entry.action_flag) == (str(stage.rows[kind]), CHANGE)


def test_old_and_new_values_are_kept(stage: Stage, admin_client: Client) -> None:
    """The audit shows each changed field from its old value to its new one, also of rows beside a row."""
    budget = _model("routing_budget").objects.get()
    form = {"limit_nanousd": "7.50", "period": "day", "time_zone": "UTC", "model": budget.model_id}
    admin_client.post(reverse("admin:routing_budget_change", args=[budget.pk]), form)
    page = admin_client.get(reverse("admin:admin_logentry_changelist")).content.decode()
    exported = admin_client.get(reverse("admin:admin_logentry_export")).content.decode()

    assert "1.00 → 7.50" in page
    assert "1.00 → 7.50" in exported


def test_audit_shows_only_rows_that_one_may_see(stage: Stage) -> None:
    """An entry about a row that a role may not see is not in its audit, by no filter and no search."""
    note([_model("chatbot_conversation").objects.get()], SECRET, user=stage.users["S"])
    client = Client()
    client.force_login(stage.users["K"])
    url = reverse("admin:admin_logentry_changelist")
    found = client.get(url, {"q": SECRET}).context["cl"].result_list
    pages = [client.get(url), client.get(reverse("admin:admin_logentry_export"))]
    client.force_login(stage.users["S"])

    assert list(found) == []
    assert not any(SECRET in page.content.decode() for page in pages)
    assert SECRET in client.get(url).content.decode()


def test_exported_audit_holds_no_formula(stage: Stage, admin_client: Client) -> None:
    """A row whose name begins like a formula is text in a spreadsheet."""
    answer = an_answer(9)
    answer.text = "=HYPERLINK(1)"
    note([answer], "@SUM(1)", user=stage.users["S"])
    text = admin_client.get(reverse("admin:admin_logentry_export")).content.decode()

    assert "'=HYPERLINK" in text and "'@SUM" in text


def _plant(secret: str) -> None:
    """A question of today that cost money, and its words wherever the product keeps them."""
    now, answer = timezone.now(), an_answer(2)
    # Whatever is older would have to be counted by the worker first.
    Question.objects.update(accepted_at=now)
    Call.objects.update(started_at=now)
    Lookup.objects.update(at=now)
    question = a_question(
        a_conversation(7), secret, cache="miss", origin="model", tier="FAQ", accepted_at=now
    )
    a_call("dear", question_id=question.pk, cost_nanousd=10**9, started_at=now)
    Lookup.objects.create(
        question_id=question.pk,
        site_id=1,
        partition=answer.partition,
        outcome="miss",
        stored=answer,
        nearest_text=secret,
        reason=secret,
        at=now,
    )
    answer.wordings.update(text=secret)
    user = User.objects.get(username="super")
    note([question, answer.wordings.get()], secret, user=user)


def test_a_cost_viewer_reads_no_word_of_a_shopper(stage: Stage) -> None:
    """No page, search, filter, export or log that a cost viewer can open holds a question's text."""
    _plant(SECRET)
    client = Client()
    client.force_login(stage.users["C"])
    tables = client.get(reverse("admin:index")).context["summary"]["tables"]
    urls = [
        reverse("admin:index"),
        *(url for what, url, who, *_ in _cases(stage) if "C" in who and "history" not in what),
        *(
            f"{url}?q=zebra"
            for what, url, who, *_ in _cases(stage)
            if "list" in what and "C" in who
        ),
        reverse("admin:search") + "?s=zebra",
        reverse("admin:chatbot_tally_export", args=["most-asked"]),
        reverse("admin:chatbot_tally_export", args=["gaps"]),
        reverse("admin:chatbot_tally_export", args=["dearest"]),
    ]
    leaks = [url for url in urls if SECRET in client.get(url).content.decode()]
    client.force_login(stage.users["S"])

    assert leaks == []
    assert SECRET in client.get(reverse("admin:index")).content.decode()
    assert "dearest" in {table.key for table in tables}


def test_a_cost_viewer_is_not_led_to_questions(stage: Stage) -> None:
    """The list of calls names questions by number, without a link; who may read them gets one."""
    link = reverse("admin:chatbot_question_change", args=[stage.rows["question"]])
    client = Client()
    shown = {}
    for letter in "CP":
        client.force_login(stage.users[letter])
        shown[letter] = client.get(reverse("admin:routing_call_changelist")).content.decode()

    assert (link in shown["C"], link in shown["P"]) == (False, True)


def test_a_support_agent_sees_no_money(stage: Stage) -> None:
    """Lists and pages of questions and conversations show no cost, and no filter tells it."""
    Question.objects.update(cost_nanousd=123_456_789_000)
    client = Client()
    client.force_login(stage.users["A"])
    urls = [url for _, url, who, *_ in _cases(stage) if "A" in who]
    pages = [client.get(url).content.decode() for url in (*urls, reverse("admin:index"))]
    asked = client.get(reverse("admin:chatbot_question_changelist"), {"cost_nanousd__gt": "5"})
    client.force_login(stage.users["K"])

    assert not any("$" in page.split("<main")[-1] and "123" in page for page in pages)
    assert asked.status_code in (302, 400)
    assert "123" in client.get(urls[-3]).content.decode()


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
