"""The live board: what it shows adds up, and its buttons need a right, a reason, and leave a trace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from supervised import asked

from base.revision import current_number
from benchmarks.redis_server import has_redis, running_redis
from cache.embedding import Embedder
from chatbot.process import Process
from chatbot.runtime import Runtime
from routing.models import Budget, Call, Chain, Hold, Model, Spending
from routing.snapshot import load_routing
from tests.chatbot.admin_rows import a_call, a_model
from tests.conftest import unavailable

BOARD, CARDS = "admin:routing_hold_changelist", "admin:routing_hold_cards"


def press(client: Client, model: Model, key: str, **form: Any) -> Any:
    """Send a button's form."""
    address = reverse("admin:routing_hold_action", args=[model.pk, key])
    return client.post(address, {"reason": "they are down", **form})


def state_of(client: Client, model: Model) -> Any:
    """What the board's JSON says of a model."""
    answer = client.get(reverse(CARDS)).json()
    return next(one for one in answer["models"] if one["id"] == model.pk)


def in_chain(model: Model) -> Model:
    """A model that is asked for simple questions."""
    Chain.objects.create(tier="FAQ", position=model.pk, model=model)
    return model


@pytest.mark.django_db
def test_buttons_need_their_own_right_and_a_reason(client: Client) -> None:
    """Whoever may only look sees no button; each right opens its button; without a reason nothing is done."""
    model = in_chain(a_model())
    user = User.objects.create_user("kim", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(BOARD)).status_code == 403
    assert client.get(reverse(CARDS)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_hold"))
    assert "data-action" not in client.get(reverse(BOARD)).content.decode()
    keys = {"trip": "trip_hold", "park": "park_hold", "reset": "reset_hold", "limits": "limit_hold"}
    for key, right in keys.items():
        assert press(client, model, key).status_code == 403
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_hold", right]))
        assert f'data-action="{key}"' in client.get(reverse(BOARD)).content.decode()
        assert press(client, model, key, reason="").status_code == 200
    assert not Hold.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
def test_every_decision_is_written_down(admin_client: Client) -> None:
    """Who, when, old, new and why; the row is read with the configuration."""
    model, before = in_chain(a_model()), current_number()
    assert press(admin_client, model, "trip").status_code == 302
    until = timezone.localtime() + timedelta(hours=2)
    assert press(admin_client, model, "park", until="2020-01-01T10:00").status_code == 200
    assert press(admin_client, model, "park", until=f"{until:%Y-%m-%dT%H:%M}").status_code == 302
    assert press(admin_client, model, "reset", reason="well again").status_code == 302
    hold = Hold.objects.get()
    assert (hold.kind, hold.by, hold.reason, hold.until) == ("reset", "admin", "well again", None)
    assert current_number() >= before + 3
    said = list(LogEntry.objects.order_by("id").values_list("change_message", flat=True))
    assert said[0] == "Live board: unknown -> trip. Reason: they are down"
    assert said[1].startswith("Live board: tripped -> park until 20")
    assert said[2] == "Live board: held -> reset. Reason: well again"
    assert "well again" in admin_client.get(reverse(BOARD)).content.decode()


@pytest.mark.django_db
def test_limits_are_changed_after_a_look_at_old_and_new(admin_client: Client) -> None:
    """The first POST shows both and changes nothing; the confirmed one does, with the old figure kept."""
    model = in_chain(a_model())
    Model.objects.update(requests_per_minute=500)
    review = press(admin_client, model, "limits", requests_per_minute="300").content.decode()
    model.refresh_from_db()
    assert ("500" in review, "300" in review, model.requests_per_minute) == (True, True, 500)
    assert "park the model" in press(admin_client, model, "limits", in_flight="0").content.decode()
    done = press(admin_client, model, "limits", requests_per_minute="300", confirmed="yes")
    assert done.status_code == 302
    assert load_routing().chains["FAQ"][0].limits.requests_per_minute == 300  # type: ignore[index]
    assert "500 -> 300" in LogEntry.objects.get().change_message


@pytest.mark.django_db
def test_money_and_errors_of_a_model_are_shown(admin_client: Client) -> None:
    """What is spent and left, when it is gone at the present pace, and the last failures."""
    model, now = in_chain(a_model()), timezone.now()
    budget = Budget.objects.create(period="month", model=model, limit_nanousd=10**10)
    Spending.objects.create(
        kind=Spending.BUDGET,
        row_id=budget.pk,
        covers="endpoint_key=vendor model_asked=m-1",
        period_start=now - timedelta(days=1),
        period_end=now + timedelta(days=20),
        spent_nanousd=9 * 10**9,
    )
    a_call("paid", started_at=now - timedelta(minutes=1), cost_nanousd=10**9)
    a_call("other", started_at=now, cost_nanousd=10**12, model_asked="m-2")
    failed = a_call("bad", started_at=now, outcome=Call.FAILED, failure="overloaded", status=529)
    page = admin_client.get(reverse(BOARD)).content.decode()
    gone = timezone.localtime(now + timedelta(minutes=15))
    assert "$9.00 of $10.00" in page
    assert f"at the present pace gone at {gone:%H:}" in page
    assert f'/admin/routing/call/{failed.pk}/change/">overloaded' in page
    assert "· 529" in page


@pytest.fixture(params=["alone", "with redis"])
def state_in(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Where limits and breakers live: in the process, or in a Redis that several share."""
    if request.param == "alone":
        yield "alone"
        return
    if not has_redis():
        unavailable("redis-server")
    with running_redis() as server:
        settings.REDIS_URL = server.url
        yield "redis"


async def test_a_tripped_model_is_passed_over_by_every_process(
    state_in: str, runtime: Runtime, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button reaches the serving loop at once and another process with the configuration: the next
    question goes to the next model, until a reset; a process that starts meanwhile knows it too."""
    monkeypatch.setattr(Process.current(), "_runtime", runtime)
    other = Runtime(embedder=embedder)
    await other.start(take_up_open_questions=False)
    both = [runtime, other] if state_in == "redis" else [runtime]
    usual = await served_by(runtime)

    async def pressed(key: str) -> str:
        state = await asyncio.to_thread(_press_as_boss, usual, key)
        await other.catch_up()
        return state

    assert await pressed("trip") == "tripped"
    passed_over = [await served_by(process) for process in both]
    third = Runtime(embedder=embedder)
    await third.start(take_up_open_questions=False)
    passed_over.append(await served_by(third))
    assert await pressed("reset") == "closed"
    await third.catch_up()
    again = await served_by(third)
    for process in (other, third):
        await process.stop()
    assert usual not in passed_over
    assert again == usual


async def served_by(runtime: Runtime) -> str:
    """The model that a new question was answered by, as `endpoint/name`."""
    question = await asked(runtime, past_the_cache=True)
    runtime.supervisor.start(question)
    await runtime.supervisor.drain(timeout_s=30)
    row = await runtime.reader.run(lambda: Call.objects.order_by("-id")[0])
    assert (row.question_id, row.outcome) == (question.question_id, Call.COMPLETED)
    return f"{row.endpoint_key}/{row.model_asked}"


def _press_as_boss(place: str, key: str) -> str:
    """Press a button of a model; returns the state that the board shows then."""
    client = Client()
    boss = User.objects.get_or_create(username="boss", is_staff=True, is_superuser=True)[0]
    client.force_login(boss)
    endpoint, _, name = place.partition("/")
    model = Model.objects.get(endpoint__key=endpoint, name=name)
    assert press(client, model, key).status_code == 302
    return str(state_of(client, model)["state"])
